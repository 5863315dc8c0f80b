import { defineOperator, type Value } from "../ir/index.ts";
import { bytesOf, elementCount, formatTypes, isFloat, philox } from "../tensor/index.ts";

/** The last word of the counter: keeps these random numbers apart from those of `random`, where it is 0. */
export const dropoutLane = 1;

/** Elements are dropped whose 24 random bits are below this. */
export const dropThreshold = (rate: number): number => Math.round(rate * 2 ** 24);

/**
 * Drops elements at random and scales up the others, so that the expectation stays (Srivastava et al. 2014). Which ones
 * are dropped depends on seed, stream, step and position alone: computed again it is the same, and the gradient drops
 * what the forward pass dropped without keeping a mask.
 */
export const dropout = defineOperator({
  name: "dropout",
  summary: "x / (1 − rate), but 0 for a share `rate` of the elements, drawn by seed, stream, the step [] and position",
  constraints: {
    C1: { rule: "there must be a tensor of a float dtype and an int32 scalar", remedy: "give the number of the step" },
    C2: { rule: "the rate must be from 0 to below 1", remedy: "give a share such as 0.5" },
    C3: { rule: "seed and stream must be whole numbers ≥ 0, the stream below 2^31", remedy: "pick one such as 1" },
  },
  attributes: { rate: { kind: "number" }, seed: { kind: "number" }, stream: { kind: "number", default: 0 } },
  inferTypes(inputs, { rate, seed, stream }, require) {
    const got = (): string => formatTypes(inputs);
    const [x, step] = inputs;
    const scalar = inputs.length === 2 && step.dtype === "int32" && step.shape.length === 0;
    require(scalar && isFloat(x.dtype), "C1", got);
    require(rate >= 0 && rate < 1, "C2", () => String(rate));
    const whole = Number.isSafeInteger(seed) && seed >= 0 && Number.isInteger(stream) && stream >= 0;
    require(whole && stream < 2 ** 31, "C3", () => `${seed} and ${stream}`);
    return [x];
  },
  compute([x, step], [y], { rate, seed, stream }) {
    const counter = Uint32Array.of(0, step.data[0], stream, dropoutLane);
    const words = new Uint32Array(4);
    const [keyA, keyB] = [seed >>> 0, Math.floor(seed / 2 ** 32)];
    const threshold = dropThreshold(rate);
    const factor = 1 / (1 - rate);
    for (let i = 0; i < y.data.length; i++) {
      counter[0] = i;
      philox(counter, keyA, keyB, words);
      y.data[i] = words[0] >>> 8 >= threshold ? x.data[i] * factor : 0;
    }
  },
  gradient: ({ builder, inputs: [, step], attributes, outputGradients }) => [
    builder.apply("dropout", [outputGradients[0] as Value, step], attributes),
    null,
  ],
  // Ten rounds of two products, each of four halves, and about twice as much around them.
  cost: ([x, step], [y]) => ({ flops: 240 * elementCount(x.shape), bytes: bytesOf(x) + bytesOf(step) + bytesOf(y) }),
  inPlace: [0],
});

/** Counts: how states count steps. */
export const increment = defineOperator({
  name: "increment",
  summary: "x + 1 for whole numbers; after 2³¹ − 1 comes −2³¹",
  constraints: { C1: { rule: "there must be one input of dtype int32", remedy: "give a whole number" } },
  attributes: {},
  inferTypes(inputs, _, require) {
    require(inputs.length === 1 && inputs[0].dtype === "int32", "C1", () => formatTypes(inputs));
    return [inputs[0]];
  },
  compute([x], [y]) {
    for (let i = 0; i < y.data.length; i++) y.data[i] = x.data[i] + 1;
  },
  gradient: null,
  cost: ([x], [y]) => ({ flops: elementCount(x.shape), bytes: bytesOf(x) + bytesOf(y) }),
  inPlace: [0],
});
