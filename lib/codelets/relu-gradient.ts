import { codelet, input, output } from "../graph/index.ts";
import { allWorkers, checkLengths, stepsPerWorker, vectorWidth } from "./support.ts";

// An assumption: the loop of BinaryOp1D, which loads and stores the same; a comparison selects in place of an addition.
const loopCycles = 3;
const workerCycles = 29;
const supervisorCycles = 11;

/**
 * The gradient at relu's input: `delta` where relu's output was above 0, else 0, in single precision.
 *
 * Cycles: W · (29 + 3 · ⌈n / W / 2⌉) + 11, those of `binary` in single precision, as an assumption.
 */
export function reluGradient() {
  return codelet(
    "ReluGradient<float>",
    { activation: input.vector("float"), delta: input.vector("float"), out: output.vector("float") },
    ({ activation, delta, out }) => {
      checkLengths({ activation, delta, out });
      for (let i = 0; i < out.length; i++) out[i] = activation[i] > 0 ? delta[i] : 0;
    },
    ({ activation, delta, out }, target) => {
      checkLengths({ activation, delta, out });
      const steps = stepsPerWorker(out.length, vectorWidth.float, target);
      return target.workersPerTile * (workerCycles + loopCycles * steps) + supervisorCycles;
    },
    allWorkers,
  );
}
