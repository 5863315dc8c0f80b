import { type Window, windowsOver } from "../../ops/index.ts";
import { elementCount, type Shape, type TensorType } from "../../tensor/index.ts";
import { type Axis, along, at, divided, plus, times } from "../affine.ts";
import { add, type Combination, constant, type Expression, type Freedom, integer, reduce } from "../expression.ts";
import { mergeReductions } from "../merge.ts";
import type { Copy, Operand, Piece, Position, Range } from "./rule.ts";
import { filled, moved } from "./shape.ts";

// Loads have no bounds of their own, so that planes with a margin are put together in scratch memory first. Addresses
// only rise along loops; so gradients, which go through kernels backwards, turn the kernel round instead.

/** A tensor type of scratch memory. */
const scratchType = (shape: Shape, { type }: Operand): TensorType & { readonly dtype: "float32" | "int32" } => ({
  shape,
  dtype: type.dtype === "int32" ? "int32" : "float32",
});

const number = (operand: Operand, value: number): Expression =>
  operand.type.dtype === "int32" ? integer(value) : constant(value);

/** Pictures with a margin of `fill` as wide as the padding; none where there is no padding. */
export function padded(operand: number, x: Operand, { padding }: Window, fill: number): readonly Copy[] {
  if (padding.every((margin) => margin === 0)) return [];
  const [samples, channels, height, width] = x.type.shape;
  const shape = [samples, channels, height + 2 * padding[0], width + 2 * padding[1]];
  const inside: Piece = {
    shape: x.type.shape,
    stores: [{ place: (position) => moved(position, [0, 0, ...padding]), element: (position) => x.at(position) }],
  };
  return [{ operand, type: scratchType(shape, x), pieces: [filled(shape, number(x, fill)), inside] }];
}

/** The place of a window's element in padded pictures. */
export function inWindow([row, column]: Position, kernel: Position, { stride, dilation }: Window): Position {
  return [
    plus(times(row, stride[0]), times(kernel[0], dilation[0])),
    plus(times(column, stride[1]), times(kernel[1], dilation[1])),
  ];
}

/**
 * Which elements of a kernel's turned axis meet an element of the pictures: those of the maps lie a stride apart, so that
 * the elements of the pictures fall into as many phases, and each phase meets every so-many-th element of the kernel.
 */
interface Phase {
  /** The first element of the turned kernel that is met, how far it is to the next, and how many there are. */
  readonly first: number;
  readonly step: number;
  readonly count: number;
  /** The map's element that the phase's first element meets with `first`; the next one meets the next. */
  readonly start: number;
  /** From one element that is met to the next, the map's element moves so far. */
  readonly rise: number;
}

function phaseOf({ kernel, stride, padding, dilation }: Window, axis: number, phase: number): Phase {
  // Element y = stride · q + phase of the pictures meets the turned kernel's element t in the map's element
  // (y + padding − (kernel − 1 − t) · dilation) / stride, where that is whole.
  const [extent, apart, spread] = [kernel[axis], stride[axis], dilation[axis]];
  const numerator = (t: number): number => phase + padding[axis] - (extent - 1 - t) * spread;
  const met = Array.from({ length: extent }, (_, t) => t).filter((t) => numerator(t) % apart === 0);
  const [first = 0, second = first + 1] = met;
  const step = second - first;
  return {
    first,
    step,
    count: met.length,
    start: met.length === 0 ? 0 : numerator(first) / apart,
    rise: (step * spread) / apart,
  };
}

/** The elements of the maps that the pictures' elements meet along an axis: begins before 0 where there is a margin. */
function metAlong(window: Window, axis: number, size: number): { readonly start: number; readonly end: number } {
  let [start, end] = [0, 0];
  for (let phase = 0; phase < Math.min(window.stride[axis], size); phase++) {
    const met = phaseOf(window, axis, phase);
    if (met.count === 0) continue;
    const last = Math.floor((size - 1 - phase) / window.stride[axis]);
    start = Math.min(start, met.start);
    end = Math.max(end, met.start + last + (met.count - 1) * met.rise + 1);
  }
  return { start, end };
}

/** Maps with a margin of `fill`, for `turnedWindow`; none where every element that is met is there. */
export function margined(operand: number, maps: Operand, size: Shape, window: Window, fill: number): readonly Copy[] {
  const [samples, channels, ...extents] = maps.type.shape;
  const met = extents.map((_, axis) => metAlong(window, axis, size[axis]));
  if (met.every(({ start, end }, axis) => start === 0 && end <= extents[axis])) return [];
  const planes = extents.map((extent, axis) => Math.max(extent, met[axis].end) - met[axis].start);
  const shape = [samples, channels, ...planes];
  const inside: Piece = {
    shape: maps.type.shape,
    stores: [
      {
        place: (position) => moved(position, [0, 0, ...met.map(({ start }) => -start)]),
        element: (position) => maps.at(position),
      },
    ],
  };
  return [{ operand, type: scratchType(shape, maps), pieces: [filled(shape, number(maps, fill)), inside] }];
}

/** All elements of an axis. */
export const whole = (extent: number): Range => ({ start: 0, step: 1, count: extent });

/** An axis in as many ranges as elements are apart. */
export function phases(extent: number, apart: number): readonly Range[] {
  return Array.from({ length: Math.min(apart, extent) }, (_, start) => ({
    start,
    step: apart,
    count: Math.ceil((extent - start) / apart),
  }));
}

/** Rows near the edges get loops of their own if that leaves no more than this part of all products. */
const fewerProducts = 0.8;

