import type { Affine, Axis } from "./affine.ts";
import type { Buffer } from "./buffer.ts";

/** float32 numbers, int32 numbers, or truth values as all-ones and all-zeros words. */
type ScalarType = "float" | "int" | "mask";

/** Functions of one number. `nearest` rounds halves to even; `toInt` cuts and saturates; `bits` reinterpret. */
export type UnaryFunction =
  | "negate"
  | "absolute"
  | "squareRoot"
  | "nearest"
  | "toInt"
  | "toFloat"
  | "bitsToInt"
  | "bitsToFloat";

/**
 * Functions of two numbers. `maximum` and `minimum` give NaN if either is; `larger(a, b)` is `a < b ? b : a` and
 * `smaller(a, b)` is `b < a ? b : a`, so that a NaN in `a` stays and one in `b` is passed over.
 */
export type BinaryFunction =
  | "add"
  | "subtract"
  | "multiply"
  | "divide"
  | "maximum"
  | "minimum"
  | "larger"
  | "smaller"
  | "and"
  | "or"
  | "exclusiveOr"
  | "shiftLeft"
  | "shiftRight";

export type Comparison = "equal" | "notEqual" | "less" | "lessOrEqual";

/** How the values of a reduction are put together, in rising order of its axes. */
export type Combination = "sum" | "maximum" | "larger" | "smaller";

/** A number computed for each point of a nest. Nodes may be shared; a shared node is computed once. */
export type Expression =
  | { readonly kind: "constant"; readonly type: "float" | "int"; readonly value: number }
  | { readonly kind: "load"; readonly type: "float" | "int"; readonly buffer: Buffer; readonly index: Affine }
  | { readonly kind: "index"; readonly type: "int"; readonly index: Affine }
  | {
      readonly kind: "unary";
      readonly type: "float" | "int";
      readonly name: UnaryFunction;
      readonly operand: Expression;
    }
  | {
      readonly kind: "binary";
      readonly type: ScalarType;
      readonly name: BinaryFunction;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: "multiplyAdd";
      readonly type: "float";
      readonly left: Expression;
      readonly right: Expression;
      readonly addend: Expression;
    }
  | {
      readonly kind: "compare";
      readonly type: "mask";
      readonly name: Comparison;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: "select";
      readonly type: "float" | "int";
      readonly condition: Expression;
      readonly whenTrue: Expression;
      readonly whenFalse: Expression;
    }
  | {
      readonly kind: "reduce";
      readonly type: "float" | "int";
      readonly combine: Combination;
      /** Outermost first: the last one goes fastest. */
      readonly axes: readonly Axis[];
      readonly body: Expression;
      /** What it begins with, and all there is if an axis is empty. */
      readonly initial: number;
      /**
       * Whether the last axis may be cut into four interleaved reductions, one a lane, put together at the end as
       * (0 ∘ 2) ∘ (1 ∘ 3). The order then is another one, but as fixed.
       */
      readonly interleaved: boolean;
      /** Whether a product that is summed need not be rounded before: see `multiplyAdd`. */
      readonly contracted: boolean;
    };

export type Reduction = Extract<Expression, { kind: "reduce" }>;

export function constant(value: number): Expression {
  return { kind: "constant", type: "float", value };
}

export function integer(value: number): Expression {
  return { kind: "constant", type: "int", value };
}

/** An element of a buffer. */
export function load(buffer: Buffer, index: Affine): Expression {
  return { kind: "load", type: buffer.dtype === "int32" ? "int" : "float", buffer, index };
}

/** The value of an index as a number. */
export function indexValue(index: Affine): Expression {
  return index.terms.length === 0 ? integer(index.constant) : { kind: "index", type: "int", index };
}

export function unary(name: UnaryFunction, operand: Expression): Expression {
  const type = name === "toInt" || name === "bitsToInt" ? "int" : "float";
  return { kind: "unary", type, name, operand };
}

export function binary(name: BinaryFunction, left: Expression, right: Expression): Expression {
  const folded = fold(name, left, right);
  return folded === null ? { kind: "binary", type: left.type, name, left, right } : constant(folded);
}

export const add = (left: Expression, right: Expression): Expression => binary("add", left, right);
export const subtract = (left: Expression, right: Expression): Expression => binary("subtract", left, right);
export const multiply = (left: Expression, right: Expression): Expression => binary("multiply", left, right);
export const divide = (left: Expression, right: Expression): Expression => binary("divide", left, right);

/** left · right + addend, rounded once where the machine can do so, otherwise twice. */
export function multiplyAdd(left: Expression, right: Expression, addend: Expression): Expression {
  return { kind: "multiplyAdd", type: "float", left, right, addend };
}

export function compare(name: Comparison, left: Expression, right: Expression): Expression {
  return { kind: "compare", type: "mask", name, left, right };
}

export function select(condition: Expression, whenTrue: Expression, whenFalse: Expression): Expression {
  return { kind: "select", type: whenTrue.type === "int" ? "int" : "float", condition, whenTrue, whenFalse };
}

const initials: Readonly<Record<Combination, number>> = {
  sum: 0,
  maximum: Number.NEGATIVE_INFINITY,
  larger: Number.NEGATIVE_INFINITY,
  smaller: Number.POSITIVE_INFINITY,
};

/** Leave that a reduction may be given; see there. */
export interface Freedom {
  readonly interleaved?: boolean;
  readonly contracted?: boolean;
}

/** `body` for every value of one axis or several, put together. A smallest int begins with the largest int there is. */
export function reduce(
  combine: Combination,
  over: Axis | readonly Axis[],
  body: Expression,
  freedom: Freedom = {},
): Expression {
  const { interleaved = false, contracted = false } = freedom;
  const axes = "extent" in over ? [over] : over;
  const type = body.type === "int" ? "int" : "float";
  const initial = type === "int" && combine !== "sum" ? 0x7fffffff : initials[combine];
  if (type === "int" && combine !== "sum" && combine !== "smaller") {
    throw new Error(`internal: integers are only summed or their smallest is taken, got ${combine}`);
  }
  return { kind: "reduce", type, combine, axes, body, initial, interleaved, contracted };
}

/** The nodes that an expression is made of directly. */
export function operandsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "constant":
    case "load":
    case "index":
      return [];
    case "unary":
      return [expression.operand];
    case "binary":
    case "compare":
      return [expression.left, expression.right];
    case "multiplyAdd":
      return [expression.left, expression.right, expression.addend];
    case "select":
      return [expression.condition, expression.whenTrue, expression.whenFalse];
    case "reduce":
      return [expression.body];
  }
}

/** Arithmetic on constants, rounded as float32 arithmetic rounds. */
function fold(name: BinaryFunction, left: Expression, right: Expression): number | null {
  if (left.kind !== "constant" || right.kind !== "constant" || left.type !== "float") return null;
  const a = Math.fround(left.value);
  const b = Math.fround(right.value);
  // One operation on two float32 numbers in double precision, then rounded, is the float32 operation (Figueroa 1995).
  switch (name) {
    case "add":
      return Math.fround(a + b);
    case "subtract":
      return Math.fround(a - b);
    case "multiply":
      return Math.fround(a * b);
    case "divide":
      return Math.fround(a / b);
    default:
      return null;
  }
}
