import type { GraphBuilder, Value } from "../ir/index.ts";
import { elementCount } from "../tensor/index.ts";
import { allOnes, allZeros } from "./initialisers.ts";
import { checkSize, type Layer } from "./layer.ts";

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
        const scaled = builder.apply("scaleAlong", [input, factor], { axis: 1 });
        return builder.apply("addBias", [scaled, offset], { axis: 1 });
      }
      const { mean, variance, centred } = statistics(builder, input, 1);
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
      const scaled = builder.apply("scaleAlong", [centred, factor], { axis: 1 });
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
      const normal = normalisedRows(builder, input, elementCount(shape.slice(0, last)), epsilon);
      const scaled = builder.apply("scaleAlong", [normal, gain], { axis: last });
      return builder.apply("addBias", [scaled, shift], { axis: last });
    },
  };
}

/**
 * Groups of channels, each less its mean, over its deviation, times a gain, plus a shift per channel (Wu and He 2018).
 * For [batch, channels, …]; it needs no other samples, so it is the same in training and answers, and for any batch.
 */
export function groupNorm(groups: number, { epsilon = 1e-5 }: { readonly epsilon?: number } = {}): Layer {
  checkSize("groupNorm", "groups", groups);
  checkEpsilon("groupNorm", epsilon);
  return {
    type: "groupNorm",
    label: `groupNorm(${groups})`,
    build({ builder, parameter }, input) {
      const { shape } = input.type;
      const [samples, channels] = shape;
      if (shape.length < 2 || channels % groups !== 0) {
        throw new Error(
          `groupNorm: groups must divide the channels, got ${groups} for ${channels ?? "none"}; choose another number of groups`,
        );
      }
      const gain = parameter("gain", [channels], allOnes);
      const shift = parameter("shift", [channels], allZeros);
      const normal = normalisedRows(builder, input, samples * groups, epsilon);
      const scaled = builder.apply("scaleAlong", [normal, gain], { axis: 1 });
      return builder.apply("addBias", [scaled, shift], { axis: 1 });
    },
  };
}

/** Settings of local response normalisation; AlexNet's unless told otherwise. */
export interface LocalResponseNormOptions {
  /** How many neighbouring channels are looked at, an odd number; 5 unless told otherwise. */
  readonly size?: number;
  /** Added before the power is taken; 2 unless told otherwise. */
  readonly bias?: number;
  /** What the sum of squares counts; 10⁻⁴ unless told otherwise (torch divides its `alpha` by the size). */
  readonly alpha?: number;
  /** The power; 0.75 unless told otherwise. */
  readonly beta?: number;
}

/**
 * Each element over (bias + alpha · the squares of what lies at its place in neighbouring channels) to the power beta
 * (Krizhevsky, Sutskever, Hinton 2012, section 3.3).
 */
export function localResponseNorm(options: LocalResponseNormOptions = {}): Layer {
  return {
    type: "localResponseNorm",
    label: "localResponseNorm",
    build: ({ builder }, input) => builder.apply("localResponseNorm", [input], { ...options }),
  };
}

/** Mean and biased variance over all axes but one, and the input less its mean. */
function statistics(
  builder: GraphBuilder,
  input: Value,
  axis: number,
): { readonly mean: Value; readonly variance: Value; readonly centred: Value } {
  const axes = input.type.shape.map((_, other) => other).filter((other) => other !== axis);
  const mean = builder.apply("mean", [input], { axes });
  const centred = builder.apply("addBias", [input, builder.apply("negate", [mean])], { axis });
  const variance = builder.apply("mean", [builder.apply("square", [centred])], { axes });
  return { mean, variance, centred };
}

/** The input cut into rows, each less its mean and over its deviation, in the input's shape. */
function normalisedRows(builder: GraphBuilder, input: Value, rows: number, epsilon: number): Value {
  const { shape } = input.type;
  const cut = builder.apply("reshape", [input], { shape: [rows, elementCount(shape) / rows] });
  const { variance, centred } = statistics(builder, cut, 0);
  const factor = inverseDeviation(builder, variance, epsilon);
  return builder.apply("reshape", [builder.apply("scaleAlong", [centred, factor], { axis: 0 })], { shape });
}

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
