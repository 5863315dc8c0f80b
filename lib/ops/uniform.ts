import { defineOperator } from "../ir/index.ts";
import { bytesOf, elementCount, formatShape, formatTypes, philox } from "../tensor/index.ts";

/** The last word of the counter: keeps these random numbers apart from those of dropout and of `random`. */
export const uniformLane = 2;

/**
 * Random numbers that seed, stream, step and position determine, so that whatever is computed again comes out the same.
 * Samples are drawn by comparing with them: 1 where the number is below a probability.
 */
export const uniform = defineOperator({
  name: "uniform",
  summary:
    "for the number of a step []: numbers from 0 to below 1 of 24 random bits, drawn by seed, stream, step and place",
  constraints: {
    C1: { rule: "there must be an int32 scalar", remedy: "give the number of the step" },
    C2: { rule: "extents must be whole numbers ≥ 0", remedy: "give sizes as integers" },
    C3: { rule: "seed and stream must be whole numbers ≥ 0, the stream below 2^31", remedy: "pick one such as 1" },
  },
  attributes: {
    shape: { kind: "numbers" },
    dtype: { kind: "choice", choices: ["float64", "float32"], default: "float32" },
    seed: { kind: "number" },
    stream: { kind: "number", default: 0 },
  },
  inferTypes(inputs, { shape, dtype, seed, stream }, require) {
    const scalar = inputs.length === 1 && inputs[0].dtype === "int32" && inputs[0].shape.length === 0;
    require(scalar, "C1", () => formatTypes(inputs));
    require(shape.every((extent) => Number.isInteger(extent) && extent >= 0), "C2", () => formatShape(shape));
    const whole = Number.isSafeInteger(seed) && seed >= 0 && Number.isInteger(stream) && stream >= 0;
    require(whole && stream < 2 ** 31, "C3", () => `${seed} and ${stream}`);
    return [{ dtype, shape }];
  },
  compute([step], [y], { seed, stream }) {
    const counter = Uint32Array.of(0, step.data[0], stream, uniformLane);
    const words = new Uint32Array(4);
    const [keyA, keyB] = [seed >>> 0, Math.floor(seed / 2 ** 32)];
    for (let i = 0; i < y.data.length; i++) {
      counter[0] = i;
      philox(counter, keyA, keyB, words);
      y.data[i] = (words[0] >>> 8) / 2 ** 24;
    }
  },
  gradient: null,
  // As for dropout.
  cost: ([step], [y]) => ({ flops: 240 * elementCount(y.shape), bytes: bytesOf(step) + bytesOf(y) }),
  inPlace: [],
});
