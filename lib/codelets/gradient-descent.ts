import { codelet, input, output, state } from "../graph/index.ts";
import { inPlaceCycles } from "./binary.ts";
import { reducePartialsCycles } from "./reduce-blocks.ts";
import { allWorkers, type FloatType, type Vector } from "./support.ts";

/**
 * A step of plain gradient descent on blocks of weights: `out = weights − rate · Σ partials`, where each block has as
 * many partial gradients, one after the other; `parts` and `inner` say of them what they say in `reducePartials`.
 *
 * Sums and the rate are single precision, whatever the weights are. Cycles: those of `reducePartials` and of `scaledAdd`.
 */
export function gradientDescent(type: FloatType = "float", from: FloatType = "float") {
  return codelet(
    `GradientDescent<${type},${from}>`,
    {
      weights: input.vectors(type),
      partials: input.vectors(from),
      rate: input("float"),
      out: output.vectors(type),
      parts: state(),
      inner: state(),
    },
    ({ weights, partials, rate, out: written, parts, inner }) => {
      const each = partials.length / written.length / parts;
      for (const [place, out] of (written as readonly Vector[]).entries()) {
        for (let i = 0; i < out.length; i++) {
          const row = Math.floor(i / (inner * parts));
          const part = Math.floor(i / inner) % parts;
          const within = row * inner + (i % inner);
          let gradient = 0;
          for (let index = 0; index < each; index++) {
            gradient = Math.fround(gradient + partials[(place * parts + part) * each + index][within]);
          }
          out[i] = weights[place][i] - Math.fround(gradient * rate);
        }
      }
    },
    ({ partials, out }, target) =>
      reducePartialsCycles(partials.elements, target, from) + inPlaceCycles(out.elements, type, target),
    allWorkers,
  );
}
