import { type Constraint, type Cost, defineOperator, type Require, type Value } from "../ir/index.ts";
import { bytesOf, elementCount, formatTypes, isFloat, type Shape, type TensorType } from "../tensor/index.ts";

// Windows over neighbouring channels of [samples, channels, …], as wide to both sides; beyond the ends there is nothing.

const constraints: Readonly<Record<string, Constraint>> = {
  C1: { rule: "there must be one input [n,c,…] of a float dtype", remedy: "reshape or cast it first" },
  C2: { rule: "size must be an odd whole number ≥ 1", remedy: "give how many channels a window has, such as 5" },
};

function check(inputs: readonly TensorType[], size: number, require: Require): TensorType {
  const [x] = inputs;
  const fits = inputs.length === 1 && isFloat(x.dtype) && x.shape.length >= 2;
  require(fits, "C1", () => formatTypes(inputs));
  require(Number.isInteger(size) && size >= 1 && size % 2 === 1, "C2", () => String(size));
  return x;
}

/** Calls `visit` for each element with the elements of its window: places in the tensor. */
function forEachChannelWindow(
  shape: Shape,
  size: number,
  visit: (place: number, window: readonly number[]) => void,
): void {
  const [samples, channels, ...rest] = shape;
  const area = elementCount(rest);
  const reach = (size - 1) / 2;
  for (let place = 0, count = samples * channels * area; place < count; place++) {
    const channel = Math.floor(place / area) % channels;
    const window: number[] = [];
    for (let by = -Math.min(reach, channel); by <= Math.min(reach, channels - 1 - channel); by++) {
      window.push(place + by * area);
    }
    visit(place, window);
  }
}

const cost =
  (perElement: (size: number) => number) =>
  ([x]: readonly TensorType[], [y]: readonly TensorType[], { size }: { readonly size: number }): Cost => ({
    flops: perElement(size) * elementCount(x.shape),
    bytes: bytesOf(x) + bytesOf(y),
  });

/** Sums over neighbouring channels. */
export const channelWindowSum = defineOperator({
  name: "channelWindowSum",
  summary: "for [n,c,…]: each channel replaced by the sum of the `size` channels around it",
  constraints,
  attributes: { size: { kind: "number" } },
  inferTypes: (inputs, { size }, require) => [check(inputs, size, require)],
  compute([x], [y], { size }) {
    forEachChannelWindow(x.shape, size, (place, window) => {
      y.data[place] = window.reduce((sum, other) => sum + x.data[other], 0);
    });
  },
  // Each channel is in the windows of those that are in its window.
  gradient: ({ builder, attributes: { size }, outputGradients }) => [
    builder.apply("channelWindowSum", [outputGradients[0] as Value], { size }),
  ],
  cost: cost((size) => size),
  inPlace: [],
});

/** Each element over a power of what lies around it in neighbouring channels. */
export const localResponseNorm = defineOperator({
  name: "localResponseNorm",
  summary: "for [n,c,…]: x over (bias + alpha · Σ x² over the `size` channels around it) to the power beta",
  constraints: {
    ...constraints,
    C3: {
      rule: "bias must be > 0, alpha ≥ 0, and both and beta finite",
      remedy: "try { size: 5, bias: 2, alpha: 1e-4, beta: 0.75 }",
    },
  },
  attributes: {
    size: { kind: "number", default: 5 },
    bias: { kind: "number", default: 2 },
    alpha: { kind: "number", default: 1e-4 },
    beta: { kind: "number", default: 0.75 },
  },
  inferTypes(inputs, { size, bias, alpha, beta }, require) {
    const x = check(inputs, size, require);
    const finite = [bias, alpha, beta].every(Number.isFinite);
    require(finite && bias > 0 && alpha >= 0, "C3", () => `bias ${bias}, alpha ${alpha}, beta ${beta}`);
    return [x];
  },
  compute([x], [y], { size, bias, alpha, beta }) {
    forEachChannelWindow(x.shape, size, (place, window) => {
      const energy = window.reduce((sum, other) => sum + x.data[other] ** 2, 0);
      y.data[place] = x.data[place] / (bias + alpha * energy) ** beta;
    });
  },
  gradient({ builder, inputs: [x], attributes: { size, bias, alpha, beta }, outputGradients }) {
    // With s = bias + alpha · Σ x²: dx = g · s^−β − 2αβ · x · Σ (g · x · s^(−β−1)).
    const g = outputGradients[0] as Value;
    const times = (a: Value, b: Value): Value => builder.apply("multiply", [a, b]);
    const scaled = (a: Value, factor: number): Value => builder.apply("scale", [a], { factor });
    const around = (a: Value): Value => builder.apply("channelWindowSum", [a], { size });
    const start = builder.apply("full", [], { shape: [], dtype: x.type.dtype, value: bias });
    const s = builder.apply("add", [scaled(around(builder.apply("square", [x])), alpha), start]);
    const weighted = times(g, builder.apply("power", [s], { exponent: -beta }));
    const shared = around(builder.apply("divide", [times(weighted, x), s]));
    return [builder.apply("subtract", [weighted, scaled(times(x, shared), 2 * alpha * beta)])];
  },
  cost: cost((size) => 2 * size + 4),
  inPlace: [],
});
