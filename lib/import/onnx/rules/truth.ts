import type { Value } from "../../../ir/index.ts";
import { elementCount, formatShape, type Shape } from "../../../tensor/index.ts";
import type { Constant } from "../constant.ts";
import { broadcastShape, type NodeContext } from "../node-context.ts";
import { type Operand, valueOperand } from "../operand.ts";
import { asFloats } from "./as-floats.ts";
import { combine, isPlain } from "./elementwise.ts";
import { axesOf, mostElements, type Rule } from "./rule.ts";

// Truth values of data are 1 and 0 in the graph's floats, since there are no others; what follows from shapes alone, such
// as the mask of a fixed length, is computed while the graph is built.

/** An element for every place of a shape to which a constant is repeated. */
function elementAt({ shape, data }: Constant, whole: Shape): (place: number) => number {
  const offset = whole.length - shape.length;
  const strides = whole.map((_, axis) => {
    const own = axis - offset;
    return own >= 0 && shape[own] !== 1 ? elementCount(shape.slice(own + 1)) : 0;
  });
  return (place) => {
    let index = 0;
    let rest = place;
    for (let axis = whole.length - 1; axis >= 0; axis--) {
      index += (rest % whole[axis]) * strides[axis];
      rest = Math.floor(rest / whole[axis]);
    }
    return data[index];
  };
}

/** What constants make element by element, repeated to one shape; null if one of them is data or a weight. */
export function fold(node: NodeContext, count: number, compute: (...elements: number[]) => number): Constant | null {
  const constants: Constant[] = [];
  for (let index = 0; index < count; index++) {
    const operand = node.operand(index);
    if (!isPlain(operand)) return null;
    constants.push(operand.constant);
  }
  const shape = broadcastShape(constants.map((constant) => constant.shape));
  if (shape === null) {
    return node.fail(
      "shapes must be alike or 1",
      constants.map((constant) => formatShape(constant.shape)).join(" and "),
    );
  }
  const total = elementCount(shape);
  if (total > mostElements) node.fail(`there must be at most ${mostElements} elements`, formatShape(shape));
  const elements = constants.map((constant) => elementAt(constant, shape));
  const data = Float64Array.from({ length: total }, (_, place) => compute(...elements.map((at) => at(place))));
  return { shape, real: false, data };
}

function truths(
  count: number,
  known: (...elements: number[]) => boolean,
  data: (node: NodeContext, values: readonly Value[]) => Value,
): Rule {
  return (node) => {
    const constant = fold(node, count, (...elements) => Number(known(...elements)));
    if (constant !== null) return node.known(constant);
    const values = Array.from({ length: count }, (_, index) => asFloats(node, node.value(index)));
    return [valueOperand(data(node, values))];
  };
}

const atLeast = (node: NodeContext, a: Value, b: Value): Value => combine(node, "greaterOrEqual", a, b);
const not = (node: NodeContext, a: Value): Value => node.apply("subtract", [node.number(1), a]);

/** The elements of one where a truth value holds, of the other elsewhere: what is not taken may be NaN. */
function where(node: NodeContext): readonly Operand[] {
  const constants = fold(node, 3, (condition, yes, no) => (condition !== 0 ? yes : no));
  const sides = [node.operand(1), node.operand(2)];
  if (constants !== null) {
    const real = sides.some((side) => side.kind === "constant" && side.constant.real);
    return node.known({ ...constants, real });
  }
  const [yes, no] = [asFloats(node, node.value(1)), asFloats(node, node.value(2))];
  // The gradient of relu lets its first operand through where the second is positive, and is 0 elsewhere.
  const holds = node.apply("subtract", [asFloats(node, node.value(0)), node.number(0.5)]);
  const taken = combine(node, "reluGradient", yes, holds);
  return [valueOperand(combine(node, "add", taken, combine(node, "reluGradient", no, node.apply("negate", [holds]))))];
}

