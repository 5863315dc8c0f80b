import type { Attributes } from "../../ir/index.ts";
import { rowMajorStrides, type Shape, type TensorType } from "../../tensor/index.ts";
import { type Affine, plus, times } from "../affine.ts";
import type { Expression } from "../expression.ts";

/** Elements of an axis that lie as far apart each. */
export interface Range {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** The index of one element of a tensor: an expression for each of its axes. */
export type Position = readonly Affine[];

/** A tensor as a function from positions to elements: what has been computed before is loaded, the rest computed. */
export interface Operand {
  readonly type: TensorType;
  at(position: Position): Expression;
}

/**
 * How an operator's operands are read and what space it fills, which is what fusion goes by:
 *
 * - `map`: each element of the output depends on the element at the same position of some operands, and on elements
 *   elsewhere of others;
 * - `rows`: elements depend on all of the row in which they are; outputs have the first operand's shape, or lack its
 *   last axis;
 * - `reduce`: elements depend on many elements of the operands;
 * - `matmul`: as `reduce`, with loops of its own;
 * - `pieces`: the output is put together from parts, each with loops of its own, and joins no others;
 * - `view`: nothing is computed.
 */
export type Family = "map" | "rows" | "reduce" | "matmul" | "pieces" | "view";

/** What a rule is given of an operation. */
export interface RuleInput {
  readonly operands: readonly Operand[];
  readonly outputs: readonly TensorType[];
  readonly attributes: Attributes;
}

/** A number for every position of a shape, and where in a larger tensor it is stored. */
export interface Piece {
  readonly shape: Shape;
  readonly stores: readonly {
    place(position: Position): Position;
    element(position: Position): Expression;
  }[];
}

/** A tensor that is put together in scratch memory, to be read instead of an operand. */
export interface Copy {
  /** The operand that is replaced. */
  readonly operand: number;
  readonly type: TensorType & { readonly dtype: "float32" | "int32" };
  /** Computed one after the other; later ones overwrite earlier ones. */
  readonly pieces: readonly Piece[];
}

/** How an operator becomes loops of which each stores elements of its output. */
export interface ElementRule {
  readonly family: Exclude<Family, "pieces">;
  /** Operands of which the output's element needs the element at the same position only, if they have its shape. */
  readonly same: readonly number[];
  /** The elements of every output. */
  elements(input: RuleInput): readonly ((position: Position) => Expression)[];
  /** What is put together first, such as pictures with a margin; `elements` then sees these operands. */
  copies?(input: RuleInput): readonly Copy[];
  /**
   * For each axis of the output the ranges into which it falls: each is computed by loops of its own, because others are
   * computed otherwise. `elements` finds the range in an index: its constant is the first element, and its term has step
   * and axis.
   */
  ranges?(input: RuleInput): readonly (readonly Range[])[];
  /** An axis of the output that becomes two loops, over `parts` and within each, for indices that differ by part. */
  cut?(input: RuleInput): { readonly axis: number; readonly parts: number };
}

/** How an operator's output is put together. */
interface PieceRule {
  readonly family: "pieces";
  readonly same: readonly number[];
  /** Computed one after the other; later ones overwrite earlier ones. */
  pieces(input: RuleInput): readonly Piece[];
}

/** How an operator becomes loops. */
export type LoopRule = ElementRule | PieceRule;

/** Where a position lies in the row-major order of a shape. */
export function flatIndex(shape: Shape, position: Position): Affine {
  const strides = rowMajorStrides(shape);
  return plus(...position.map((index, axis) => times(index, strides[axis])));
}

/** Makes a function give the same object for the same position, so that nothing is computed twice. */
export function remember<T>(compute: (position: Position) => T): (position: Position) => T {
  const known = new Map<string, T>();
  const names = new Map<object, number>();
  return (position) => {
    const key = position
      .map(({ constant, terms }) => {
        const parts = terms.map(({ axis, stride, inner }) => {
          if (!names.has(axis)) names.set(axis, names.size);
          return `${names.get(axis)}*${stride}/${inner}`;
        });
        return [constant, ...parts].join("+");
      })
      .join();
    let result = known.get(key);
    if (result === undefined) known.set(key, (result = compute(position)));
    return result;
  };
}
