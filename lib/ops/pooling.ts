import { type Constraint, defineOperator, type Require, type Value } from "../ir/index.ts";
import { bytesOf, elementCount, formatShape, formatTypes, isFloat, type TensorType } from "../tensor/index.ts";
import { forEachInWindow, isWindow, type Window, windowAttributes, windowConstraint, windowsOver } from "./window.ts";

const attributes = { ...windowAttributes, kernel: { kind: "numbers" } } as const;

interface Settings {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
}

const constraints: Readonly<Record<string, Constraint>> = {
  C1: { rule: "there must be pictures [n,c,h,w] of a float dtype", remedy: "reshape or cast them" },
  C2: windowConstraint,
  C3: {
    rule: "padding must be at most half of the kernel, so that no window lies outside",
    remedy: "pad less",
  },
  C4: {
    rule: "the window must fit into the padded pictures, and maps must have the extents that it makes",
    remedy: "use a smaller kernel or more padding, or correct the extents",
  },
};

/** What a maximum without a place has for its index: of windows that hold NaN, or nothing but −∞. */
export const noIndex = 0x7fffffff;

const windowOf = (settings: Settings): Window => ({
  kernel: settings.kernel,
  stride: settings.stride,
  padding: settings.padding,
  dilation: [1, 1],
});

const isPictures = ({ dtype, shape }: TensorType): boolean => isFloat(dtype) && shape.length === 4;

/** Checks the windows and returns the shape of the maps that they make of pictures of a shape. */
function mapsOf(shape: readonly number[], settings: Settings, require: Require, got: string): readonly number[] {
  const { kernel, stride, padding } = settings;
  const window = windowOf(settings);
  const all = (): string =>
    `${got}, kernel ${formatShape(kernel)}, stride ${formatShape(stride)}, padding ${formatShape(padding)}`;
  require(isWindow(window), "C2", all);
  require(padding.every((margin, axis) => 2 * margin <= kernel[axis]), "C3", all);
  const [samples, channels, ...size] = shape;
  const made = windowsOver(size, window);
  require(size.length === 2 && made.every((extent) => extent >= 1), "C4", all);
  return [samples, channels, ...made];
}

/** Calls `visit` for each window: its place among the maps, and where the plane begins in which it lies. */
function forEachWindow(
  pictures: readonly number[],
  maps: readonly number[],
  visit: (map: number, plane: number, at: readonly [number, number]) => void,
): void {
  const [rows, columns] = maps.slice(2);
  const area = pictures[2] * pictures[3];
  for (let map = 0, count = elementCount(maps); map < count; map++) {
    const plane = Math.floor(map / (rows * columns));
    visit(map, plane * area, [Math.floor(map / columns) % rows, map % columns]);
  }
}

/** The largest element of each window, and where it stands. */
export const maxPool2d = defineOperator({
  name: "maxPool2d",
  summary:
    "for pictures [n,c,h,w]: the largest element of each window, and its index in the plane, the first where several are equal",
  constraints,
  attributes,
  inferTypes(inputs, settings, require) {
    const got = formatTypes(inputs);
    require(inputs.length === 1 && isPictures(inputs[0]), "C1", () => got);
    const shape = mapsOf(inputs[0].shape, settings, require, got);
    return [
      { dtype: inputs[0].dtype, shape },
      { dtype: "int32", shape },
    ];
  },
  compute([x], [y, index], settings) {
    const size = x.shape.slice(2);
    const window = windowOf(settings);
    forEachWindow(x.shape, y.shape, (map, plane, at) => {
      let largest = Number.NEGATIVE_INFINITY;
      let place = noIndex;
      forEachInWindow(at, size, window, (inPlane) => {
        const value = x.data[plane + inPlane];
        if (value > largest) place = inPlane;
        largest = Math.max(largest, value);
      });
      y.data[map] = largest;
      index.data[map] = Number.isNaN(largest) ? noIndex : place;
    });
  },
  gradient({ builder, inputs: [x], outputs: [, index], attributes, outputGradients }) {
    const [toValues] = outputGradients;
    if (toValues === null) throw new Error(`internal: maxPool2d has no gradient to pass to ${x.id}`);
    const { kernel, stride, padding } = attributes;
    const size = x.type.shape.slice(2);
    return [builder.apply("maxPool2dGradient", [toValues, index], { kernel, stride, padding, size })];
  },
  cost: ([x], [y, index], { kernel }) => ({
    flops: elementCount(y.shape) * elementCount(kernel),
    bytes: bytesOf(x) + bytesOf(y) + bytesOf(index),
  }),
  inPlace: [],
});

/** The gradient through max pooling: each element's goes to where the maximum was found. */
export const maxPool2dGradient = defineOperator({
  name: "maxPool2dGradient",
  summary: "for g [n,c,…] and the indices that maxPool2d gave: pictures [n,c,size] with each g added at its index",
  constraints: {
    ...constraints,
    C1: {
      rule: "there must be g [n,c,h,w] of a float dtype, and int32 indices of its shape",
      remedy: "give maxPool2d's",
    },
  },
  attributes: { ...attributes, size: { kind: "numbers" } },
  inferTypes(inputs, settings, require) {
    const got = formatTypes(inputs);
    const [g, index] = inputs;
    const indexed = inputs.length === 2 && index.dtype === "int32" && formatShape(index.shape) === formatShape(g.shape);
    require(indexed && isPictures(g), "C1", () => got);
    return [{ dtype: g.dtype, shape: picturesFor(g, settings, require, got) }];
  },
  compute([g, index], [x]) {
    const sums = new Float64Array(x.data.length);
    forEachWindow(x.shape, g.shape, (map, plane) => {
      if (index.data[map] !== noIndex) sums[plane + index.data[map]] += g.data[map];
    });
    x.data.set(sums);
  },
  gradient: ({ builder, inputs: [, index], attributes: { kernel, stride, padding }, outputGradients }) => [
    builder.apply("maxPool2dTake", [outputGradients[0] as Value, index], { kernel, stride, padding }),
    null,
  ],
  cost: ([g, index], [x]) => ({ flops: elementCount(g.shape), bytes: bytesOf(g) + bytesOf(index) + bytesOf(x) }),
  inPlace: [],
});

