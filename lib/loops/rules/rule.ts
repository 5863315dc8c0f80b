import type { Attributes } from "../../ir/index.ts";
import { rowMajorStrides, type Shape, type TensorType } from "../../tensor/index.ts";
import { type Affine, plus, times } from "../affine.ts";
import type { Expression } from "../expression.ts";

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
 * - `view`: nothing is computed.
 */
export type Family = "map" | "rows" | "reduce" | "matmul" | "view";

/** What a rule is given of an operation. */
interface RuleInput {
  readonly operands: readonly Operand[];
  readonly outputs: readonly TensorType[];
  readonly attributes: Attributes;
}

/** How an operator becomes loops. */
export interface LoopRule {
  readonly family: Family;
  /** Operands of which the output's element needs the element at the same position only, if they have its shape. */
  readonly same: readonly number[];
  /** The elements of every output. */
  elements(input: RuleInput): readonly ((position: Position) => Expression)[];
}

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
