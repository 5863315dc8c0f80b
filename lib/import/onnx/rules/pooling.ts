import type { Value } from "../../../ir/index.ts";
import { elementCount, formatShape } from "../../../tensor/index.ts";
import type { NodeContext } from "../node-context.ts";
import { constantOperand, type Operand, valueOperand } from "../operand.ts";
import { gatherRows, rowsOf } from "./along-axis.ts";
import { asFloats } from "./as-floats.ts";
import { givesValue, mostElements, type Rule } from "./rule.ts";
import { changed, type NodeWindow, overRow, pictures, reachOf, unflatten, windowOf, withMargin } from "./windows.ts";

/** What is made of the windows over planes [n,c,h,w]. */
type PoolPlanes = (planes: Value, window: NodeWindow) => Value;

/**
 * Pools the axes behind the first two. The largest of a box is the largest of the largest of its slices, and so with
 * means: planes of the last two axes are pooled first, then each axis before them.
 */
function poolAxes(node: NodeContext, x: Value, pool: PoolPlanes): Value {
  const [samples, channels, ...extents] = x.type.shape;
  const kernel = node.wholeList("kernel_shape", null) ?? node.fail("kernel_shape must be given", "none");
  if (extents.length === 0) node.fail("data must have axes behind its channels", formatShape(x.type.shape));
  const whole = windowOf(node, extents, kernel);
  const along = (...axes: readonly number[]): NodeWindow =>
    changed(whole, (values) => axes.map((axis) => values[axis]));
  const last = extents.length - 1;
  let value = x;
  const turn = (planes: readonly [number, number], outer: readonly number[], window: NodeWindow): readonly number[] => {
    const cut = node.reshape(value, [samples, channels * elementCount(outer), ...planes]);
    value = pool(cut, window);
    return value.type.shape.slice(2);
  };
  if (last === 0) extents[0] = turn([1, extents[0]], [], overRow(along(0)))[1];
  else {
    const [rows, columns] = turn([extents[last - 1], extents[last]], extents.slice(0, -2), along(last - 1, last));
    extents.splice(last - 1, 2, rows, columns);
  }
  for (let axis = last - 2; axis >= 0; axis--) {
    const inner = elementCount(extents.slice(axis + 1));
    // What lies behind the axis is not pooled.
    const window = changed(along(axis), (values, filler) => [...values, filler]);
    extents[axis] = turn([extents[axis], inner], extents.slice(0, axis), window)[0];
  }
  return node.reshape(value, [samples, channels, ...extents]);
}

/** Windows with gaps, laid side by side: then they have none, and none overlaps another. */
function sideBySide(
  node: NodeContext,
  x: Value,
  window: NodeWindow,
  margin: number,
): { readonly x: Value; readonly window: NodeWindow } {
  const { kernel, stride, dilation, before, after } = window;
  if (dilation.every((gap) => gap === 1)) return { x, window };
  const none = [0, 0];
  const padded = [...before, ...after].some((size) => size > 0)
    ? node.apply("pad", [x], { before: [0, 0, ...before], after: [0, 0, ...after], value: margin })
    : x;
  const reach = reachOf(window);
  const laid = [0, 1].reduce((value, axis) => {
    const windows = Math.floor((padded.type.shape[axis + 2] - reach[axis]) / stride[axis]) + 1;
    const size = windows * kernel[axis];
    if (!(windows >= 1 && size <= mostElements)) node.fail("windows must fit", formatShape(padded.type.shape));
    const places = Array.from(
      { length: size },
      (_, place) => Math.floor(place / kernel[axis]) * stride[axis] + (place % kernel[axis]) * dilation[axis],
    );
    const name = `${node.node.outputs[0]}.${value.type.shape.join("x")}.windows${axis}`;
    return gatherRows(node, value, axis + 2, rowsOf(node, places, [size], name));
  }, padded);
  return { x: laid, window: { kernel, stride: kernel, dilation: [1, 1], before: none, after: none, beyond: none } };
}

const half = (kernel: readonly number[]): readonly number[] => kernel.map((extent) => Math.floor(extent / 2));

