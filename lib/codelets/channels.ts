import { codelet, input, output, state } from "../graph/index.ts";
import { binaryCycles } from "./binary.ts";
import { allWorkers, checkVectors, type FloatType, type Vector } from "./support.ts";

/**
 * `out = in + bias`, where a vector of `in` holds, again and again, `inner` elements for each element of its bias.
 *
 * Cycles: as BinaryOp1D of PopLibs for all elements together, as an assumption: the bias is loaded in place of an operand.
 */
export function addBias(type: FloatType = "float") {
  return codelet(
    `AddBias<${type}>`,
    { in: input.vectors(type), bias: input.vectors(type), out: output.vectors(type), inner: state() },
    ({ in: values, bias, out: written, inner }) => {
      checkVectors({ in: values, out: written });
      for (const [place, out] of (written as readonly Vector[]).entries()) {
        const [x, b] = [values[place], bias[place]];
        for (let i = 0; i < out.length; i++) out[i] = x[i] + b[Math.floor(i / inner) % b.length];
      }
    },
    ({ out: { elements } }, target) => binaryCycles(elements, type, target),
    allWorkers,
  );
}

/**
 * Repeats a vector: each vector of `out` holds, again and again, `inner` times each element of its vector of `in`.
 *
 * Cycles: as BinaryOp1D of PopLibs, as an assumption: stores are what bounds both.
 */
export function spread(type: FloatType = "float") {
  return codelet(
    `Spread<${type}>`,
    { in: input.vectors(type), out: output.vectors(type), inner: state() },
    ({ in: values, out: written, inner }) => {
      for (const [place, out] of (written as readonly Vector[]).entries()) {
        const x = values[place];
        for (let i = 0; i < out.length; i++) out[i] = x[Math.floor(i / inner) % x.length];
      }
    },
    ({ out: { elements } }, target) => binaryCycles(elements, type, target),
    allWorkers,
  );
}
