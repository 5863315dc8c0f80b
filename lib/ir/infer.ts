import type { TensorType } from "../tensor/index.ts";
import type { Attributes } from "./graph.ts";
import { ConstraintError, type Operator } from "./operator.ts";

/**
 * The types of an operation's outputs.
 *
 * @param layer where the operation stands, for the error message; empty if nowhere in particular
 * @throws ConstraintError if an input or attribute breaks one of the operator's constraints
 */
export function inferOutputTypes(
  operator: Operator,
  inputs: readonly TensorType[],
  attributes: Attributes,
  layer = "",
): readonly TensorType[] {
  const where = layer === "" ? "" : ` (in layer ${layer})`;
  return operator.inferTypes(inputs, attributes, (holds, number, got) => {
    if (holds) return;
    const constraint = operator.constraints[number];
    if (constraint === undefined) throw new Error(`internal: ${operator.name} has no constraint ${number}`);
    throw new ConstraintError(operator.name, number, constraint, got(), where);
  });
}