/** The largest of each window and, where it is asked for, its index in the whole tensor. */
function maxPool(node: NodeContext): readonly Operand[] {
  const given = node.value(0);
  const x = asFloats(node, given);
  const typed = (y: Value): Operand =>
    valueOperand(given === x ? y : node.apply("cast", [y], { dtype: given.type.dtype }));
  if (node.wanted(1))
    return indexed(node, x).map((value, output) => (output === 0 ? typed(value) : valueOperand(value)));
  const largest = poolAxes(node, x, (planes, gapped) => {
    const { x: data, window } = sideBySide(node, planes, gapped, Number.NEGATIVE_INFINITY);
    const { kernel, stride } = window;
    const { x: padded, padding } = withMargin(node, data, window, Number.NEGATIVE_INFINITY, half(kernel));
    return node.builder.applyAll("maxPool2d", [padded], { kernel, stride, padding })[0];
  });
  return [typed(largest)];
}

/** Largest elements of pictures or sequences with their indices, which are counted in floats: halves are exact below 2²³. */
function indexed(node: NodeContext, data: Value): readonly Value[] {
  const { x, flat } = pictures(node, data);
  const [samples, channels, rows, columns] = x.type.shape;
  const given = node.wholeList("kernel_shape", null) ?? node.fail("kernel_shape must be given", "none");
  const extents = [rows, columns];
  const window = flat ? overRow(windowOf(node, extents.slice(1), given)) : windowOf(node, extents, given);
  const { kernel, stride, dilation, before, after } = window;
  const even = before.every((margin, axis) => margin === after[axis] && 2 * margin <= kernel[axis]);
  if (!even || dilation.some((gap) => gap !== 1)) {
    node.fail(
      "a maximum's index needs margins that are alike on both sides, at most half a window, and no dilation",
      `pads ${formatShape([...before, ...after])}, dilations ${formatShape(dilation)}`,
    );
  }
  if (elementCount(x.type.shape) > 2 ** 23)
    node.fail(`there must be at most ${2 ** 23} elements`, formatShape(x.type.shape));
  const [largest, place] = node.builder.applyAll("maxPool2d", [x], { kernel, stride, padding: before });
  let inPlane = asFloats(node, place);
  if (node.whole("storage_order", 0) !== 0) {
    // Columns first: (row, column) of the place, the row being how often the columns go into it.
    const middle = node.apply("add", [inPlane, node.number(0.5)]);
    const quotient = node.apply("cast", [node.apply("divide", [middle, node.number(columns)])], { dtype: "int32" });
    const row = asFloats(node, quotient);
    const column = node.apply("subtract", [inPlane, node.apply("scale", [row], { factor: columns })]);
    inPlane = node.apply("add", [node.apply("scale", [column], { factor: rows }), row]);
  }
  const planes = samples * channels;
  const shape = place.type.shape;
  const starts = Float64Array.from({ length: planes }, (_, plane) => plane * rows * columns);
  const first = node.asValue(constantOperand({ shape: [planes], real: true, data: starts }), 9);
  const cut = node.reshape(inPlane, [planes, shape[2] * shape[3]]);
  const index = node.reshape(node.apply("addBias", [cut, first], { axis: 0 }), shape);
  return [largest, node.apply("cast", [index], { dtype: "int32" })].map((value) => unflatten(node, value, flat));
}

/** The mean of each window: of what the data has there, or of the margin's zeros as well. */
function averagePool(node: NodeContext): Value {
  const counted = node.whole("count_include_pad", 0) !== 0;
  const mean = (planes: Value, gapped: NodeWindow): Value => {
    const { x: data, window } = sideBySide(node, planes, gapped, 0);
    const { kernel, stride } = window;
    const { x: padded, padding } = withMargin(node, data, window, 0, half(kernel));
    return node.apply("averagePool2d", [padded], { kernel, stride, padding });
  };
  return poolAxes(node, node.value(0), (planes, window) => {
    const { before, after, beyond } = window;
    const made = mean(planes, window);
    const uncounted = counted ? beyond : before.map((margin, axis) => margin + after[axis]);
    if (uncounted.every((margin) => margin === 0)) return made;
    // Zeros that do not count have been divided by as well; how much does count, pooling ones tells.
    const extents = planes.type.shape.slice(2);
    const inside = counted
      ? extents.map((extent, axis) => extent + before[axis] + after[axis] - beyond[axis])
      : extents;
    const share = mean(
      node.number(1, [1, 1, ...inside]),
      counted ? { ...window, before: [0, 0], after: beyond } : window,
    );
    return node.apply("divide", [made, node.expand(share, made.type.shape)]);
  });
}

/** Rules of the operators that pool windows, over any number of axes. */
export const poolingRules: Readonly<Record<string, Rule>> = {
  AveragePool: givesValue(averagePool),
  MaxPool: maxPool,
};
