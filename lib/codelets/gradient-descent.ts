import { codelet, input, output, state } from "../graph/index.ts";
import { inPlaceCycles } from "./binary.ts";
import { reducePartialsCycles } from "./reduce-blocks.ts";
import { allWorkers, type Vector } from "./support.ts";

/**
 * A step of plain gradient descent on blocks of weights: `out = weights − rate · Σ partials`, where each block has as
 * many partial gradients, one after the other; `parts` and `inner` say of them what they say in `reducePartials`.
 *
 * Cycles: those of `reducePartials` and of `scaledAdd`.
 */
export function gradientDescent() {
  return codelet(
    "GradientDescent<float>",
    {
      weights: input.vectors("float"),
      partials: input.vectors("float"),
      rate: input("float"),
      out: output.vectors("float"),
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
      reducePartialsCycles(partials.elements, target) + inPlaceCycles(out.elements, "float", target),
    allWorkers,
  );
}
