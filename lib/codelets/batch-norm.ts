import { codelet, input, output } from "../graph/index.ts";
import { binaryCycles } from "./binary.ts";
import { reducePartialsCycles } from "./reduce-blocks.ts";
import { allWorkers, checkLengths } from "./support.ts";

/**
 * The sum and the sum of squares of a channel's elements, in single precision: what batch normalisation finds mean and
 * variance from, once parts of all tiles are added up (Ioffe and Szegedy 2015).
 *
 * Cycles: those of `reducePartials` twice, as an assumption: squares are taken while elements are added.
 */
export function batchNormSums() {
  return codelet(
    "BatchNormSums<float>",
    { in: input.vector("float"), sum: output("float"), squares: output("float") },
    ({ in: values, sum, squares }) => {
      let [total, energy] = [0, 0];
      for (let i = 0; i < values.length; i++) {
        total = Math.fround(total + values[i]);
        energy = Math.fround(energy + Math.fround(values[i] * values[i]));
      }
      sum.value = total;
      squares.value = energy;
    },
    ({ in: { length } }, target) => 2 * reducePartialsCycles(length, target),
    allWorkers,
  );
}

/**
 * A channel's elements normalised, scaled and shifted: `out = (in − mean) · inverseDeviation · scale + shift`.
 *
 * Cycles: those of `binary`, with two of its loops one after the other, as an assumption: the factors are made once.
 */
export function batchNormApply() {
  return codelet(
    "BatchNormApply<float>",
    {
      in: input.vector("float"),
      mean: input("float"),
      inverseDeviation: input("float"),
      scale: input("float"),
      shift: input("float"),
      out: output.vector("float"),
    },
    ({ in: values, mean, inverseDeviation, scale, shift, out }) => {
      checkLengths({ in: values, out });
      const factor = Math.fround(inverseDeviation * scale);
      for (let i = 0; i < out.length; i++) out[i] = Math.fround(values[i] - mean) * factor + shift;
    },
    ({ in: values, out }, target) => {
      checkLengths({ in: values, out });
      return binaryCycles(out.length, "float", target, 6);
    },
    allWorkers,
  );
}

/**
 * The gradient at a channel's elements, from that at the results and two sums over all samples:
 * `out = factor · (delta − deltaMean − normalised · deltaNormalisedMean)`, where the means are those of `delta` and of
 * `delta · normalised`, and `factor` is `inverseDeviation · scale`.
 *
 * Cycles: those of `binary`, with three of its loops one after the other, as an assumption.
 */
export function batchNormGradient() {
  return codelet(
    "BatchNormGradient<float>",
    {
      delta: input.vector("float"),
      normalised: input.vector("float"),
      deltaMean: input("float"),
      deltaNormalisedMean: input("float"),
      factor: input("float"),
      out: output.vector("float"),
    },
    ({ delta, normalised, deltaMean, deltaNormalisedMean, factor, out }) => {
      checkLengths({ delta, normalised, out });
      for (let i = 0; i < out.length; i++) {
        out[i] = factor * (delta[i] - deltaMean - normalised[i] * deltaNormalisedMean);
      }
    },
    ({ delta, normalised, out }, target) => {
      checkLengths({ delta, normalised, out });
      return binaryCycles(out.length, "float", target, 9);
    },
    allWorkers,
  );
}
