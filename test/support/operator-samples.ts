import type { Attributes } from "../../lib/ir/index.ts";
import type { OperatorName } from "../../lib/ops/index.ts";
import type { Random, Shape } from "../../lib/tensor/index.ts";

/** One input of a sample: numbers drawn from a range, or class numbers. */
export interface SampleInput {
  readonly shape: Shape;
  /** Numbers are drawn evenly from [low, high); with `classes` they are whole numbers from 0. */
  readonly low?: number;
  readonly high?: number;
  readonly classes?: number;
}

/** An application of an operator that its constraints allow. */
export interface OperatorSample {
  readonly inputs: readonly SampleInput[];
  readonly attributes?: Attributes;
}

type MakeSample = (random: Random) => OperatorSample;

/** A whole number from `low` to `high`, both included. */
export function integer(random: Random, low: number, high: number): number {
  return low + Math.floor(random.nextUniform() * (high - low + 1));
}

function shapeOf(random: Random, low = 0, high = 3): number[] {
  return Array.from({ length: integer(random, low, high) }, () => integer(random, 1, 9));
}

const unary =
  (low = -2, high = 2): MakeSample =>
  (random) => ({ inputs: [{ shape: shapeOf(random), low, high }] });

/** Now and then one of the operands is a scalar. */
const binary =
  (low = -2, high = 2): MakeSample =>
  (random) => {
    const shape = shapeOf(random);
    const scalar = integer(random, 0, 3);
    return {
      inputs: [
        { shape: scalar === 1 ? [] : shape, low, high },
        { shape: scalar === 2 ? [] : shape, low, high },
      ],
    };
  };

const reduction: MakeSample = (random) => {
  const shape = shapeOf(random, 1, 4);
  const axes = shape.map((_, axis) => axis).filter(() => random.nextUniform() < 0.5);
  return { inputs: [{ shape, low: -2, high: 2 }], attributes: { axes } };
};

const rows: MakeSample = (random) => ({ inputs: [{ shape: shapeOf(random, 1, 3), low: -3, high: 3 }] });

/** Extents of pictures, filters and maps that fit together, with the settings that make them fit. */
function convolution(random: Random): {
  readonly x: SampleInput;
  readonly w: SampleInput;
  readonly y: SampleInput;
  readonly settings: Attributes;
} {
  const pair = (low: number, high: number): number[] => [integer(random, low, high), integer(random, low, high)];
  const groups = integer(random, 1, 2);
  const [channels, filters] = pair(1, 3).map((count) => count * groups);
  const [kernel, stride, padding, dilation] = [pair(1, 3), pair(1, 2), pair(0, 3), pair(1, 2)];
  const samples = integer(random, 1, 2);
  const covered = kernel.map((extent, axis) => (extent - 1) * dilation[axis] + 1);
  const size = covered.map((extent, axis) => Math.max(extent - 2 * padding[axis], 1) + integer(random, 0, 6));
  const maps = size.map((extent, axis) => Math.floor((extent + 2 * padding[axis] - covered[axis]) / stride[axis]) + 1);
  const numbers = (...shape: number[]): SampleInput => ({ shape, low: -1, high: 1 });
  return {
    x: numbers(samples, channels, ...size),
    w: numbers(filters, channels / groups, ...kernel),
    y: numbers(samples, filters, ...maps),
    settings: { stride, padding, dilation, groups },
  };
}

/** Extents of pictures and maps that fit together, with the settings of the window that makes them fit. */
function pooling(random: Random): {
  readonly x: SampleInput;
  readonly y: SampleInput;
  readonly settings: Attributes;
} {
  const pair = (low: number, high: number): number[] => [integer(random, low, high), integer(random, low, high)];
  const [kernel, stride] = [pair(1, 3), pair(1, 3)];
  const padding = kernel.map((extent) => integer(random, 0, Math.floor(extent / 2)));
  const size = kernel.map((extent) => extent + integer(random, 0, 6));
  const maps = size.map((extent, axis) => Math.floor((extent + 2 * padding[axis] - kernel[axis]) / stride[axis]) + 1);
  const planes = pair(1, 3);
  return {
    x: { shape: [...planes, ...size], low: -1, high: 1 },
    y: { shape: [...planes, ...maps], low: -1, high: 1 },
    settings: { kernel, stride, padding },
  };
}

