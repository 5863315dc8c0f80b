import { codelet, input, output } from "../graph/index.ts";
import { binaryCycles } from "./binary.ts";
import { allWorkers, checkLengths } from "./support.ts";

// Cycles a loop takes for two elements, as an assumption: two loads and an operation are 3, as in BinaryOp1D; a comparison
// selects in place of an addition, and a product more is one more cycle each.
const functions = {
  relu: { slope: (y: number) => (y > 0 ? 1 : 0), loopCycles: 3 },
  sigmoid: { slope: (y: number) => y * (1 - y), loopCycles: 5 },
  tanh: { slope: (y: number) => 1 - y * y, loopCycles: 5 },
} as const;

/**
 * The gradient at a function's input: `delta` times the function's slope, which follows from the function's output, in
 * single precision.
 *
 * Cycles: W · (29 + c · ⌈n / W / 2⌉) + 11, those of `binary` in single precision with the loop above, as an assumption.
 */
export function nonLinearityGradient(operation: keyof typeof functions) {
  const { slope, loopCycles } = functions[operation];
  return codelet(
    `NonLinearityGradient<${operation},float>`,
    { activation: input.vector("float"), delta: input.vector("float"), out: output.vector("float") },
    ({ activation, delta, out }) => {
      checkLengths({ activation, delta, out });
      for (let i = 0; i < out.length; i++) out[i] = delta[i] * slope(activation[i]);
    },
    ({ activation, delta, out }, target) => {
      checkLengths({ activation, delta, out });
      return binaryCycles(out.length, "float", target, loopCycles);
    },
    allWorkers,
  );
}
