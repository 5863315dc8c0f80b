import type { Constraint, Require } from "../ir/index.ts";
import { elementCount, formatTypes, isFloat, type Shape, type TensorType } from "../tensor/index.ts";

// What operators along the last axis have in common: a tensor is a list of rows, each as long as that axis.

/** The constraint that `checkRows` checks. */
export const rowsConstraint: Constraint = {
  rule: "there must be one input of a float dtype and rank ≥ 1",
  remedy: "cast or reshape it first",
};

/** Checks that there is one tensor with rows, and returns its type. */
export function checkRows(inputs: readonly TensorType[], require: Require): TensorType {
  const [x] = inputs;
  require(inputs.length === 1 && isFloat(x.dtype) && x.shape.length >= 1, "C1", () => formatTypes(inputs));
  return x;
}

/** Calls `visit` for each row: where it begins, how long it is, and its number. */
export function forEachRow(shape: Shape, visit: (start: number, length: number, row: number) => void): void {
  const length = shape[shape.length - 1];
  const rows = elementCount(shape.slice(0, -1));
  for (let row = 0; row < rows; row++) visit(row * length, length, row);
}

/** The logarithm of the sum of a row's exponentials, shifted by the maximum so that nothing overflows. */
export function logOfSum(from: ArrayLike<number>, start: number, length: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = start; i < start + length; i++) largest = Math.max(largest, from[i]);
  let total = 0;
  for (let i = start; i < start + length; i++) total += Math.exp(from[i] - largest);
  return largest + Math.log(total);
}

/** Fills a row of probabilities and returns the logarithm of the sum of exponentials. */
export function softmaxRow(
  from: ArrayLike<number>,
  to: { [index: number]: number },
  start: number,
  length: number,
): number {
  const logSum = logOfSum(from, start, length);
  for (let i = start; i < start + length; i++) to[i] = Math.exp(from[i] - logSum);
  return logSum;
}
