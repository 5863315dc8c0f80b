import { codelet, inOut, input, state } from "../graph/index.ts";
import { binaryCycles } from "./binary.ts";
import { allWorkers, checkLengths } from "./support.ts";

// Updates of weights where they lie, in single precision, from gradients that are already summed up. Plain gradient descent
// is `scaledAdd` with a negative scale.

/**
 * A step with momentum: `velocity = momentum · velocity + gradient`, then `weights −= rate · velocity` (Polyak 1964).
 *
 * Cycles: those of `binary`, with two of its loops one after the other, as an assumption.
 */
export function momentumStep() {
  return codelet(
    "MomentumStep<float>",
    {
      weights: inOut.vector("float"),
      velocity: inOut.vector("float"),
      gradient: input.vector("float"),
      rate: input("float"),
      momentum: state(),
    },
    ({ weights, velocity, gradient, rate, momentum }) => {
      checkLengths({ weights, velocity, gradient });
      for (let i = 0; i < weights.length; i++) {
        velocity[i] = momentum * velocity[i] + gradient[i];
        weights[i] -= rate * velocity[i];
      }
    },
    ({ weights, velocity, gradient }, target) => {
      checkLengths({ weights, velocity, gradient });
      return binaryCycles(weights.length, "float", target, 6);
    },
    allWorkers,
  );
}

/**
 * A step of Adam (Kingma and Ba 2015): both moments, then `weights −= rate · first / (√second + epsilon)`. `rate` has the
 * corrections of the step's number in it: α · √(1 − β₂ᵗ) / (1 − β₁ᵗ).
 *
 * Cycles: those of `binary`, with loops of 3 for each of six products and sums and of 10 for each of a root and a
 * division, as an assumption.
 */
export function adamStep() {
  return codelet(
    "AdamStep<float>",
    {
      weights: inOut.vector("float"),
      first: inOut.vector("float"),
      second: inOut.vector("float"),
      gradient: input.vector("float"),
      rate: input("float"),
      firstDecay: state(),
      secondDecay: state(),
      epsilon: state(),
    },
    ({ weights, first, second, gradient, rate, firstDecay, secondDecay, epsilon }) => {
      checkLengths({ weights, first, second, gradient });
      for (let i = 0; i < weights.length; i++) {
        first[i] = firstDecay * first[i] + (1 - firstDecay) * gradient[i];
        second[i] = secondDecay * second[i] + (1 - secondDecay) * gradient[i] * gradient[i];
        weights[i] -= (rate * first[i]) / (Math.sqrt(second[i]) + epsilon);
      }
    },
    ({ weights, first, second, gradient }, target) => {
      checkLengths({ weights, first, second, gradient });
      return binaryCycles(weights.length, "float", target, 6 * 3 + 2 * 10);
    },
    allWorkers,
  );
}