/** What lies on one side of a diagonal of the last two axes. */
function triangle(node: NodeContext): readonly Operand[] {
  const shape = node.shape(0);
  const [rows, columns] = shape.slice(-2);
  const upper = node.whole("upper", 1) !== 0;
  const diagonal = node.scalar(1, 0);
  const kept = (place: number): boolean => {
    const beyond = (place % columns) - (Math.floor(place / columns) % rows);
    return upper ? beyond >= diagonal : beyond <= diagonal;
  };
  const operand = node.operand(0);
  if (isPlain(operand)) {
    const { data } = operand.constant;
    return node.known({ ...operand.constant, data: Float64Array.from(data, (x, place) => (kept(place) ? x : 0)) });
  }
  const mask = Float64Array.from({ length: rows * columns }, (_, place) => Number(kept(place)));
  const value = asFloats(node, node.value(0));
  const factors = node.asValue(
    { kind: "constant", constant: { shape: [rows, columns], real: true, data: mask }, initializer: null },
    9,
  );
  return [valueOperand(combine(node, "multiply", value, factors))];
}

/** Where what is known is not 0: an index a row, by axes. */
function nonZero(node: NodeContext): readonly Operand[] {
  const { shape, data } = node.constant(0);
  const places = axesOf(data.length).filter((place) => data[place] !== 0);
  const rows = shape.map((extent, axis) => {
    const stride = elementCount(shape.slice(axis + 1));
    return places.map((place) => Math.floor(place / stride) % extent);
  });
  return node.known({ shape: [shape.length, places.length], real: false, data: Float64Array.from(rows.flat()) });
}

/** 1 where x is infinite, on the sides that are asked about. */
function isInfinite(node: NodeContext): readonly Operand[] {
  const x = asFloats(node, node.value(0));
  const [up, down] = [node.whole("detect_positive", 1) !== 0, node.whole("detect_negative", 1) !== 0];
  const side = (bound: number): Value => {
    const limit = node.number(bound);
    return bound > 0 ? atLeast(node, x, limit) : atLeast(node, limit, x);
  };
  const sides = [...(up ? [side(Number.POSITIVE_INFINITY)] : []), ...(down ? [side(Number.NEGATIVE_INFINITY)] : [])];
  const [first = node.number(0, x.type.shape), second] = sides;
  return [valueOperand(second === undefined ? first : node.apply("add", [first, second]))];
}

/** Rules of comparisons, and of what is made of truth values. */
export const truthRules: Readonly<Record<string, Rule>> = {
  And: truths(
    2,
    (a, b) => a !== 0 && b !== 0,
    (node, [a, b]) => combine(node, "multiply", a, b),
  ),
  Equal: truths(
    2,
    (a, b) => a === b,
    (node, [a, b]) => node.apply("multiply", [atLeast(node, a, b), atLeast(node, b, a)]),
  ),
  Greater: truths(
    2,
    (a, b) => a > b,
    (node, [a, b]) => not(node, atLeast(node, b, a)),
  ),
  GreaterOrEqual: truths(
    2,
    (a, b) => a >= b,
    (node, [a, b]) => atLeast(node, a, b),
  ),
  IsInf: isInfinite,
  IsNaN: truths(1, Number.isNaN, (node, [a]) => not(node, atLeast(node, a, a))),
  Less: truths(
    2,
    (a, b) => a < b,
    (node, [a, b]) => not(node, atLeast(node, a, b)),
  ),
  LessOrEqual: truths(
    2,
    (a, b) => a <= b,
    (node, [a, b]) => atLeast(node, b, a),
  ),
  NonZero: nonZero,
  Not: truths(
    1,
    (a) => a === 0,
    (node, [a]) => not(node, a),
  ),
  Or: truths(
    2,
    (a, b) => a !== 0 || b !== 0,
    (node, [a, b]) => combine(node, "maximum", a, b),
  ),
  Trilu: triangle,
  Where: where,
  Xor: truths(
    2,
    (a, b) => (a !== 0) !== (b !== 0),
    (node, [a, b]) => node.apply("abs", [combine(node, "subtract", a, b)]),
  ),
};
