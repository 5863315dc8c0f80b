import { checkShape, elementCount, formatShape, rowMajorStrides, type Shape } from "../tensor/index.ts";
import type { ElementType } from "./element-type.ts";
import { allPositions, joinRuns, lookUp, type Piece, piecesOf, type Run, runsOf } from "./pieces.ts";
import type { Variable, VariableTable } from "./variables.ts";

/**
 * A tensor of a graph: a shape laid over elements of variables. Every method gives another view of the same elements;
 * nothing is copied, on the host or on the device. Two views may share elements, and one view may hold an element twice.
 */
export class TensorView {
  readonly kind = "tensor";
  readonly type: ElementType;
  readonly shape: Shape;
  /** The variables that the pieces speak of. */
  readonly variables: VariableTable;
  // One piece has the view's shape; several are flat and lie one after the other in row-major order.
  readonly #pieces: readonly Piece[];

  constructor(variables: VariableTable, type: ElementType, shape: Shape, pieces: readonly Piece[]) {
    this.variables = variables;
    this.type = type;
    this.shape = shape;
    this.#pieces = pieces;
  }

  get elements(): number {
    return elementCount(this.shape);
  }

  /** The elements in row-major order, as runs through variables. */
  get runs(): readonly Run[] {
    return joinRuns(this.#pieces.flatMap(runsOf));
  }

  /** Positions `start` up to, not including, `end` of an axis. */
  slice(start: number, end: number, axis = 0): TensorView {
    this.#checkAxis("slice", axis);
    const extent = this.shape[axis];
    if (!isPosition(start, extent + 1) || !isPosition(end, extent + 1) || start > end) {
      throw this.#error("slice", `0 ≤ start ≤ end ≤ ${extent} must hold on axis ${axis}`, `${start} and ${end}`);
    }
    return this.#change((piece) => ({
      ...piece,
      offset: piece.offset + start * piece.strides[axis],
      shape: this.shape.with(axis, end - start),
    }));
  }

  /** What lies at these positions of the first axes, which go away: `matrix.index(2)` is a row, `matrix.index(2, 3)` an element. */
  index(...positions: number[]): TensorView {
    if (positions.length > this.shape.length) {
      throw this.#error("index", "there must not be more positions than axes", `${positions.length}`);
    }
    for (const [axis, position] of positions.entries()) {
      if (!isPosition(position, this.shape[axis])) {
        throw this.#error("index", `positions of axis ${axis} run from 0 to ${this.shape[axis] - 1}`, `${position}`);
      }
    }
    const count = positions.length;
    return this.#change((piece) => ({
      ...piece,
      offset: positions.reduce((offset, position, axis) => offset + position * piece.strides[axis], piece.offset),
      shape: piece.shape.slice(count),
      strides: piece.strides.slice(count),
    }));
  }

  /** The same elements in row-major order under another shape. */
  reshape(shape: Shape): TensorView {
    checkShape("reshape", shape);
    if (elementCount(shape) !== this.elements) {
      throw this.#error("reshape", `the shape must have ${this.elements} elements`, formatShape(shape));
    }
    return new TensorView(this.variables, this.type, shape, piecesOf(this.runs, shape));
  }

  /** All elements along one axis. */
  flatten(): TensorView {
    return this.reshape([this.elements]);
  }

  /** The axes in another order: axis `axes[i]` becomes axis `i`. Without an argument the order is turned round. */
  dimShuffle(axes: readonly number[] = this.shape.map((_, axis) => this.shape.length - 1 - axis)): TensorView {
    if (axes.length !== this.shape.length || new Set(axes).size !== axes.length) {
      throw this.#error("dimShuffle", "every axis must be named once", `[${axes.join(",")}]`);
    }
    for (const axis of axes) this.#checkAxis("dimShuffle", axis);
    return this.#change((piece) => ({
      ...piece,
      shape: axes.map((axis) => piece.shape[axis]),
      strides: axes.map((axis) => piece.strides[axis]),
    }));
  }

  /** A new axis of extent 1 before `axis`. */
  expand(axis = 0): TensorView {
    if (!isPosition(axis, this.shape.length + 1)) {
      throw this.#error("expand", `the new axis must lie from 0 to ${this.shape.length}`, `${axis}`);
    }
    const shape = this.shape.toSpliced(axis, 0, 1);
    return this.#reshapeAxes(shape, (strides) => strides.toSpliced(axis, 0, 0));
  }

  /** Without these axes, which must have extent 1; without an argument, without all axes of extent 1. */
  squeeze(axes?: readonly number[]): TensorView {
    for (const axis of axes ?? []) {
      this.#checkAxis("squeeze", axis);
      if (this.shape[axis] !== 1) throw this.#error("squeeze", "axes taken away must have extent 1", `axis ${axis}`);
    }
    const leaves = (axis: number): boolean => (axes === undefined ? this.shape[axis] === 1 : axes.includes(axis));
    const stays = (_: number, axis: number): boolean => !leaves(axis);
    return this.#reshapeAxes(this.shape.filter(stays), (strides) => strides.filter(stays));
  }

  /** The tensor `count` times one after the other along an axis; an axis of extent 1 so becomes `count` long. */
  broadcast(count: number, axis = 0): TensorView {
    this.#checkAxis("broadcast", axis);
    if (!Number.isSafeInteger(count) || count < 1) {
      throw this.#error("broadcast", "the count must be a whole number ≥ 1", `${count}`);
    }
    const extent = this.shape[axis];
    // An axis of repeats before the axis, with a stride of 0; then both are taken together.
    const repeated = this.expand(axis).#change((piece) => ({
      ...piece,
      shape: piece.shape.with(axis, count),
      strides: piece.strides.with(axis, 0),
    }));
    return extent === 1 ? repeated.squeeze([axis + 1]) : repeated.reshape(this.shape.with(axis, extent * count));
  }

  /** How errors and reports call the view: the variables' names and what of them it holds. */
  describe(): string {
    const names = new Set(this.#pieces.map(({ variable }) => this.variables.all[variable].name));
    const shown = [...names].slice(0, 3).join(", ");
    const more = names.size > 3 ? `, … (${names.size} variables)` : "";
    return `"${shown}${more}" ${this.type} ${formatShape(this.shape)}`;
  }

  #change(change: (piece: Piece) => Piece): TensorView {
    if (this.#pieces.length === 1) {
      const piece = change(this.#pieces[0]);
      return new TensorView(this.variables, this.type, piece.shape, [piece]);
    }
    const positions = change(allPositions(this.shape));
    const runs = lookUp(this.runs, positions);
    return new TensorView(this.variables, this.type, positions.shape, piecesOf(runs, positions.shape));
  }

  /** A shape that differs in axes of extent 1 only. */
  #reshapeAxes(shape: Shape, change: (strides: readonly number[]) => number[]): TensorView {
    const [piece] = this.#pieces;
    if (this.#pieces.length !== 1) return new TensorView(this.variables, this.type, shape, this.#pieces);
    return new TensorView(this.variables, this.type, shape, [{ ...piece, shape, strides: change(piece.strides) }]);
  }

  #checkAxis(method: string, axis: number): void {
    if (!isPosition(axis, this.shape.length)) {
      throw this.#error(method, `axes run from 0 to ${this.shape.length - 1}`, `axis ${axis}`);
    }
  }

  #error(method: string, rule: string, got: string): Error {
    return new Error(`${method}: ${rule}, got ${got} (tensor ${this.describe()}); look at its shape`);
  }
}

