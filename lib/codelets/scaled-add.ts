import { codelet, inOut, input } from "../graph/index.ts";
import { applyInPlace, inPlaceCycles } from "./binary.ts";
import { allWorkers, checkLengths, type FloatType, type Vector } from "./support.ts";

/**
 * `values = values + scale · operand`: how weights follow their gradients.
 *
 * Cycles: those of `binaryInPlace`, as an assumption: the loads and stores are the same, and the device's multiply and
 * add is one instruction as its add is.
 */
export function scaledAdd<T extends FloatType>(type: T) {
  return codelet(
    `ScaledAdd<${type}>`,
    { values: inOut.vector(type), operand: input.vector(type), scale: input(type) },
    ({ values, operand, scale: factor }) => {
      const scale = factor as number;
      applyInPlace(values as Vector, operand, (value, other) => value + scale * other);
    },
    ({ values, operand }, target) => {
      checkLengths({ values, operand });
      return inPlaceCycles(values.length, type, target);
    },
    allWorkers,
  );
}
