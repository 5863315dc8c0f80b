import { codelet, input, output, type Target } from "../graph/index.ts";
import { allWorkers, checkLengths, type FloatType, stepsPerWorker, vectorWidth } from "./support.ts";

/** Element-wise functions of one vector. */
export type UnaryOperation = "exp" | "log" | "tanh" | "sqrt" | "relu";

// PopLibs, estimators of UnaryOp1D in single precision: cycles a worker's loop takes for two elements.
const operations: Readonly<Record<UnaryOperation, { meaning: (x: number) => number; loopCycles: number }>> = {
  exp: { meaning: Math.exp, loopCycles: 6 },
  log: { meaning: Math.log, loopCycles: 12 },
  tanh: { meaning: Math.tanh, loopCycles: 12 },
  sqrt: { meaning: Math.sqrt, loopCycles: 10 },
  relu: { meaning: (x) => Math.max(x, 0), loopCycles: 3 },
};
const workerCycles = 17;
const exponentialWorkerCycles = 33;
const supervisorCycles = 20;

/**
 * `out = f(in)`, element by element, in single precision.
 *
 * Cycles: W · (17, for exp 33, + c · ⌈n / W / 2⌉) + 20 with c as above, after PopLibs' estimator of UnaryOp1D.
 */
export function unary(operation: UnaryOperation) {
  const { meaning, loopCycles } = operations[operation];
  return codelet(
    `UnaryOp1D<${operation},float>`,
    { in: input.vector("float"), out: output.vector("float") },
    ({ in: values, out }) => {
      checkLengths({ in: values, out });
      for (let i = 0; i < out.length; i++) out[i] = meaning(values[i]);
    },
    ({ in: values, out }, target) => {
      checkLengths({ in: values, out });
      return unaryCycles(operation, out.length, target, loopCycles);
    },
    allWorkers,
  );
}

/**
 * What a function of `count` elements costs whose loop takes so many cycles for two of them; for four halves as many, as
 * an assumption: the loads and the unit are of 64 bits for both.
 */
export function unaryCycles(
  operation: string,
  count: number,
  target: Target,
  loop: number,
  type: FloatType = "float",
): number {
  const base = operation === "exp" ? exponentialWorkerCycles : workerCycles;
  return target.workersPerTile * (base + loop * stepsPerWorker(count, vectorWidth[type], target)) + supervisorCycles;
}
