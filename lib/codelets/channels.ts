import { codelet, input, output, state } from "../graph/index.ts";
import { binaryCycles } from "./binary.ts";
import { allWorkers, checkVectors, type FloatType, type Vector } from "./support.ts";

const meanings = {
  add: (a: number, b: number) => a + b,
  multiply: (a: number, b: number) => a * b,
} as const;

/**
 * `out = in ∘ along`, where a vector of `in` holds, again and again, `inner` elements for each element of its vector of
 * `along`: a bias that is added, or factors.
 *
 * Cycles: as BinaryOp1D of PopLibs for all elements together, as an assumption: `along` is loaded in place of an operand.
 */
export function alongAxis(operation: keyof typeof meanings, type: FloatType = "float") {
  const meaning = meanings[operation];
  return codelet(
    `AlongAxis<${operation},${type}>`,
    { in: input.vectors(type), along: input.vectors(type), out: output.vectors(type), inner: state() },
    ({ in: values, along, out: written, inner }) => {
      checkVectors({ in: values, out: written });
      for (const [place, out] of (written as readonly Vector[]).entries()) {
        const [x, b] = [values[place], along[place]];
        for (let i = 0; i < out.length; i++) out[i] = meaning(x[i], b[Math.floor(i / inner) % b.length]);
      }
    },
    ({ out: { elements } }, target) => binaryCycles(elements, type, target),
    allWorkers,
  );
}

/**
 * Repeats a vector, or one float: each vector of `out` holds, again and again, `inner` times each element of its vector of `in`.
 *
 * Cycles: as BinaryOp1D of PopLibs, as an assumption: stores are what bounds both.
 */
export function spread(type: FloatType = "float", from: FloatType = type) {
  return codelet(
    `Spread<${from},${type}>`,
    { in: input.vectors(from), out: output.vectors(type), inner: state() },
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
