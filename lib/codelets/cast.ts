import { codelet, input, output } from "../graph/index.ts";
import { castCycles } from "./cast-blocks.ts";
import { allWorkers, checkLengths } from "./support.ts";

/**
 * Single precision to half, rounded to the nearest, ties to even.
 *
 * Cycles: 12 + W · (18 + 19 + 2 · ⌈⌈n / W⌉ / 4⌉ + 2), after PopLibs' estimator of Cast1D.
 */
export function castToHalf() {
  return codelet(
    "Cast1D<float,half>",
    { in: input.vector("float"), out: output.vector("half") },
    ({ in: values, out }) => {
      checkLengths({ in: values, out });
      for (let i = 0; i < out.length; i++) out[i] = values[i];
    },
    ({ in: values, out }, target) => {
      checkLengths({ in: values, out });
      return castCycles(out.length, "float", "half", target);
    },
    allWorkers,
  );
}