const channels = (random: Random): SampleInput => ({
  shape: [integer(random, 1, 3), integer(random, 1, 9), ...shapeOf(random, 0, 2)],
  low: -2,
  high: 2,
});

const channelWindow = (random: Random): number => 2 * integer(random, 0, 3) + 1;

const alongAxis: MakeSample = (random) => {
  const shape = shapeOf(random, 1, 4);
  const axis = integer(random, 0, shape.length - 1);
  return {
    inputs: [
      { shape, low: -1, high: 1 },
      { shape: [shape[axis]], low: -1, high: 1 },
    ],
    attributes: { axis },
  };
};

/** For every operator, a way to draw applications of it; a missing one does not compile. */
export const operatorSamples: { readonly [Name in OperatorName]: MakeSample } = {
  negate: unary(),
  exp: unary(),
  log: unary(0.2, 3),
  sqrt: unary(0.2, 3),
  square: unary(),
  abs: unary(),
  sign: unary(),
  relu: unary(),
  sigmoid: unary(-4, 4),
  tanh: unary(-3, 3),
  softplus: unary(-4, 4),
  erf: unary(-3, 3),
  gelu: unary(-3, 3),
  power(random) {
    const exponent = [-2, -1, 0, 1, 2, 3, 7, 0.5, -0.5, 1.7][integer(random, 0, 9)];
    return { ...unary(0.4, 2)(random), attributes: { exponent } };
  },
  flush: (random) => ({ ...unary()(random), attributes: { below: 0.5 } }),
  clip: (random) => ({ ...unary()(random), attributes: { low: -0.7, high: 1.1 } }),
  leakyRelu: (random) => ({ ...unary()(random), attributes: { slope: 0.1 } }),
  scale: (random) => ({ ...unary()(random), attributes: { factor: 4 * random.nextUniform() - 2 } }),
  add: binary(),
  subtract: binary(),
  multiply: binary(),
  divide: binary(0.3, 2),
  maximum: binary(),
  minimum: binary(),
  greaterOrEqual: binary(),
  reluGradient: binary(),
  sigmoidGradient: binary(0.05, 0.95),
  tanhGradient: binary(-0.95, 0.95),
  matmul(random) {
    const [m, k, n] = [integer(random, 1, 20), integer(random, 1, 20), integer(random, 1, 20)];
    const transposeA = random.nextUniform() < 0.5;
    const transposeB = random.nextUniform() < 0.5;
    return {
      inputs: [
        { shape: transposeA ? [k, m] : [m, k], low: -1, high: 1 },
        { shape: transposeB ? [n, k] : [k, n], low: -1, high: 1 },
      ],
      attributes: { transposeA, transposeB },
    };
  },
  batchMatmul(random) {
    const [count, m, k, n] = [integer(random, 1, 3), ...Array.from({ length: 3 }, () => integer(random, 1, 7))];
    const transposeA = random.nextUniform() < 0.5;
    const transposeB = random.nextUniform() < 0.5;
    return {
      inputs: [
        { shape: [count, ...(transposeA ? [k, m] : [m, k])], low: -1, high: 1 },
        { shape: [count, ...(transposeB ? [n, k] : [k, n])], low: -1, high: 1 },
      ],
      attributes: { transposeA, transposeB },
    };
  },
  addBias: alongAxis,
  scaleAlong: alongAxis,
  convolution2d(random) {
    const { x, w, settings } = convolution(random);
    return { inputs: [x, w], attributes: settings };
  },
  convolution2dInputGradient(random) {
    const { x, w, y, settings } = convolution(random);
    return { inputs: [y, w], attributes: { ...settings, size: x.shape.slice(2) } };
  },
  convolution2dWeightGradient(random) {
    const { x, w, y, settings } = convolution(random);
    return { inputs: [x, y], attributes: { ...settings, kernel: w.shape.slice(2) } };
  },
  maxPool2d(random) {
    const { x, settings } = pooling(random);
    return { inputs: [x], attributes: settings };
  },
  maxPool2dGradient(random) {
    const { x, y, settings } = pooling(random);
    const size = x.shape.slice(2);
    // Any index will do for the test of constraints; what maxPool2d gives is tested with it.
    return { inputs: [y, { shape: y.shape, classes: 1 }], attributes: { ...settings, size } };
  },
  maxPool2dTake(random) {
    const { x, y, settings } = pooling(random);
    return { inputs: [x, { shape: y.shape, classes: 1 }], attributes: settings };
  },
  averagePool2d(random) {
    const { x, settings } = pooling(random);
    return { inputs: [x], attributes: settings };
  },
  averagePool2dGradient(random) {
    const { x, y, settings } = pooling(random);
    return { inputs: [y], attributes: { ...settings, size: x.shape.slice(2) } };
  },
  channelWindowSum: (random) => ({ inputs: [channels(random)], attributes: { size: channelWindow(random) } }),
  localResponseNorm: (random) => ({
    inputs: [channels(random)],
    attributes: { size: channelWindow(random), bias: 1.5, alpha: 0.3, beta: [0.75, 0.5, 1][integer(random, 0, 2)] },
  }),
  sum: reduction,
  mean: reduction,
  max: reduction,
  argmax: rows,
  reshape(random) {
    const shape = shapeOf(random, 1, 4);
    return { inputs: [{ shape, low: -1, high: 1 }], attributes: { shape: [...shape].reverse() } };
  },
  transpose(random) {
    const shape = shapeOf(random, 1, 4);
    return {
      inputs: [{ shape, low: -1, high: 1 }],
      attributes: { permutation: [...random.permutation(shape.length)] },
    };
  },
  broadcast(random) {
    const shape = shapeOf(random, 1, 4);
    const axes = shape.map((_, axis) => axis).filter(() => random.nextUniform() < 0.5);
    return { inputs: [{ shape: axes.map((axis) => shape[axis]), low: -1, high: 1 }], attributes: { shape, axes } };
  },
  slice(random) {
    const shape = shapeOf(random, 0, 3);
    const starts = shape.map((extent) => integer(random, 0, extent - 1));
    const sizes = shape.map((extent, axis) => integer(random, 1, extent - starts[axis]));
    return { inputs: [{ shape, low: -1, high: 1 }], attributes: { starts, sizes } };
  },
  pad(random) {
    const shape = shapeOf(random, 0, 3);
    const margin = (): number[] => shape.map(() => integer(random, 0, 2));
    return { inputs: [{ shape, low: -1, high: 1 }], attributes: { before: margin(), after: margin(), value: 0.5 } };
  },
  concat(random) {
    const shape = shapeOf(random, 1, 3);
    const axis = integer(random, 0, shape.length - 1);
    const inputs = Array.from({ length: integer(random, 1, 3) }, () => ({
      shape: shape.map((extent, other) => (other === axis ? integer(random, 1, 9) : extent)),
      low: -1,
      high: 1,
    }));
    return { inputs, attributes: { axis } };
  },
  split(random) {
    const shape = shapeOf(random, 1, 3);
    const axis = integer(random, 0, shape.length - 1);
    const parts = integer(random, 1, 4);
    const whole = shape.map((extent, other) => (other === axis ? extent * parts : extent));
    return { inputs: [{ shape: whole, low: -1, high: 1 }], attributes: { axis, parts } };
  },
  dropout: (random) => ({
    inputs: [...unary()(random).inputs, { shape: [], classes: 1000 }],
    attributes: { rate: 0.4, seed: 2 ** 33 + integer(random, 0, 9), stream: integer(random, 0, 9) },
  }),
  increment: (random) => ({ inputs: [{ shape: shapeOf(random), classes: 9 }] }),
  gather(random) {
    const rows = integer(random, 1, 9);
    return {
      inputs: [
        { shape: [rows, ...shapeOf(random, 0, 2)], low: -1, high: 1 },
        { shape: shapeOf(random, 0, 2), classes: rows },
      ],
    };
  },
  scatterAdd(random) {
    const rows = integer(random, 1, 9);
    const shape = shapeOf(random, 0, 2);
    return {
      inputs: [
        { shape: [...shape, ...shapeOf(random, 0, 2)], low: -1, high: 1 },
        { shape, classes: rows },
      ],
      attributes: { rows },
    };
  },
  copy: unary(),
  cast(random) {
    const dtype = ["int32", "float32"][integer(random, 0, 1)];
    const shape = shapeOf(random);
    return { inputs: [dtype === "int32" ? { shape, low: -9, high: 9 } : { shape, classes: 9 }], attributes: { dtype } };
  },
  roundTo: (random) => ({
    ...unary(-1, 1)(random),
    attributes: { format: ["float16", "bfloat16"][integer(random, 0, 1)] },
  }),
  pack: (random) => ({
    inputs: [{ shape: [2 * integer(random, 1, 20)], low: -2, high: 2 }],
    attributes: { format: ["float16", "bfloat16"][integer(random, 0, 1)] },
  }),
  unpack: (random) => ({
    // The patterns of small subnormal numbers, or of pairs of ordinary ones.
    inputs: [{ shape: [integer(random, 1, 20)], classes: [1000, 2 ** 30][integer(random, 0, 1)] }],
    attributes: { format: ["float16", "bfloat16"][integer(random, 0, 1)] },
  }),
  quantize(random) {
    const blocks = integer(random, 1, 5);
    return {
      inputs: [
        { shape: [blocks, 4 * integer(random, 1, 9)], low: -2, high: 2 },
        { shape: [blocks], low: 2, high: 3 },
      ],
    };
  },
  dequantize(random) {
    const blocks = integer(random, 1, 5);
    return {
      inputs: [
        { shape: [blocks, integer(random, 1, 9)], classes: 2 ** 31 - 1 },
        { shape: [blocks], low: 0, high: 3 },
      ],
    };
  },
  move: (random) => ({ ...unary()(random), attributes: { to: ["host", "device"][integer(random, 0, 1)] } }),
  stopGradient: unary(),
  full: (random) => ({
    inputs: [],
    attributes: { shape: shapeOf(random), dtype: "float32", value: random.nextUniform() },
  }),
  uniform: (random) => ({
    inputs: [{ shape: [], classes: 1000 }],
    attributes: { shape: shapeOf(random), seed: 2 ** 33 + integer(random, 0, 9), stream: integer(random, 0, 9) },
  }),
  softmax: rows,
  logSoftmax: rows,
  softmaxGradient(random) {
    const shape = shapeOf(random, 1, 3);
    return {
      inputs: [
        { shape, low: -1, high: 1 },
        { shape, low: 0, high: 1 },
      ],
    };
  },
  crossEntropy(random) {
    const [n, classes] = [integer(random, 1, 20), integer(random, 1, 20)];
    return {
      inputs: [
        { shape: [n, classes], low: -3, high: 3 },
        { shape: [n], classes },
      ],
    };
  },
  crossEntropyGradient(random) {
    const [n, classes] = [integer(random, 1, 20), integer(random, 1, 20)];
    return {
      inputs: [
        { shape: [n], low: -1, high: 1 },
        { shape: [n, classes], low: 0, high: 1 },
        { shape: [n], classes },
      ],
    };
  },
  oneHot(random) {
    const classes = integer(random, 1, 12);
    return { inputs: [{ shape: [integer(random, 1, 20)], classes }], attributes: { classes } };
  },
};