/** The view of a whole variable. */
export function wholeVariable(variables: VariableTable, { id, type, shape }: Variable): TensorView {
  return new TensorView(variables, type, shape, [{ variable: id, offset: 0, shape, strides: rowMajorStrides(shape) }]);
}

/**
 * Tensors of one type one after the other along an axis.
 *
 * @throws Error if there are none, if types or other extents differ, or if they belong to different graphs
 */
export function concat(tensors: readonly TensorView[], axis = 0): TensorView {
  const first = tensors[0];
  if (first === undefined) throw new Error("concat: there must be a tensor, got none; give a list of at least one");
  const rank = first.shape.length;
  if (!isPosition(axis, rank)) {
    throw new Error(`concat: axes run from 0 to ${rank - 1}, got ${axis} (tensor ${first.describe()}); name another`);
  }
  for (const tensor of tensors) {
    const fits =
      tensor.type === first.type &&
      tensor.variables === first.variables &&
      tensor.shape.length === rank &&
      tensor.shape.every((extent, other) => other === axis || extent === first.shape[other]);
    if (!fits) {
      throw new Error(
        `concat: tensors must be of one graph, type and shape but for axis ${axis}, got ${first.describe()} and ${tensor.describe()}; cast or slice one of them`,
      );
    }
  }
  const toFront = [axis, ...first.shape.keys()].filter((other, place) => place === 0 || other !== axis);
  const fronts = tensors.map((tensor) => (axis === 0 ? tensor : tensor.dimShuffle(toFront)));
  const extent = fronts.reduce((sum, { shape }) => sum + shape[0], 0);
  const shape = [extent, ...fronts[0].shape.slice(1)];
  const runs = joinRuns(fronts.flatMap((tensor) => tensor.runs));
  const joined = new TensorView(first.variables, first.type, shape, piecesOf(runs, shape));
  return axis === 0 ? joined : joined.dimShuffle(toFront.map((_, place) => toFront.indexOf(place)));
}

function isPosition(value: number, end: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value < end;
}
