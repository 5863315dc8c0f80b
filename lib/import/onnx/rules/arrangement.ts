import type { Value } from "../../../ir/index.ts";
import { elementCount, formatShape, type Shape } from "../../../tensor/index.ts";
import type { NodeContext } from "../node-context.ts";
import { constantOperand, type Operand, shapeOf, valueOperand } from "../operand.ts";
import { everyStep, pieceOf } from "./along-axis.ts";
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
  const given = node.wholes(1, node.wholeList("axes", null));
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
  const given = node.wholes(1, node.wholeList("axes", []));
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

function split(node: NodeContext): readonly Operand[] {
  const x = node.value(0);
  const { shape } = x.type;
  const axis = node.axis(node.whole("axis", 0), shape.length);
  const parts = node.whole("num_outputs", node.node.outputs.length);
  if (!(parts >= 1 && parts <= mostPieces)) node.fail(`parts must be from 1 to ${mostPieces}`, String(parts));
  const each = Math.ceil(shape[axis] / parts);
  const even = axesOf(parts).map((part) => Math.min(each, Math.max(0, shape[axis] - part * each)));
  const sizes = node.wholes(1, node.wholeList("split", even));
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

/** Rules of operators that arrange elements. */
export const arrangementRules: Readonly<Record<string, Rule>> = {
  Concat: concat,
  Expand: givesValue(expand),
  Flatten: flatten,
  Reshape: reshape,
  Slice: slice,
  Split: split,
  Squeeze: squeeze,
  Tile: givesValue(tile),
  Transpose: givesValue(transpose),
  Unsqueeze: unsqueeze,
};
