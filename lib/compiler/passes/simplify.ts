import type { Operation, Value } from "../../ir/index.ts";
import type { Pass } from "../schedule.ts";

/** Computes at compile time what depends on no input. */
export const simplify: Pass = {
  name: "simplify",
  summary: "makes one constant of a constant that is scaled, repeated or reshaped, and drops what changes nothing",
  run(schedule) {
    const { graph } = schedule;
    const constants = new Map<number, number>();
    const same = new Map<number, Value>();
    const resolve = (value: Value): Value => same.get(value.id) ?? value;
    const operations: Operation[] = [];
    for (const original of graph.operations) {
      const operation = { ...original, inputs: original.inputs.map(resolve) };
      const { operator, attributes, inputs, outputs } = operation;
      const [result] = outputs;
      const constant = inputs.length === 1 ? constants.get(inputs[0].id) : undefined;
      if (operator === "full") {
        constants.set(result.id, attributes.value as number);
        operations.push(operation);
      } else if (constant !== undefined && operator in folded) {
        const value = folded[operator](constant, attributes.factor as number);
        constants.set(result.id, value);
        const { shape, dtype } = result.type;
        operations.push({ ...operation, operator: "full", inputs: [], attributes: { shape, dtype, value } });
      } else if ((operator === "scale" && attributes.factor === 1) || isIdentity(operation)) {
        same.set(result.id, inputs[0]);
      } else {
        operations.push(operation);
      }
    }
    const outputs = graph.outputs.map((output) => ({ ...output, value: resolve(output.value) }));
    return { ...schedule, graph: { ...graph, operations, outputs } };
  },
};

const folded: Readonly<Record<string, (constant: number, factor: number) => number>> = {
  scale: (constant, factor) => constant * factor,
  broadcast: (constant) => constant,
  reshape: (constant) => constant,
  transpose: (constant) => constant,
  negate: (constant) => -constant,
};

/** True for an operation whose result is its operand, element for element, in the same shape. */
function isIdentity({ operator, attributes, inputs, outputs }: Operation): boolean {
  const moves = operator === "reshape" || operator === "broadcast" || operator === "transpose";
  if (!moves || String(inputs[0].type.shape) !== String(outputs[0].type.shape)) return false;
  return (
    operator !== "transpose" || (attributes.permutation as readonly number[]).every((axis, index) => axis === index)
  );
}