/**
 * The rows of pictures in phases, and these in ranges of rows that meet the same elements of the kernel: rows near the edges
 * meet fewer, and the others would be multiplied by the margin. In LeNet-5's second convolution, of 14 × 14 pictures with
 * kernels of 5 × 5, that is 50 of 70 products.
 */
export function rowRanges(size: Shape, window: Window): readonly Range[] {
  const all = phases(size[0], window.stride[0]);
  const [mapRows] = windowsOver(size, window);
  const cut = all.flatMap(({ start, step, count }) => {
    const ranges: { start: number; step: number; count: number; met: Met }[] = [];
    for (let index = 0; index < count; index++) {
      const met = metInside(phaseOf(window, 0, start), index, index, mapRows);
      const last = ranges.at(-1);
      if (last !== undefined && last.met.from === met.from && last.met.count === met.count) last.count++;
      else ranges.push({ start: start + index * step, step, count: 1, met });
    }
    return ranges;
  });
  const products = cut.reduce((sum, { count, met }) => sum + count * met.count, 0);
  const before = all.reduce((sum, { start, count }) => sum + count * phaseOf(window, 0, start).count, 0);
  return products > fewerProducts * before ? all : cut.map(({ start, step, count }) => ({ start, step, count }));
}

/** Which of a phase's elements of the kernel are met: from where on, and how many. */
interface Met {
  readonly from: number;
  readonly count: number;
}

/** Those that meet an element of the maps, and not only their margin, for some of a phase's elements `first` to `last`. */
function metInside({ count, start, rise }: Phase, first: number, last: number, extent: number): Met {
  const isInside = (tap: number): boolean => last + start + tap * rise >= 0 && first + start + tap * rise < extent;
  const inside = Array.from({ length: count }, (_, tap) => tap).filter(isInside);
  return { from: inside[0] ?? 0, count: inside.length };
}

/** The elements of a kernel, turned by half a circle, that meet an element of the pictures, and where they meet it. */
export interface TurnedWindow {
  /** How many elements of the kernel there are along each axis. */
  readonly extents: readonly number[];
  /** The place in the turned kernel of one of them. */
  inKernel(place: Position): Position;
  /** The place in the maps, as `margined` has made them, that it meets. */
  inMaps(place: Position): Position;
}

/** For an element of the pictures, of which the loops go over ranges: rows and columns are strides times something. */
export function turnedWindow([row, column]: Position, size: Shape, window: Window): TurnedWindow {
  const extents = windowsOver(size, window);
  const axes = [row, column].map((index, axis) => {
    const stride = window.stride[axis];
    const phase = phaseOf(window, axis, index.constant % stride);
    const within = divided(plus(index, at(-(index.constant % stride))), stride);
    const last = within.constant + within.terms.reduce((sum, term) => sum + term.stride * (term.axis.extent - 1), 0);
    const met = metInside(phase, within.constant, last, extents[axis]);
    return { phase, met, within, margin: -metAlong(window, axis, size[axis]).start };
  });
  return {
    extents: axes.map(({ met }) => met.count),
    inKernel: (place) =>
      axes.map(({ phase, met }, axis) => plus(times(place[axis], phase.step), at(phase.first + met.from * phase.step))),
    inMaps: (place) =>
      axes.map(({ phase, met, within, margin }, axis) => {
        const first = phase.start + margin + met.from * phase.rise;
        return plus(within, times(place[axis], phase.rise), at(first));
      }),
  };
}

/**
 * Filters [filters, channels, …] with their kernels turned by half a circle, as [channels, filters, …]: in the order in
 * which gradients of pictures sum over them.
 */
export function turned(operand: number, w: Operand): readonly Copy[] {
  const [filters, channels, height, width] = w.type.shape;
  const places = Array.from({ length: height * width }, (_, index) => [Math.floor(index / width), index % width]);
  const piece: Piece = {
    shape: [filters, channels],
    stores: places.map(([row, column]) => ({
      place: ([filter, channel]) => [channel, filter, at(height - 1 - row), at(width - 1 - column)],
      element: ([filter, channel]) => w.at([filter, channel, at(row), at(column)]),
    })),
  };
  return [{ operand, type: scratchType([channels, filters, height, width], w), pieces: [piece] }];
}

/** Windows up to so many elements are computed without loops, so that each element is loaded once for all that needs it. */
const mostUnrolled = 16;

/** Whether the elements of a window are computed without loops. */
export function isUnrolled(extents: readonly number[]): boolean {
  return elementCount(extents) > 0 && elementCount(extents) <= mostUnrolled;
}

/** The places in a window that is computed without loops, row by row. */
export function placesIn([rows, columns]: readonly number[]): readonly Position[] {
  return Array.from({ length: rows * columns }, (_, index) => [at(Math.floor(index / columns)), at(index % columns)]);
}

/** The sum of the elements of a window, or of what of it is met; the last axis goes fastest. */
export function sumOverWindow(extents: readonly number[], body: (position: Position) => Expression): Expression {
  return isUnrolled(extents) ? placesIn(extents).map(body).reduce(add) : reduceOver("sum", extents, body);
}

/** Reduces over axes of some extents, the last one innermost. */
export function reduceOver(
  combine: Combination,
  extents: readonly number[],
  body: (position: Position) => Expression,
  freedom: Freedom = {},
): Expression {
  const axes = extents.map((extent, index): Axis => ({ name: axisNames[index] ?? `k${index}`, extent }));
  return mergeReductions(reduce(combine, axes, body(axes.map((axis) => along(axis))), freedom));
}

const axisNames = ["k", "kh", "kw"] as const;
