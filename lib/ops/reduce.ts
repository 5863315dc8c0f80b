import { defineOperator, type Require, type Value } from "../ir/index.ts";
import {
  bytesOf,
  elementCount,
  formatShape,
  formatType,
  isFloat,
  rowMajorStrides,
  type Shape,
  type TensorType,
} from "../tensor/index.ts";

/** For every element of a tensor, the position of the element of the reduced tensor to which it belongs. */
function forEachReduced(
  shape: Shape,
  axes: readonly number[],
  visit: (position: number, target: number) => void,
): void {
  const keptAxes = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const keptStrides = rowMajorStrides(keptAxes.map((axis) => shape[axis]));
  const steps = shape.map((_, axis) => (axes.includes(axis) ? 0 : keptStrides[keptAxes.indexOf(axis)]));
  const strides = rowMajorStrides(shape);
  for (let position = 0, count = elementCount(shape); position < count; position++) {
    let target = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      target += (Math.floor(position / strides[axis]) % shape[axis]) * steps[axis];
    }
    visit(position, target);
  }
}

const axesConstraints = {
  C1: { rule: "there must be one input of a float dtype", remedy: "cast it to float32 first" },
  C2: { rule: "axes must be different axes of the input", remedy: "count axes from 0" },
};

function checkAxes(inputs: readonly TensorType[], axes: readonly number[], require: Require): void {
  require(inputs.length === 1 && isFloat(inputs[0].dtype), "C1", () => inputs.map(formatType).join(", ") || "none");
  const rank = inputs[0].shape.length;
  const inside = axes.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < rank);
  require(inside && new Set(axes).size === axes.length, "C2", () =>
    `axes ${formatShape(axes)} of ${formatType(inputs[0])}`);
}

const without = (shape: Shape, axes: readonly number[]): Shape => shape.filter((_, axis) => !axes.includes(axis));

/** Sums over some axes, which then are gone. */
export const sum = defineOperator({
  name: "sum",
  summary: "the sum over `axes`, which are dropped",
  constraints: axesConstraints,
  attributes: { axes: { kind: "numbers" } },
  inferTypes(inputs, { axes }, require) {
    checkAxes(inputs, axes, require);
    return [{ dtype: inputs[0].dtype, shape: without(inputs[0].shape, axes) }];
  },
  compute([x], [y], { axes }) {
    // Sums are kept in double precision: the oracle should be the more exact side of a comparison.
    const sums = new Float64Array(y.data.length);
    forEachReduced(x.shape, axes, (position, target) => {
      sums[target] += x.data[position];
    });
    y.data.set(sums);
  },
  gradient({ builder, inputs: [x], attributes: { axes }, outputGradients }) {
    const kept = x.type.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
    return [builder.apply("broadcast", [outputGradients[0] as Value], { shape: x.type.shape, axes: kept })];
  },
  cost: ([x], [y]) => ({ flops: elementCount(x.shape), bytes: bytesOf(x) + bytesOf(y) }),
  inPlace: [],
});

/** Averages over some axes, which then are gone. */
export const mean = defineOperator({
  name: "mean",
  summary: "the mean over `axes`, which are dropped",
  constraints: {
    ...axesConstraints,
    C3: { rule: "there must be something to average", remedy: "give axes whose extents are at least 1" },
  },
  attributes: { axes: { kind: "numbers" } },
  inferTypes(inputs, { axes }, require) {
    checkAxes(inputs, axes, require);
    const [{ dtype, shape }] = inputs;
    require(averaged(shape, axes) > 0, "C3", () => `axes ${formatShape(axes)} of ${formatType(inputs[0])}`);
    return [{ dtype, shape: without(shape, axes) }];
  },
  compute([x], [y], { axes }) {
    const sums = new Float64Array(y.data.length);
    forEachReduced(x.shape, axes, (position, target) => {
      sums[target] += x.data[position];
    });
    const count = averaged(x.shape, axes);
    for (let i = 0; i < sums.length; i++) y.data[i] = sums[i] / count;
  },
  gradient({ builder, inputs: [x], attributes: { axes }, outputGradients }) {
    const kept = x.type.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
    const factor = 1 / averaged(x.type.shape, axes);
    const share = builder.apply("scale", [outputGradients[0] as Value], { factor });
    return [builder.apply("broadcast", [share], { shape: x.type.shape, axes: kept })];
  },
  cost: ([x], [y]) => ({ flops: elementCount(x.shape) + elementCount(y.shape), bytes: bytesOf(x) + bytesOf(y) }),
  inPlace: [],
});

/** How many elements go into each mean. */
const averaged = (shape: Shape, axes: readonly number[]): number => elementCount(axes.map((axis) => shape[axis]));

/** The largest element over some axes, which then are gone. */
export const max = defineOperator({
  name: "max",
  summary: "the largest element over `axes`, which are dropped",
  constraints: axesConstraints,
  attributes: { axes: { kind: "numbers" } },
  inferTypes(inputs, { axes }, require) {
    checkAxes(inputs, axes, require);
    return [{ dtype: inputs[0].dtype, shape: without(inputs[0].shape, axes) }];
  },
  compute([x], [y], { axes }) {
    y.data.fill(Number.NEGATIVE_INFINITY);
    forEachReduced(x.shape, axes, (position, target) => {
      y.data[target] = Math.max(y.data[target], x.data[position]);
    });
  },
  gradient: null,
  cost: ([x], [y]) => ({ flops: elementCount(x.shape), bytes: bytesOf(x) + bytesOf(y) }),
  inPlace: [],
});

/** The index of the largest element along the last axis; the first one where several are equal. */
export const argmax = defineOperator({
  name: "argmax",
  summary: "the index of the largest element along the last axis, the first where several are equal",
  constraints: {
    C1: { rule: "there must be one input of a float dtype and rank ≥ 1", remedy: "cast or reshape it first" },
    C2: { rule: "the last axis must not be empty", remedy: "give at least one class" },
  },
  attributes: {},
  inferTypes(inputs, _, require) {
    const [x] = inputs;
    require(inputs.length === 1 && isFloat(x.dtype) && x.shape.length >= 1, "C1", () =>
      inputs.map(formatType).join(", ") || "none");
    require(x.shape[x.shape.length - 1] > 0, "C2", () => formatType(x));
    return [{ dtype: "int32", shape: x.shape.slice(0, -1) }];
  },
  compute([x], [y]) {
    const length = x.shape[x.shape.length - 1];
    for (let row = 0; row < y.data.length; row++) {
      let best = 0;
      for (let i = 1; i < length; i++) if (x.data[row * length + i] > x.data[row * length + best]) best = i;
      y.data[row] = best;
    }
  },
  gradient: null,
  cost: ([x], [y]) => ({ flops: elementCount(x.shape), bytes: bytesOf(x) + bytesOf(y) }),
  inPlace: [],
});
