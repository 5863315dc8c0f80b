import { codelet, inOut } from "../graph/index.ts";
import { allWorkers, vectorWidth } from "./support.ts";

/** Activation functions that a network applies where its values lie. */
export type NonLinearity = "relu" | "tanh";

// PopLibs, estimators of NonLinearity1D in single precision: cycles of the function itself, and of a turn of the loop.
const functions: Readonly<
  Record<NonLinearity, { meaning: (x: number) => number; operationCycles: number; loopCycles: number }>
> = {
  relu: { meaning: (x) => Math.max(x, 0), operationCycles: 1, loopCycles: 1 },
  tanh: { meaning: Math.tanh, operationCycles: 5, loopCycles: 10 },
};
const workerCycles = 26;
const supervisorCycles = 9;

/**
 * `values = f(values)`, element by element, in single precision.
 *
 * Cycles: 9 + W · (26 + 2 · op + (v − 1) · loop) with v = ⌈⌊n / 2⌋ / W⌉, after PopLibs' estimator of NonLinearity1D.
 * Its loop is entered once already, so that fewer than two elements cost what two do.
 */
export function nonLinearity(operation: NonLinearity) {
  const { meaning, operationCycles, loopCycles } = functions[operation];
  return codelet(
    `NonLinearity1D<${operation},float>`,
    { values: inOut.vector("float") },
    ({ values }) => {
      for (let i = 0; i < values.length; i++) values[i] = meaning(values[i]);
    },
    ({ values }, { workersPerTile }) => {
      const turns = Math.max(1, Math.ceil(Math.floor(values.length / vectorWidth.float) / workersPerTile));
      return supervisorCycles + workersPerTile * (workerCycles + 2 * operationCycles + (turns - 1) * loopCycles);
    },
    allWorkers,
  );
}
