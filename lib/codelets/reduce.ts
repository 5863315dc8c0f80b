import { codelet, input, output } from "../graph/index.ts";
import { oneWorker } from "./support.ts";

/**
 * The sum of a vector, from the first element to the last in single precision.
 *
 * Cycles of a worker: 17 + 2 · ⌊n / 4⌋ + n mod 4, after PopLibs' estimator of a reduction of one input.
 */
export function reduceSum() {
  return codelet(
    "ReduceSum<float>",
    { in: input.vector("float"), out: output("float") },
    ({ in: values, out }) => {
      let sum = 0;
      for (let i = 0; i < values.length; i++) sum = Math.fround(sum + values[i]);
      out.value = sum;
    },
    ({ in: { length } }) => 17 + 2 * Math.floor(length / 4) + (length % 4),
    oneWorker,
  );
}
