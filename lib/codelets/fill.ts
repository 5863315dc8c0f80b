import { codelet, output, state } from "../graph/index.ts";
import { oneWorker } from "./support.ts";

/**
 * Every element becomes `value`, in single precision.
 *
 * Cycles of a worker: 16 + ⌊n / 2⌋ + 6 + (1 if n is odd) + 1, after PopLibs' estimator of Fill.
 */
export function fill() {
  return codelet(
    "Fill<float>",
    { out: output.vector("float"), value: state() },
    ({ out, value }) => {
      for (let i = 0; i < out.length; i++) out[i] = value;
    },
    ({ out: { length } }) => 16 + Math.floor(length / 2) + 6 + (length % 2) + 1,
    oneWorker,
  );
}
