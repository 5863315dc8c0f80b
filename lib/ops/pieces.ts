import { type Cost, defineOperator, type Value } from "../ir/index.ts";
import {
  bytesOf,
  elementCount,
  encodeElement,
  formatShape,
  formatType,
  formatTypes,
  rowMajorStrides,
  type Shape,
  type TensorType,
} from "../tensor/index.ts";

/** Bytes that are read and written: of a slice only the part that is taken. */
const moves = (outputs: readonly TensorType[]): Cost => ({
  flops: 0,
  bytes: 2 * outputs.reduce((sum, type) => sum + bytesOf(type), 0),
});

const isWhole = (value: number): boolean => Number.isInteger(value) && value >= 0;

/** For every element of a block, its place there and its place in the tensor in which the block begins at `starts`. */
function forEachInBlock(
  block: Shape,
  whole: Shape,
  starts: readonly number[],
  visit: (inside: number, outside: number) => void,
): void {
  const steps = rowMajorStrides(whole);
  const strides = rowMajorStrides(block);
  for (let inside = 0, count = elementCount(block); inside < count; inside++) {
    let outside = 0;
    for (let axis = 0; axis < block.length; axis++) {
      outside += ((Math.floor(inside / strides[axis]) % block[axis]) + starts[axis]) * steps[axis];
    }
    visit(inside, outside);
  }
}

/** A block of a tensor. */
export const slice = defineOperator({
  name: "slice",
  summary: "the block of extents `sizes` that begins at `starts`",
  constraints: {
    C1: { rule: "there must be one input", remedy: "give the tensor to cut" },
    C2: { rule: "starts and sizes must be whole numbers ≥ 0, one per axis", remedy: "give both for every axis" },
    C3: { rule: "the block must lie inside the tensor", remedy: "begin earlier or take less" },
  },
  attributes: { starts: { kind: "numbers" }, sizes: { kind: "numbers" } },
  inferTypes(inputs, { starts, sizes }, require) {
    require(inputs.length === 1, "C1", () => String(inputs.length));
    const [{ shape, dtype }] = inputs;
    const got = (): string => `${formatShape(sizes)} at ${formatShape(starts)} of ${formatType(inputs[0])}`;
    const complete = starts.length === shape.length && sizes.length === shape.length;
    require(complete && starts.every(isWhole) && sizes.every(isWhole), "C2", got);
    require(shape.every((extent, axis) => starts[axis] + sizes[axis] <= extent), "C3", got);
    return [{ dtype, shape: sizes }];
  },
  compute([x], [y], { starts }) {
    forEachInBlock(y.shape, x.shape, starts, (inside, outside) => {
      y.data[inside] = x.data[outside];
    });
  },
  gradient({ builder, inputs: [x], attributes: { starts, sizes }, outputGradients }) {
    const after = x.type.shape.map((extent, axis) => extent - starts[axis] - sizes[axis]);
    return [builder.apply("pad", [outputGradients[0] as Value], { before: starts, after })];
  },
  cost: (_, outputs) => moves(outputs),
  inPlace: [],
});

/** A tensor with a margin of one number. */
export const pad = defineOperator({
  name: "pad",
  summary: "the input with `before` elements of `value` put before it along each axis, and `after` behind",
  constraints: {
    C1: { rule: "there must be one input", remedy: "give the tensor to pad" },
    C2: { rule: "before and after must be whole numbers ≥ 0, one per axis", remedy: "give 0 where nothing is added" },
  },
  attributes: {
    before: { kind: "numbers" },
    after: { kind: "numbers" },
    value: { kind: "number", default: 0 },
  },
  inferTypes(inputs, { before, after }, require) {
    require(inputs.length === 1, "C1", () => String(inputs.length));
    const [{ shape, dtype }] = inputs;
    const complete = before.length === shape.length && after.length === shape.length;
    require(complete && before.every(isWhole) && after.every(isWhole), "C2", () =>
      `${formatShape(before)} and ${formatShape(after)} for ${formatType(inputs[0])}`);
    return [{ dtype, shape: shape.map((extent, axis) => before[axis] + extent + after[axis]) }];
  },
  compute([x], [y], { before, value }) {
    y.data.fill(encodeElement(y.dtype, value));
    forEachInBlock(x.shape, y.shape, before, (inside, outside) => {
      y.data[outside] = x.data[inside];
    });
  },
  gradient: ({ builder, inputs: [x], attributes: { before }, outputGradients }) => [
    builder.apply("slice", [outputGradients[0] as Value], { starts: before, sizes: x.type.shape }),
  ],
  cost: ([x], [y]) => ({ flops: 0, bytes: bytesOf(x) + bytesOf(y) }),
  inPlace: [],
});

/** Tensors one after the other. */
export const concat = defineOperator({
  name: "concat",
  summary: "the inputs one after the other along `axis`",
  constraints: {
    C1: { rule: "there must be at least one input, all of one dtype", remedy: "cast those that differ" },
    C2: { rule: "axis must be one of the inputs' axes", remedy: "count axes from 0" },
    C3: { rule: "all other extents must be equal", remedy: "pad or slice those that differ" },
  },
  attributes: { axis: { kind: "number" } },
  inferTypes(inputs, { axis }, require) {
    const got = (): string => formatTypes(inputs);
    require(inputs.length >= 1 && inputs.every(({ dtype }) => dtype === inputs[0].dtype), "C1", got);
    const [{ shape, dtype }] = inputs;
    require(Number.isInteger(axis) && axis >= 0 && axis < shape.length, "C2", () => `${axis} for ${got()}`);
    const fits = (other: Shape): boolean =>
      other.length === shape.length && shape.every((extent, index) => index === axis || extent === other[index]);
    require(inputs.every((input) => fits(input.shape)), "C3", () => `${got()} (axis ${axis})`);
    const total = inputs.reduce((sum, input) => sum + input.shape[axis], 0);
    return [{ dtype, shape: shape.map((extent, index) => (index === axis ? total : extent)) }];
  },
  compute(inputs, [y], { axis }) {
    for (const [index, start] of startsAlong(inputs, axis).entries()) {
      const x = inputs[index];
      const starts = y.shape.map((_, other) => (other === axis ? start : 0));
      forEachInBlock(x.shape, y.shape, starts, (inside, outside) => {
        y.data[outside] = x.data[inside];
      });
    }
  },
  gradient({ builder, inputs, attributes: { axis }, outputGradients, wanted }) {
    const starts = startsAlong(
      inputs.map((input) => input.type),
      axis,
    );
    return inputs.map(({ type: { shape } }, index) =>
      wanted[index]
        ? builder.apply("slice", [outputGradients[0] as Value], {
            starts: shape.map((_, other) => (other === axis ? starts[index] : 0)),
            sizes: shape,
          })
        : null,
    );
  },
  cost: (_, outputs) => moves(outputs),
  inPlace: [],
});

/** Where each of some tensors begins when they are laid one after the other along an axis. */
export function startsAlong(types: readonly { readonly shape: Shape }[], axis: number): readonly number[] {
  let next = 0;
  return types.map(({ shape }) => {
    const start = next;
    next += shape[axis];
    return start;
  });
}
