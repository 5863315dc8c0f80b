import type { Value } from "../../../ir/index.ts";
import type { NodeContext } from "../node-context.ts";
import { type Operand, valueOperand } from "../operand.ts";
import { asFloats } from "./as-floats.ts";
import { combine, mapped } from "./elementwise.ts";
import type { Rule } from "./rule.ts";
import { fold } from "./truth.ts";

// Whole numbers next to real ones, by way of int32, whose casts cut towards 0. Floats from 2²³ on are whole already.

const largestFraction = 2 ** 23;

/** What casting there and back leaves of x: its part up to 2²³ cut towards 0, and what lies beyond as it is. */
function cutTowardsZero(
  node: NodeContext,
  x: Value,
): { readonly bounded: Value; readonly cut: Value; readonly beyond: Value } {
  const bounded = node.apply("clip", [x], { low: -largestFraction, high: largestFraction });
  const cut = asFloats(node, node.apply("cast", [bounded], { dtype: "int32" }));
  // 0, but what is infinite or NaN stays so.
  const beyond = node.apply("subtract", [x, bounded]);
  return { bounded, cut, beyond };
}

function truncated(node: NodeContext, x: Value): Value {
  const { cut, beyond } = cutTowardsZero(node, x);
  return node.apply("add", [cut, beyond]);
}

function floor(node: NodeContext, x: Value): Value {
  const { bounded, cut, beyond } = cutTowardsZero(node, x);
  const above = node.apply("subtract", [node.number(1), node.apply("greaterOrEqual", [bounded, cut])]);
  return node.apply("add", [node.apply("subtract", [cut, above]), beyond]);
}

function ceil(node: NodeContext, x: Value): Value {
  return node.apply("negate", [floor(node, node.apply("negate", [x]))]);
}

/** The nearest whole number; of two the even one. */
function round(node: NodeContext, x: Value): Value {
  const below = floor(node, x);
  const fraction = node.apply("subtract", [x, below]);
  const half = node.number(0.5);
  const atLeast = node.apply("greaterOrEqual", [fraction, half]);
  const tie = node.apply("multiply", [atLeast, node.apply("greaterOrEqual", [half, fraction])]);
  const pairs = floor(node, node.apply("scale", [below], { factor: 0.5 }));
  const odd = node.apply("subtract", [below, node.apply("scale", [pairs], { factor: 2 })]);
  // Up from a half on, but at a half only from an odd number.
  const even = node.apply("subtract", [node.number(1), odd]);
  const stays = node.apply("multiply", [tie, even]);
  return node.apply("add", [below, node.apply("subtract", [atLeast, stays])]);
}

function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const fraction = x - below;
  return fraction > 0.5 || (fraction === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

const onFloats =
  (make: (node: NodeContext, x: Value) => Value) =>
  (node: NodeContext): Value =>
    make(node, node.value(0));

/** What is left of a division: with the sign of the divisor, or with that of the dividend for `fmod`. */
function remainder(node: NodeContext): readonly Operand[] {
  const ofDividend = node.whole("fmod", 0) !== 0;
  const known = fold(node, 2, (x, y) => (ofDividend ? x % y : x - y * Math.floor(x / y)));
  if (known !== null) return node.known(known);
  const [a, b] = [node.value(0), node.value(1)];
  const [x, y] = [asFloats(node, a), asFloats(node, b)];
  const apply = (operator: string, ...values: readonly Value[]): Value => combine(node, operator, values[0], values[1]);
  const whole = truncated(node, apply("divide", x, y));
  // Of an infinite divisor nothing goes into a finite number, though 0 times it is NaN: the gradient of relu leaves it out.
  const taken = apply("reluGradient", apply("multiply", whole, y), node.apply("abs", [whole]));
  // 0, but NaN where the quotient is infinite or NaN.
  const defined = apply("subtract", whole, whole);
  let rest = apply("add", apply("subtract", x, taken), defined);
  if (!ofDividend) {
    const against = node.apply("negate", [apply("multiply", node.apply("sign", [rest]), node.apply("sign", [y]))]);
    rest = apply("add", rest, apply("reluGradient", y, against));
  }
  return [valueOperand(x === a ? rest : node.apply("cast", [rest], { dtype: "int32" }))];
}

/** Rules of operators that make whole numbers of real ones. */
export const roundingRules: Readonly<Record<string, Rule>> = {
  Ceil: mapped(Math.ceil, onFloats(ceil)),
  Floor: mapped(Math.floor, onFloats(floor)),
  Mod: remainder,
  Round: mapped(roundHalfEven, onFloats(round)),
};
