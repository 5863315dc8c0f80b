import { formatShape, isFloat } from "../tensor/index.ts";
import type { GraphBuilder } from "./builder.ts";
import type { Operation, Value } from "./graph.ts";

/**
 * Adds to a graph the operations that compute the gradient of a scalar with respect to some values:
 * reverse-mode differentiation, one gradient rule after the other from the last operation to the first
 * (Speelpenning 1980; Griewank and Walther, "Evaluating Derivatives", ch. 3).
 *
 * The operations are added in phase `backward`, each in the layer of the operation whose gradient it is.
 *
 * @param loss a value of shape `[]` with a float dtype
 * @param wanted the values whose gradients are returned, in this order
 * @throws Error if `loss` is not a scalar, if it does not depend on a wanted value, or if an operator on the way has no
 * gradient
 */
export function gradients(builder: GraphBuilder, loss: Value, wanted: readonly Value[]): readonly Value[] {
  if (loss.type.shape.length > 0 || !isFloat(loss.type.dtype)) {
    throw new Error(
      `gradients: the loss must be a scalar of a float dtype, got ${loss.type.dtype}${formatShape(loss.type.shape)}${madeBy(loss, builder.operations)}; reduce it with sum or mean over all axes`,
    );
  }
  const operations = [...builder.operations];
  const dependent = valuesThatDependOn(wanted, operations);
  const gradientOf = new Map<number, Value>();
  const accumulate = (value: Value, gradient: Value): void => {
    const before = gradientOf.get(value.id);
    gradientOf.set(value.id, before === undefined ? gradient : builder.apply("add", [before, gradient]));
  };
  if (dependent.has(loss.id)) {
    builder.inPhase("backward", layerOf(loss, operations), () => {
      accumulate(loss, builder.apply("full", [], { shape: [], dtype: loss.type.dtype, value: 1 }));
    });
  }
  for (const operation of operations.reverse()) {
    const outputGradients = operation.outputs.map((output) => gradientOf.get(output.id) ?? null);
    const inputsWanted = operation.inputs.map((input) => dependent.has(input.id));
    if (outputGradients.every((gradient) => gradient === null) || !inputsWanted.includes(true)) continue;
    const { gradient } = builder.operators[operation.operator];
    if (gradient === null) {
      throw new Error(
        `gradients: every operator between the wanted values and the loss must have a gradient, got ${operation.operator}${operation.layer && ` (in layer ${operation.layer})`}; take the loss before it`,
      );
    }
    builder.inPhase("backward", operation.layer, () => {
      const { inputs, outputs, attributes } = operation;
      const rules = gradient({ builder, inputs, outputs, attributes, outputGradients, wanted: inputsWanted });
      for (const [index, value] of rules.entries()) {
        if (value !== null && inputsWanted[index]) accumulate(inputs[index], value);
      }
    });
  }
  return wanted.map((value) => {
    const gradient = gradientOf.get(value.id);
    if (gradient === undefined) {
      throw new Error(
        `gradients: the loss must depend on every wanted value, got none for %${value.id} ${value.type.dtype}${formatShape(value.type.shape)}; leave it out or use it in the model`,
      );
    }
    return gradient;
  });
}

function valuesThatDependOn(sources: readonly Value[], operations: readonly Operation[]): Set<number> {
  const dependent = new Set(sources.map((value) => value.id));
  for (const { inputs, outputs } of operations) {
    if (inputs.some((input) => dependent.has(input.id))) {
      for (const output of outputs) if (isFloat(output.type.dtype)) dependent.add(output.id);
    }
  }
  return dependent;
}

function layerOf(value: Value, operations: readonly Operation[]): string {
  return operations.find((operation) => operation.outputs.includes(value))?.layer ?? "";
}

/** Where a value comes from, for an error; nothing for an input. */
function madeBy(value: Value, operations: readonly Operation[]): string {
  const operation = operations.find(({ outputs }) => outputs.includes(value));
  if (operation === undefined) return "";
  return ` (${operation.operator}${operation.layer && ` in layer ${operation.layer}`})`;
}
