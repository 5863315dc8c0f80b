import type { Value } from "../../../ir/index.ts";
import { formatShape } from "../../../tensor/index.ts";
import type { NodeContext } from "../node-context.ts";
import { type Operand, shapeOf, valueOperand } from "../operand.ts";
import { gatherRows, rowsOf } from "./along-axis.ts";
import { asFloats } from "./as-floats.ts";
import { isPlain } from "./elementwise.ts";
import { axesOf, givesValue, mostElements, type Rule } from "./rule.ts";

/** Places that may be counted from the end, as int32 from 0 on; all are exact in float32. */
function fromFront(node: NodeContext, places: Value, extent: number): Value {
  if (extent > 2 ** 24) node.fail(`an axis must be at most ${2 ** 24} long to be asked for by data`, String(extent));
  const real = asFloats(node, places);
  const negative = node.apply("greaterOrEqual", [node.number(-1), real]);
  const counted = node.apply("add", [real, node.apply("scale", [negative], { factor: extent })]);
  return node.apply("cast", [counted], { dtype: "int32" });
}

function gather(node: NodeContext): readonly Operand[] {
  const table = node.operand(0);
  const shape = shapeOf(table);
  const axis = node.axis(node.whole("axis", 0), shape.length);
  const rows = node.operand(1);
  if (rows.kind === "value") {
    const places = fromFront(node, rows.value, shape[axis]);
    return [valueOperand(gatherRows(node, node.asValue(table), axis, places))];
  }
  const places = Array.from(rows.constant.data, (place) => (place < 0 ? place + shape[axis] : place));
  const outside = places.find((place) => !(place >= 0 && place < shape[axis]));
  if (outside !== undefined) node.fail(`indices must be below ${shape[axis]}`, String(outside));
  if (isPlain(table) && shape.length === 1) {
    const data = Float64Array.from(places, (place) => table.constant.data[place]);
    return node.known({ shape: rows.constant.shape, real: table.constant.real, data });
  }
  const value = node.asValue(table);
  if (places.length === 1) {
    const starts = shape.map((_, other) => (other === axis ? places[0] : 0));
    const sizes = shape.map((extent, other) => (other === axis ? 1 : extent));
    const target = [...shape.slice(0, axis), ...rows.constant.shape, ...shape.slice(axis + 1)];
    return [valueOperand(node.reshape(node.apply("slice", [value], { starts, sizes }), target))];
  }
  return [
    valueOperand(
      gatherRows(node, value, axis, rowsOf(node, places, rows.constant.shape, `${node.node.outputs[0]}.rows`)),
    ),
  ];
}
/** Which element stands at a place before or behind an axis, for each way of filling margins from the data. */
const filled: Readonly<Record<string, (place: number, extent: number) => number>> = {
  edge: (place, extent) => Math.min(Math.max(place, 0), extent - 1),
  reflect(place, extent) {
    const period = Math.max(1, 2 * (extent - 1));
    const folded = ((place % period) + period) % period;
    return Math.min(folded, period - folded);
  },
  wrap: (place, extent) => ((place % extent) + extent) % extent,
};

function pad(node: NodeContext): Value {
  const x = node.value(0);
  const { shape } = x.type;
  const rank = shape.length;
  const mode = node.text("mode", "constant");
  const pads = node.wholes(1, []);
  const axes = node.axes(node.wholes(3, axesOf(rank)), rank);
  if (pads.length !== 2 * axes.length) node.fail("pads must be two per axis", formatShape(pads));
  const margin = (offset: number): readonly number[] =>
    axesOf(rank).map((axis) => (axes.includes(axis) ? pads[axes.indexOf(axis) + offset] : 0));
  const [before, after] = [margin(0), margin(axes.length)];
  if (mode !== "constant") {
    if (!Object.hasOwn(filled, mode)) node.fail("mode must be constant, edge, reflect or wrap", `"${mode}"`);
    const padded = axesOf(rank).reduce(
      (value, axis) => {
        const size = shape[axis] + before[axis] + after[axis];
        if (before[axis] === 0 && after[axis] === 0) return value;
        if (!(size >= 0 && size <= mostElements) || shape[axis] === 0) node.fail("margins must fit", formatShape(pads));
        const rows = Array.from({ length: size }, (_, place) => filled[mode](place - before[axis], shape[axis]));
        return gatherRows(node, value, axis, rowsOf(node, rows, [size], `${node.node.outputs[0]}.rows${axis}`));
      },
      asFloats(node, x),
    );
    return x.type.dtype === "int32" ? node.apply("cast", [padded], { dtype: "int32" }) : padded;
  }
  // A negative margin cuts.
  const starts = before.map((size) => Math.max(0, -size));
  const sizes = shape.map((extent, axis) => extent - starts[axis] - Math.max(0, -after[axis]));
  const cut = starts.some((start) => start > 0) || after.some((size) => size < 0);
  const inner = cut ? node.apply("slice", [x], { starts, sizes }) : x;
  const grown = (values: readonly number[]): readonly number[] => values.map((size) => Math.max(0, size));
  if ([...before, ...after].every((size) => size <= 0)) return inner;
  return node.apply("pad", [inner], { before: grown(before), after: grown(after), value: node.scalar(2, 0) });
}
/** Rules of operators that take elements by their places. */
export const gatherRules: Readonly<Record<string, Rule>> = {
  Gather: gather,
  Pad: givesValue(pad),
};
