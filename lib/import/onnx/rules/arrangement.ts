import type { Value } from "../../../ir/index.ts";
import { elementCount, formatShape, type Shape } from "../../../tensor/index.ts";
import { type Constant, isReal, wholeConstant } from "../constant.ts";
import type { NodeContext } from "../node-context.ts";
import { constantOperand, type Operand, shapeOf, valueOperand } from "../operand.ts";
import { asFloats } from "./as-floats.ts";
import { isPlain } from "./elementwise.ts";
import { axesOf, givesValue, mostPieces, type Rule } from "./rule.ts";

/** A constant under another shape, or a value. Weights stay what they are only as values. */
function reshaped(node: NodeContext, operand: Operand, shape: Shape): Operand {
  if (isPlain(operand)) {
    if (elementCount(shape) !== operand.constant.data.length) {
      node.fail(
        "reshaping must keep the number of elements",
        `${formatShape(operand.constant.shape)} to ${formatShape(shape)}`,
      );
    }
    return constantOperand({ ...operand.constant, shape });
  }
  return valueOperand(node.reshape(node.asValue(operand), shape));
}

function reshape(node: NodeContext): readonly Operand[] {
  const operand = node.operand(0);
  const from = shapeOf(operand);
  const asked = node.wholes(1, []);
  const keepZero = node.whole("allowzero", 0) === 0;
  const target = asked.map((extent, axis) => (extent === 0 && keepZero ? (from[axis] ?? 0) : extent));
  const { actual, declared } = node.batch;
  const count = elementCount(from);
  const known = elementCount(target.filter((extent) => extent !== -1));
  // A file for a fixed batch has that batch in its shapes; a model takes any.
  const other = declared !== null && declared !== actual && target[0] === declared && from[0] !== declared;
  if (
    other &&
    (target.includes(-1) ? count % ((known / declared) * actual) === 0 : known * actual === count * declared)
  ) {
    target[0] = actual;
  }
  const free = target.indexOf(-1);
  if (free >= 0) {
    const rest = elementCount(target.filter((_, axis) => axis !== free));
    target[free] = rest === 0 ? 0 : count / rest;
  }
  if (!target.every((extent) => Number.isInteger(extent) && extent >= 0)) {
    node.fail("the shape must divide the elements", `${formatShape(from)} to ${formatShape(asked)}`);
  }
  return [reshaped(node, operand, target)];
}

function flatten(node: NodeContext): readonly Operand[] {
  const shape = node.shape(0);
  const given = node.whole("axis", 1);
  const axis = given === shape.length ? given : node.axis(given, shape.length);
  const cut = [elementCount(shape.slice(0, axis)), elementCount(shape.slice(axis))];
  return [reshaped(node, node.operand(0), cut)];
}

function squeeze(node: NodeContext): readonly Operand[] {
  const shape = node.shape(0);
  const given = node.wholes(1, null);
  const axes =
    given === null ? axesOf(shape.length).filter((axis) => shape[axis] === 1) : node.axes(given, shape.length);
  return [
    reshaped(
      node,
      node.operand(0),
      shape.filter((_, axis) => !axes.includes(axis)),
    ),
  ];
}

function unsqueeze(node: NodeContext): readonly Operand[] {
  const rest = [...node.shape(0)];
  const given = node.wholes(1, []);
  const axes = node.axes(given, rest.length + given.length);
  const target = axesOf(rest.length + given.length).map((axis) => (axes.includes(axis) ? 1 : (rest.shift() as number)));
  return [reshaped(node, node.operand(0), target)];
}

function transpose(node: NodeContext): Value {
  const x = node.value(0);
  return node.transpose(x, node.wholeList("perm", axesOf(x.type.shape.length).toReversed()));
}

function concat(node: NodeContext): readonly Operand[] {
  const operands = Array.from({ length: node.inputCount }, (_, index) => node.operand(index));
  const axis = node.axis(node.whole("axis", 0), node.shape(0).length);
  if (operands.every(isPlain) && operands.every(({ constant }) => constant.shape.length === 1)) {
    const data = operands.flatMap(({ constant }) => Array.from(constant.data));
    return node.known({ shape: [data.length], real: operands[0].constant.real, data: Float64Array.from(data) });
  }
  const values = operands.map((operand, index) => node.asValue(operand, index));
  return [valueOperand(values.length === 1 ? values[0] : node.apply("concat", values, { axis }))];
}

