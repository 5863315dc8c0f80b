import { type Cost, defineOperator, type Operator, type Value } from "../ir/index.ts";
import {
  bytesOf,
  type Dtype,
  dtypes,
  elementCount,
  encodeElement,
  formatShape,
  formatType,
  rowMajorStrides,
  type TensorType,
} from "../tensor/index.ts";

const moves = (inputs: readonly TensorType[], outputs: readonly TensorType[]): Cost => ({
  flops: 0,
  bytes: [...inputs, ...outputs].reduce((sum, type) => sum + bytesOf(type), 0),
});

/** The same elements in the same order under another shape. */
export const reshape = defineOperator({
  name: "reshape",
  summary: "the same elements in the same order under another shape",
  constraints: {
    C1: { rule: "there must be one input", remedy: "give the tensor to reshape" },
    C2: {
      rule: "the number of elements must stay",
      remedy: "choose a shape whose extents multiply to the same number",
    },
  },
  attributes: { shape: { kind: "numbers" } },
  inferTypes(inputs, { shape }, require) {
    require(inputs.length === 1, "C1", () => String(inputs.length));
    const whole = shape.every((extent) => Number.isInteger(extent) && extent >= 0);
    const same = elementCount(inputs[0].shape) === elementCount(shape);
    require(whole && same, "C2", () => `${formatType(inputs[0])} to ${formatShape(shape)}`);
    return [{ dtype: inputs[0].dtype, shape }];
  },
  compute([x], [y]) {
    y.data.set(x.data as never);
  },
  gradient: ({ builder, inputs: [x], outputGradients }) => [
    builder.apply("reshape", [outputGradients[0] as Value], { shape: x.type.shape }),
  ],
  cost: moves,
  inPlace: "view",
});

/** The axes in another order. */
export const transpose = defineOperator({
  name: "transpose",
  summary: "the axes in another order: axis i of the output is axis `permutation[i]` of the input",
  constraints: {
    C1: { rule: "there must be one input", remedy: "give the tensor to transpose" },
    C2: { rule: "permutation must name every axis once", remedy: "give the axes 0 … rank − 1 in the new order" },
  },
  attributes: { permutation: { kind: "numbers" } },
  inferTypes(inputs, { permutation }, require) {
    require(inputs.length === 1, "C1", () => String(inputs.length));
    const { shape, dtype } = inputs[0];
    const complete = permutation.length === shape.length && shape.every((_, axis) => permutation.includes(axis));
    require(complete, "C2", () => `${formatShape(permutation)} for ${formatType(inputs[0])}`);
    return [{ dtype, shape: permutation.map((axis) => shape[axis]) }];
  },
  compute([x], [y], { permutation }) {
    const steps = rowMajorStrides(x.shape);
    copyStrided(
      x.data,
      y,
      permutation.map((axis) => steps[axis]),
    );
  },
  gradient: ({ builder, attributes: { permutation }, outputGradients }) => [
    builder.apply("transpose", [outputGradients[0] as Value], {
      permutation: permutation.map((_, axis) => permutation.indexOf(axis)),
    }),
  ],
  cost: moves,
  inPlace: [],
});

/** Repeats a tensor along new axes. */
export const broadcast = defineOperator({
  name: "broadcast",
  summary: "the input repeated to `shape`: its axis i becomes axis `axes[i]` of the output",
  constraints: {
    C1: { rule: "there must be one input", remedy: "give the tensor to repeat" },
    C2: { rule: "axes must name one rising axis of the output per axis of the input", remedy: "transpose it first" },
    C3: { rule: "extents of the named axes must be equal", remedy: "only whole new axes can be added" },
  },
  attributes: { shape: { kind: "numbers" }, axes: { kind: "numbers" } },
  inferTypes(inputs, { shape, axes }, require) {
    require(inputs.length === 1, "C1", () => String(inputs.length));
    const [x] = inputs;
    const rising = axes.every((axis, index) => axis < shape.length && axis > (axes[index - 1] ?? -1));
    require(rising && axes.length === x.shape.length, "C2", () => `axes ${formatShape(axes)} for ${formatType(x)}`);
    const equal = axes.every((axis, index) => shape[axis] === x.shape[index]);
    require(equal, "C3", () => `${formatType(x)} to ${formatShape(shape)} at axes ${formatShape(axes)}`);
    return [{ dtype: x.dtype, shape }];
  },
  compute([x], [y], { axes }) {
    const strides = rowMajorStrides(x.shape);
    copyStrided(
      x.data,
      y,
      y.shape.map((_, axis) => (axes.includes(axis) ? strides[axes.indexOf(axis)] : 0)),
    );
  },
  gradient({ builder, attributes: { shape, axes }, outputGradients }) {
    const added = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
    return [builder.apply("sum", [outputGradients[0] as Value], { axes: added })];
  },
  cost: moves,
  inPlace: [],
});

/** What operators say of types and elements that give their one input as it is. */
const unchanged: Pick<Operator, "inferTypes" | "compute"> = {
  inferTypes(inputs, _, require) {
    require(inputs.length === 1, "C1", () => String(inputs.length));
    return [inputs[0]];
  },
  compute([x], [y]) {
    y.data.set(x.data as never);
  },
};

/** The same elements at another place. */
export const copy = defineOperator({
  name: "copy",
  summary: "the input, at a place of its own",
  constraints: { C1: { rule: "there must be one input", remedy: "give the tensor to copy" } },
  attributes: {},
  ...unchanged,
  gradient: ({ outputGradients }) => [outputGradients[0]],
  cost: moves,
  inPlace: [],
});

/** The same elements, through which no gradient goes: what is before counts as constant. */
export const stopGradient = defineOperator({
  name: "stopGradient",
  summary: "x itself, which gradients take for a constant",
  constraints: { C1: { rule: "there must be one input", remedy: "give the tensor to hold fixed" } },
  attributes: {},
  ...unchanged,
  gradient: () => [null],
  cost: () => ({ flops: 0, bytes: 0 }),
  inPlace: "view",
});

/** One number everywhere. */
export const full = defineOperator({
  name: "full",
  summary: "a tensor in which every element is `value`",
  constraints: {
    C1: { rule: "there must be no input", remedy: "give shape, dtype and value as attributes" },
    C2: { rule: "extents must be whole numbers ≥ 0", remedy: "give sizes as integers" },
  },
  attributes: {
    shape: { kind: "numbers" },
    dtype: { kind: "choice", choices: dtypes },
    value: { kind: "number" },
  },
  inferTypes(inputs, { shape, dtype }, require) {
    require(inputs.length === 0, "C1", () => String(inputs.length));
    require(shape.every((extent) => Number.isInteger(extent) && extent >= 0), "C2", () => formatShape(shape));
    return [{ dtype: dtype as Dtype, shape }];
  },
  compute(_, [y], { value }) {
    y.data.fill(encodeElement(y.dtype, value));
  },
  gradient: () => [],
  cost: moves,
  inPlace: [],
});

function copyStrided(
  source: ArrayLike<number>,
  target: { shape: readonly number[]; data: { [index: number]: number; length: number } },
  steps: readonly number[],
): void {
  const strides = rowMajorStrides(target.shape);
  for (let position = 0; position < target.data.length; position++) {
    let from = 0;
    for (let axis = 0; axis < target.shape.length; axis++) {
      from += (Math.floor(position / strides[axis]) % target.shape[axis]) * steps[axis];
    }
    target.data[position] = source[from];
  }
}
