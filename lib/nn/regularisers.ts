import type { GraphBuilder, Value } from "../ir/index.ts";
import { elementCount } from "../tensor/index.ts";
import { allOnes, allZeros } from "./initialisers.ts";
import type { Layer } from "./layer.ts";

/**
 * Drops a share of the elements while training and scales up the others; does nothing when the model answers
 * (Srivastava et al. 2014). Which ones are dropped follows from the model's seed, the layer, the number of the step and
 * the place, so that whatever is computed again comes out the same.
 */
export function dropout(rate = 0.5): Layer {
  if (!(rate >= 0 && rate < 1)) {
    throw new Error(`dropout: the rate must be from 0 to below 1, got ${rate}; try dropout(0.5)`);
  }
  return {
    type: "dropout",
    label: `dropout(${rate})`,
    build({ builder, mode, seed, randomStream, state, update }, input) {
      if (mode === "inference") return input;
      const step = state("step", { shape: [], dtype: "int32" }, 0);
      update(step, builder.apply("increment", [step]));
      return builder.apply("dropout", [input, step], { rate, seed, stream: randomStream() });
    },
  };
}

/** Settings of batch normalisation. */
export interface BatchNormOptions {
  /** How much of a new batch goes into the running statistics at each step; 0.1 unless told otherwise. */
  readonly momentum?: number;
  /** Added to the variance, so that nothing is divided by 0; 10⁻⁵ unless told otherwise. */
  readonly epsilon?: number;
}

/**
 * Each channel less its mean, over its deviation, times a gain, plus a shift (Ioffe and Szegedy 2015): by the statistics
 * of the batch while training, by running ones when the model answers. For [batch, channels, …]. The running variance
 * is the unbiased one; the batch's own is not.
 */
export function batchNorm({ momentum = 0.1, epsilon = 1e-5 }: BatchNormOptions = {}): Layer {
  checkEpsilon("batchNorm", epsilon);
  if (!(momentum > 0 && momentum <= 1)) {
    throw new Error(`batchNorm: momentum must be above 0 to 1, got ${momentum}; try { momentum: 0.1 }`);
  }
  return {
    type: "batchNorm",
    label: "batchNorm",
    build({ builder, mode, dtype, parameter, state, update }, input) {
      const { shape } = input.type;
      if (shape.length < 2)
        throw new Error("batchNorm: a sample must have channels, got []; put reshape([1]) before it");
      const channels = [shape[1]];
      const gain = parameter("gain", channels, allOnes);
      const shift = parameter("shift", channels, allZeros);
      const runningMean = state("mean", { shape: channels, dtype }, 0);
      const runningVariance = state("variance", { shape: channels, dtype }, 1);
      const axes = shape.map((_, axis) => axis).filter((axis) => axis !== 1);
      if (mode === "inference") {
        const factor = builder.apply("multiply", [gain, inverseDeviation(builder, runningVariance, epsilon)]);
        const offset = builder.apply("subtract", [shift, builder.apply("multiply", [runningMean, factor])]);
        const scaled = builder.apply("multiply", [input, repeated(builder, factor, shape, [1])]);
        return builder.apply("addBias", [scaled, offset], { axis: 1 });
      }
      const { mean, variance, centred } = statistics(builder, input, axes, [1]);
      const average = (old: Value, fresh: Value, factor: number): Value =>
        builder.apply("add", [
          builder.apply("scale", [old], { factor: 1 - momentum }),
          builder.apply("scale", [fresh], { factor: momentum * factor }),
        ]);
      const count = elementCount(axes.map((axis) => shape[axis]));
      update(runningMean, average(runningMean, mean, 1));
      // Of a single element there is no unbiased variance; its biased one, 0, is taken.
      update(runningVariance, average(runningVariance, variance, count / Math.max(count - 1, 1)));
      const factor = builder.apply("multiply", [gain, inverseDeviation(builder, variance, epsilon)]);
      const scaled = builder.apply("multiply", [centred, repeated(builder, factor, shape, [1])]);
      return builder.apply("addBias", [scaled, shift], { axis: 1 });
    },
  };
}

/**
 * Each row along the last axis less its mean, over its deviation, times a gain, plus a shift per feature (Ba, Kiros,
 * Hinton 2016). It needs no other samples, so it is the same in training and answers.
 */
export function layerNorm({ epsilon = 1e-5 }: { readonly epsilon?: number } = {}): Layer {
  checkEpsilon("layerNorm", epsilon);
  return {
    type: "layerNorm",
    label: "layerNorm",
    build({ builder, parameter }, input) {
      const { shape } = input.type;
      const last = shape.length - 1;
      if (last < 1) throw new Error("layerNorm: a sample must have features, got []; put reshape([1]) before it");
      const gain = parameter("gain", [shape[last]], allOnes);
      const shift = parameter("shift", [shape[last]], allZeros);
      const kept = shape.map((_, axis) => axis).slice(0, last);
      const { variance, centred } = statistics(builder, input, [last], kept);
      const factor = repeated(builder, inverseDeviation(builder, variance, epsilon), shape, kept);
      const normal = builder.apply("multiply", [centred, factor]);
      const scaled = builder.apply("multiply", [normal, repeated(builder, gain, shape, [last])]);
      return builder.apply("addBias", [scaled, shift], { axis: last });
    },
  };
}

/** Mean and biased variance over some axes, and the input less its mean. */
function statistics(
  builder: GraphBuilder,
  input: Value,
  axes: readonly number[],
  kept: readonly number[],
): { readonly mean: Value; readonly variance: Value; readonly centred: Value } {
  const mean = builder.apply("mean", [input], { axes });
  const centred = builder.apply("subtract", [input, repeated(builder, mean, input.type.shape, kept)]);
  const variance = builder.apply("mean", [builder.apply("square", [centred])], { axes });
  return { mean, variance, centred };
}

const repeated = (builder: GraphBuilder, value: Value, shape: readonly number[], axes: readonly number[]): Value =>
  builder.apply("broadcast", [value], { shape, axes });

/** 1 / √(variance + ε). */
function inverseDeviation(builder: GraphBuilder, variance: Value, epsilon: number): Value {
  const { dtype } = variance.type;
  const margin = builder.apply("full", [], { shape: [], dtype, value: epsilon });
  const one = builder.apply("full", [], { shape: [], dtype, value: 1 });
  return builder.apply("divide", [one, builder.apply("sqrt", [builder.apply("add", [variance, margin])])]);
}

function checkEpsilon(layer: string, epsilon: number): void {
  if (!(Number.isFinite(epsilon) && epsilon > 0)) {
    throw new Error(`${layer}: epsilon must be a number > 0, got ${epsilon}; try { epsilon: 1e-5 }`);
  }
}
