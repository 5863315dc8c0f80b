import { BlockLayout } from "../../graph/index.ts";
import type { Operation } from "../../ir/index.ts";
import { rowMajorStrides, type Shape } from "../../tensor/index.ts";
import { castPlaced } from "../casting.ts";
import type { Lowering } from "../lowering.ts";
import { moveBlocks } from "../movement.ts";
import { wholeRule } from "./whole.ts";

/** A rule for an operator whose elements are elements of its operand. */
function movementRule(
  sourceOf: (operation: Operation) => (position: number) => number,
): (lowering: Lowering, operation: Operation) => void {
  return (lowering, operation) => {
    const [x] = operation.inputs;
    const [y] = operation.outputs;
    const layout = lowering.layoutFor(y.type.shape);
    moveBlocks(lowering, lowering.get(x), layout, sourceOf(operation), lowering.addResult(y, layout));
  };
}

/** Positions along axes of a tensor of a shape, from a row-major position, taken together with other strides. */
function stridedSource(shape: Shape, steps: readonly number[], offset = 0): (position: number) => number {
  const strides = rowMajorStrides(shape);
  return (position) => {
    let from = offset;
    for (let axis = 0; axis < shape.length; axis++) {
      from += (Math.floor(position / strides[axis]) % shape[axis]) * steps[axis];
    }
    return from;
  };
}

/** The same elements under another shape: the same blocks if they lie so, else vertices that rearrange them. */
export function reshapeRule(lowering: Lowering, { inputs: [x], outputs: [y] }: Operation): void {
  // A tensor of no axis is single where others are half.
  const from = castPlaced(lowering, lowering.get(x), lowering.typeOf(y));
  const layout = lowering.layoutFor(y.type.shape);
  if (from.layout.sameStorage(layout)) lowering.define(y, { variable: from.variable, layout });
  else moveBlocks(lowering, from, layout, (position) => position, lowering.addResult(y, layout));
}

export const transposeRule = movementRule(({ inputs: [x], outputs: [y], attributes }) => {
  const strides = rowMajorStrides(x.type.shape);
  return stridedSource(
    y.type.shape,
    (attributes.permutation as readonly number[]).map((axis) => strides[axis]),
  );
});

export const broadcastElements = movementRule(({ inputs: [x], outputs: [y], attributes }) => {
  const strides = rowMajorStrides(x.type.shape);
  const axes = attributes.axes as readonly number[];
  return stridedSource(
    y.type.shape,
    y.type.shape.map((_, axis) => (axes.includes(axis) ? strides[axes.indexOf(axis)] : 0)),
  );
});

export const sliceRule = movementRule(({ inputs: [x], outputs: [y], attributes }) => {
  const strides = rowMajorStrides(x.type.shape);
  const offset = strides.reduce(
    (sum, stride, axis) => sum + stride * (attributes.starts as readonly number[])[axis],
    0,
  );
  return stridedSource(y.type.shape, strides, offset);
});

const padWithZeros = movementRule(({ inputs: [x], outputs: [y], attributes }) => {
  const inner = x.type.shape;
  const before = attributes.before as readonly number[];
  const strides = rowMajorStrides(y.type.shape);
  const steps = rowMajorStrides(inner);
  return (position) => {
    let from = 0;
    for (let axis = 0; axis < inner.length; axis++) {
      const place = (Math.floor(position / strides[axis]) % y.type.shape[axis]) - before[axis];
      if (place < 0 || place >= inner[axis]) return -1;
      from += place * steps[axis];
    }
    return from;
  };
});

/** A margin of zeros is made of nothing; one of another number takes a vertex that knows it. */
export function padRule(lowering: Lowering, operation: Operation): void {
  if (operation.attributes.value === 0) padWithZeros(lowering, operation);
  else wholeRule(lowering, operation);
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

/**
 * Tensors one after the other: blocks of the result are as short along the axis as it takes for each to come from one
 * operand, and each operand moves into its own.
 */
export function concatRule(lowering: Lowering, { inputs, outputs: [y], attributes }: Operation): void {
  const axis = attributes.axis as number;
  const { shape } = y.type;
  const usual = lowering.layoutFor(shape).block;
  const extents = inputs.map(({ type }) => type.shape[axis]);
  const common = extents.reduce(greatestCommonDivisor);
  let extent = Math.min(common, usual[axis]);
  while (common % extent !== 0) extent--;
  const layout = new BlockLayout(shape, usual.with(axis, extent));
  const result = lowering.addResult(y, layout);
  const strides = rowMajorStrides(shape);
  let start = 0;
  for (const [index, x] of inputs.entries()) {
    const end = start + extents[index];
    const steps = rowMajorStrides(x.type.shape);
    const first = start;
    const source = (position: number): number => {
      let from = 0;
      for (let other = 0; other < shape.length; other++) {
        const place = Math.floor(position / strides[other]) % shape[other];
        from += (other === axis ? place - first : place) * steps[other];
      }
      return from;
    };
    const own: number[] = [];
    for (let block = 0; block < layout.count; block++) {
      const [begin] = layout.intervalOf(block, axis);
      if (begin >= start && begin < end) own.push(block);
    }
    if (own.length > 0) moveBlocks(lowering, lowering.get(x), layout, source, result, own);
    start = end;
  }
}

/** Each piece is made of what lies in it. */
export function splitRule(lowering: Lowering, { inputs: [x], outputs, attributes }: Operation): void {
  const axis = attributes.axis as number;
  const strides = rowMajorStrides(x.type.shape);
  for (const [part, y] of outputs.entries()) {
    const layout = lowering.layoutFor(y.type.shape);
    const source = stridedSource(y.type.shape, strides, part * y.type.shape[axis] * strides[axis]);
    moveBlocks(lowering, lowering.get(x), layout, source, lowering.addResult(y, layout));
  }
}
