import { codelet, input, output } from "../graph/index.ts";
import { oneWorker } from "./support.ts";

/**
 * Half of the sum of squared differences of a row, and its gradient, which is the difference, in single precision.
 *
 * Cycles of a worker: 30 and 4 for every two elements, as an assumption: two loads, an operation and a store.
 */
export function squaredError() {
  return codelet(
    "SquaredError<float>",
    {
      prediction: input.vector("float"),
      target: input.vector("float"),
      loss: output("float"),
      gradient: output.vector("float"),
    },
    ({ prediction, target, loss, gradient }) => {
      let sum = 0;
      for (let i = 0; i < gradient.length; i++) {
        gradient[i] = prediction[i] - target[i];
        sum = Math.fround(sum + Math.fround(gradient[i] * gradient[i]));
      }
      loss.value = sum / 2;
    },
    ({ prediction }) => 30 + 4 * Math.ceil(prediction.length / 2),
    oneWorker,
  );
}