/** What other pictures have where the largest elements stood: max pooling with its choice already made. */
export const maxPool2dTake = defineOperator({
  name: "maxPool2dTake",
  summary:
    "for pictures [n,c,h,w] and the indices that maxPool2d gave for others: the element of each window at its index",
  constraints: {
    ...constraints,
    C1: {
      rule: "there must be pictures [n,c,h,w] of a float dtype, and int32 indices [n,c,…]",
      remedy: "give maxPool2d's",
    },
  },
  attributes,
  inferTypes(inputs, settings, require) {
    const got = formatTypes(inputs);
    const [x, index] = inputs;
    require(inputs.length === 2 && isPictures(x) && index.dtype === "int32" && index.shape.length === 4, "C1", () =>
      got);
    const shape = mapsOf(x.shape, settings, require, got);
    require(formatShape(shape) === formatShape(index.shape), "C4", () => `${got}, windows ${formatShape(shape)}`);
    return [{ dtype: x.dtype, shape }];
  },
  compute([x, index], [y]) {
    forEachWindow(x.shape, y.shape, (map, plane) => {
      y.data[map] = index.data[map] === noIndex ? 0 : x.data[plane + index.data[map]];
    });
  },
  gradient({ builder, inputs: [x, index], attributes: { kernel, stride, padding }, outputGradients }) {
    const size = x.type.shape.slice(2);
    const g = outputGradients[0] as Value;
    return [builder.apply("maxPool2dGradient", [g, index], { kernel, stride, padding, size }), null];
  },
  cost: ([, index], [y]) => ({ flops: 0, bytes: bytesOf(index) + 2 * bytesOf(y) }),
  inPlace: [],
});

/** The mean of each window. */
export const averagePool2d = defineOperator({
  name: "averagePool2d",
  summary: "for pictures [n,c,h,w]: the mean of each window, in which the margin counts as zeros",
  constraints,
  attributes,
  inferTypes(inputs, settings, require) {
    const got = formatTypes(inputs);
    require(inputs.length === 1 && isPictures(inputs[0]), "C1", () => got);
    return [{ dtype: inputs[0].dtype, shape: mapsOf(inputs[0].shape, settings, require, got) }];
  },
  compute([x], [y], settings) {
    const size = x.shape.slice(2);
    const window = windowOf(settings);
    const share = 1 / elementCount(settings.kernel);
    forEachWindow(x.shape, y.shape, (map, plane, at) => {
      let sum = 0;
      forEachInWindow(at, size, window, (inPlane) => {
        sum += x.data[plane + inPlane];
      });
      y.data[map] = sum * share;
    });
  },
  gradient({ builder, inputs: [x], attributes: { kernel, stride, padding }, outputGradients }) {
    const size = x.type.shape.slice(2);
    const g = outputGradients[0] as Value;
    return [builder.apply("averagePool2dGradient", [g], { kernel, stride, padding, size })];
  },
  cost: ([x], [y], { kernel }) => ({
    flops: elementCount(y.shape) * elementCount(kernel),
    bytes: bytesOf(x) + bytesOf(y),
  }),
  inPlace: [],
});

/** The gradient through average pooling: each element's is shared out evenly over its window. */
export const averagePool2dGradient = defineOperator({
  name: "averagePool2dGradient",
  summary: "for g [n,c,…]: pictures [n,c,size] with each g shared out evenly over its window",
  constraints,
  attributes: { ...attributes, size: { kind: "numbers" } },
  inferTypes(inputs, settings, require) {
    const got = formatTypes(inputs);
    require(inputs.length === 1 && isPictures(inputs[0]), "C1", () => got);
    return [{ dtype: inputs[0].dtype, shape: picturesFor(inputs[0], settings, require, got) }];
  },
  compute([g], [x], settings) {
    const sums = new Float64Array(x.data.length);
    const window = windowOf(settings);
    const share = 1 / elementCount(settings.kernel);
    forEachWindow(x.shape, g.shape, (map, plane, at) => {
      forEachInWindow(at, settings.size, window, (inPlane) => {
        sums[plane + inPlane] += g.data[map] * share;
      });
    });
    x.data.set(sums);
  },
  gradient: ({ builder, attributes: { kernel, stride, padding }, outputGradients }) => [
    builder.apply("averagePool2d", [outputGradients[0] as Value], { kernel, stride, padding }),
  ],
  cost: ([g], [x], { kernel }) => ({
    flops: elementCount(g.shape) * elementCount(kernel),
    bytes: bytesOf(g) + bytesOf(x),
  }),
  inPlace: [],
});

/** The shape of the pictures of which windows make maps of g's shape. */
function picturesFor(
  g: TensorType,
  settings: Settings & { readonly size: readonly number[] },
  require: Require,
  got: string,
): readonly number[] {
  const shape = [...g.shape.slice(0, 2), ...settings.size];
  const made = mapsOf(shape, settings, require, got);
  require(formatShape(made) === formatShape(g.shape), "C4", () => `${got}, windows ${formatShape(made)}`);
  return shape;
}