/** Elements `start`, `start + step` … of an axis, as Python counts them. */
function pieceOf(
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

function slice(node: NodeContext): readonly Operand[] {
  const operand = node.operand(0);
  const shape = shapeOf(operand);
  const [starts, ends] = [node.wholes(1, []), node.wholes(2, [])];
  const axes = node.axes(node.wholes(3, axesOf(starts.length)), shape.length);
  const steps = node.wholes(
    4,
    starts.map(() => 1),
  );
  if (ends.length !== starts.length || axes.length !== starts.length || steps.some((step) => step === 0)) {
    node.fail(
      "starts, ends, axes and steps must be as many, steps not 0",
      [starts, ends, axes, steps].map(formatShape).join(" "),
    );
  }
  const pieces = axesOf(shape.length).map((axis) => {
    const index = axes.indexOf(axis);
    if (index < 0) return { start: 0, size: shape[axis], step: 1 };
    return { ...pieceOf(shape[axis], starts[index], ends[index], steps[index]), step: steps[index] };
  });
  if (isPlain(operand) && shape.length === 1) {
    const [{ start, size, step }] = pieces;
    const data = Float64Array.from({ length: size }, (_, index) => operand.constant.data[start + index * step]);
    return node.known({ shape: [size], real: operand.constant.real, data });
  }
  let value = node.asValue(operand);
  for (const [axis, { start, size, step }] of pieces.entries()) {
    if (step === 1 || size === 0) continue;
    value = everyStep(node, value, axis, { start, size, step });
  }
  return [
    valueOperand(
      node.apply("slice", [value], {
        starts: pieces.map(({ start, step }) => (step === 1 ? start : 0)),
        sizes: pieces.map(({ size }) => size),
      }),
    ),
  ];
}

/** Elements of one axis at a distance of `step`. */
function everyStep(
  node: NodeContext,
  value: Value,
  axis: number,
  { start, size, step }: { readonly start: number; readonly size: number; readonly step: number },
): Value {
  const rows = Array.from({ length: size }, (_, index) => start + index * step);
  return gatherRows(node, value, axis, rowsOf(node, rows, [size], `${node.node.outputs[0]}.rows${axis}`));
}

function rowsOf(node: NodeContext, rows: readonly number[], shape: Shape, name: string): Value {
  return node.asValue(constantOperand(wholeConstant(shape, rows), name));
}

/** The elements of an axis from behind. */
export function reversed(node: NodeContext, value: Value, axis: number): Value {
  const size = value.type.shape[axis];
  return everyStep(node, value, axis, { start: size - 1, size, step: -1 });
}

/** `rows` of an axis; they take its place in the shape. */
function gatherRows(node: NodeContext, value: Value, axis: number, rows: Value): Value {
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

function split(node: NodeContext): readonly Operand[] {
  const x = node.value(0);
  const { shape } = x.type;
  const axis = node.axis(node.whole("axis", 0), shape.length);
  const parts = node.whole("num_outputs", node.node.outputs.length);
  if (!(parts >= 1 && parts <= mostPieces)) node.fail(`parts must be from 1 to ${mostPieces}`, String(parts));
  const each = Math.ceil(shape[axis] / parts);
  const sizes = node.wholes(
    1,
    axesOf(parts).map((part) => Math.min(each, Math.max(0, shape[axis] - part * each))),
  );
  if (sizes.reduce((sum, size) => sum + size, 0) !== shape[axis]) {
    node.fail(`parts must make the extent ${shape[axis]}`, formatShape(sizes));
  }
  if (sizes.length > 1 && sizes.every((size) => size === sizes[0])) {
    return node.builder.applyAll("split", [x], { axis, parts: sizes.length }).map(valueOperand);
  }
  let start = 0;
  return sizes.map((size) => {
    const starts = shape.map((_, other) => (other === axis ? start : 0));
    start += size;
    const block = shape.map((extent, other) => (other === axis ? size : extent));
    return valueOperand(node.apply("slice", [x], { starts, sizes: block }));
  });
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

function expand(node: NodeContext): Value {
  const x = node.value(0);
  const asked = node.wholes(1, []);
  const rank = Math.max(asked.length, x.type.shape.length);
  const target = axesOf(rank).map((axis) => {
    const own = x.type.shape[axis - rank + x.type.shape.length] ?? 1;
    const wanted = asked[axis - rank + asked.length] ?? 1;
    return wanted === 1 ? own : wanted;
  });
  return node.expand(x, target);
}

function tile(node: NodeContext): Value {
  return node.wholes(1, []).reduce((value, times, axis) => {
    if (times === 1) return value;
    if (!(times > 1 && times <= mostPieces)) node.fail(`repeats must be from 1 to ${mostPieces}`, String(times));
    return node.apply(
      "concat",
      Array.from({ length: times }, () => value),
      { axis },
    );
  }, node.value(0));
}

function cast(node: NodeContext): readonly Operand[] {
  const to = node.whole("to", 0);
  const real = isReal(to) ?? node.fail("the type must be one of numbers", `type ${to}`);
  const result = converted(node, node.operand(0), real, to === truthValues);
  const format = narrowTypes.get(to);
  if (format === undefined || result.kind === "constant") return [result];
  return [valueOperand(node.apply("roundTo", [result.value], { format }))];
}

function castLike(node: NodeContext): readonly Operand[] {
  const like = node.operand(1);
  const real = like.kind === "value" ? like.value.type.dtype !== "int32" : like.constant.real;
  return [converted(node, node.operand(0), real, false)];
}

/** TensorProto.DataType's numbers of formats with fewer bits than the graph's floats, to which data is rounded. */
const narrowTypes: ReadonlyMap<number, string> = new Map([
  [10, "float16"],
  [16, "bfloat16"],
]);

/** TensorProto.DataType's number for BOOL. */
const truthValues = 9;

/** An operand as real or whole numbers; what is narrower than the graph's floats, or wider, is computed in these. */
function converted(node: NodeContext, operand: Operand, real: boolean, truth: boolean): Operand {
  if (isPlain(operand)) {
    const { shape, data } = operand.constant;
    const convert = (element: number): number => (truth ? Number(element !== 0) : real ? element : Math.trunc(element));
    return constantOperand({ shape, real, data: Float64Array.from(data, convert) });
  }
  const value = node.asValue(operand);
  if (truth) {
    const x = asFloats(node, value);
    const zero = node.number(0);
    const isZero = node.apply("multiply", [
      node.apply("greaterOrEqual", [x, zero]),
      node.apply("greaterOrEqual", [zero, x]),
    ]);
    return valueOperand(node.apply("subtract", [node.number(1), isZero]));
  }
  if (real !== (value.type.dtype === "int32")) return valueOperand(value);
  return valueOperand(node.apply("cast", [value], { dtype: real ? node.dtype : "int32" }));
}

function shape(node: NodeContext): readonly Operand[] {
  const extents = node.shape(0);
  const start = node.whole("start", 0);
  const { start: from, size } = pieceOf(extents.length, start, node.whole("end", extents.length), 1);
  return node.known(wholeConstant([size], extents.slice(from, from + size)));
}

function constant(node: NodeContext): readonly Operand[] {
  const { attributes } = node.node;
  const tensor = node.tensor("value");
  if (tensor !== undefined) return node.known(tensor);
  const floats = attributes.get("value_floats")?.floats ?? [attributes.get("value_float")?.float];
  if (floats[0] !== undefined) {
    const flat = attributes.has("value_floats");
    return node.known({ shape: flat ? [floats.length] : [], real: true, data: Float64Array.from(floats as number[]) });
  }
  if (attributes.has("value_ints")) {
    const values = node.wholeList("value_ints", []);
    return node.known(wholeConstant([values.length], values));
  }
  if (attributes.has("value_int")) return node.known(wholeConstant([], [node.whole("value_int", 0)]));
  return node.fail("a constant must be of numbers", [...attributes.keys()].join(", ") || "none");
}

/** No constant that follows from extents needs more elements than this; a hostile file may ask for any number. */
const mostElements = 2 ** 24;

function constantOfShape(node: NodeContext): readonly Operand[] {
  const extents = node.wholes(0, []);
  const count = elementCount(extents);
  if (!(count <= mostElements)) node.fail(`there must be at most ${mostElements} elements`, formatShape(extents));
  const value = node.tensor("value") ?? { shape: [1], real: true, data: Float64Array.of(0) };
  const made: Constant = { shape: extents, real: value.real, data: new Float64Array(count).fill(value.data[0]) };
  return node.known(made);
}

function range(node: NodeContext): readonly Operand[] {
  const [start, limit, step] = [node.scalar(0, 0), node.scalar(1, 0), node.scalar(2, 1)];
  const count = Math.max(0, Math.ceil((limit - start) / step));
  if (!(count <= mostElements)) node.fail(`there must be at most ${mostElements} elements`, String(count));
  const data = Float64Array.from({ length: count }, (_, index) => start + index * step);
  return node.known({ shape: [count], real: node.constant(0).real, data });
}

const size: Rule = (node) => node.known(wholeConstant([], [elementCount(node.shape(0))]));

/** Torch writes weights that begin alike once, and an identity for each of the others, which is a weight of its own. */
function identity(node: NodeContext): readonly Operand[] {
  const operand = node.operand(0);
  if (operand.kind === "value" || operand.initializer === null) return [operand];
  return [constantOperand(operand.constant, node.node.outputs[0])];
}

/** Rules of operators that arrange elements, and of those that speak of shapes. */
export const arrangementRules: Readonly<Record<string, Rule>> = {
  Cast: cast,
  CastLike: castLike,
  Concat: concat,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Expand: givesValue(expand),
  Flatten: flatten,
  Gather: gather,
  Identity: identity,
  Pad: givesValue(pad),
  Range: range,
  Reshape: reshape,
  Shape: shape,
  Size: size,
  Slice: slice,
  Split: split,
  Squeeze: squeeze,
  Tile: givesValue(tile),
  Transpose: givesValue(transpose),
  Unsqueeze: unsqueeze,
};
