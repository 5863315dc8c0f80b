import type { Value } from "../../../ir/index.ts";
import type { Shape } from "../../../tensor/index.ts";
import { wholeConstant } from "../constant.ts";
import type { NodeContext } from "../node-context.ts";
import { constantOperand } from "../operand.ts";
import { axesOf } from "./rule.ts";

/** Elements `start`, `start + step` … of an axis, as Python counts them. */
export function pieceOf(
  extent: number,
  start: number,
  end: number,
  step: number,
): { readonly start: number; readonly size: number } {
  const clamp = (place: number, low: number, high: number): number =>
    Math.min(Math.max(place < 0 ? place + extent : place, low), high);
  const [low, high] = step > 0 ? [0, extent] : [-1, extent - 1];
  const from = clamp(start, low, high);
  return { start: from, size: Math.max(0, Math.ceil((clamp(end, low, high) - from) / step)) };
}

/** Elements of one axis at a distance of `step`. */
export function everyStep(
  node: NodeContext,
  value: Value,
  axis: number,
  { start, size, step }: { readonly start: number; readonly size: number; readonly step: number },
): Value {
  const rows = Array.from({ length: size }, (_, index) => start + index * step);
  return gatherRows(node, value, axis, rowsOf(node, rows, [size], `${node.node.outputs[0]}.rows${axis}`));
}

export function rowsOf(node: NodeContext, rows: readonly number[], shape: Shape, name: string): Value {
  return node.asValue(constantOperand(wholeConstant(shape, rows), name));
}

/** The elements of an axis from behind. */
export function reversed(node: NodeContext, value: Value, axis: number): Value {
  const size = value.type.shape[axis];
  return everyStep(node, value, axis, { start: size - 1, size, step: -1 });
}

/** `rows` of an axis; they take its place in the shape. */
export function gatherRows(node: NodeContext, value: Value, axis: number, rows: Value): Value {
  const rank = value.type.shape.length;
  const front = [axis, ...axesOf(rank).filter((other) => other !== axis)];
  const found = node.apply("gather", [node.transpose(value, front), rows]);
  const width = rows.type.shape.length;
  const order = [
    ...axesOf(axis).map((other) => other + width),
    ...axesOf(width),
    ...axesOf(rank - axis - 1).map((other) => other + width + axis),
  ];
  return node.transpose(found, order);
}
