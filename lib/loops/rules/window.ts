import { reach, type Window } from "../../ops/index.ts";
import type { Shape, TensorType } from "../../tensor/index.ts";
import { type Affine, type Axis, along, at, plus, times } from "../affine.ts";
import { type Combination, constant, type Expression, integer, reduce } from "../expression.ts";
import { mergeReductions } from "../merge.ts";
import type { Copy, Operand, Piece, Position } from "./rule.ts";
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
 * How far before the first map the window of maps begins that hold the first element of the pictures; negative where
 * the padding is so wide that it begins after it.
 */
function lead(window: Window, axis: number): number {
  return reach(window)[axis] - 1 - window.padding[axis];
}

/** Maps with their elements a stride apart, and with a margin, for `inTurnedWindow`. */
export function spread(operand: number, maps: Operand, size: Shape, window: Window, fill: number): readonly Copy[] {
  const [samples, channels, ...extents] = maps.type.shape;
  const covered = reach(window);
  const starts = extents.map((_, axis) => Math.max(lead(window, axis), 0));
  const skipped = extents.map((_, axis) => Math.max(-lead(window, axis), 0));
  const planes = extents.map((extent, axis) =>
    Math.max(starts[axis] + (extent - 1) * window.stride[axis] + 1, skipped[axis] + size[axis] + covered[axis] - 1),
  );
  const shape = [samples, channels, ...planes];
  const inside: Piece = {
    shape: maps.type.shape,
    stores: [
      {
        place: ([sample, channel, row, column]) => [
          sample,
          channel,
          plus(times(row, window.stride[0]), at(starts[0])),
          plus(times(column, window.stride[1]), at(starts[1])),
        ],
        element: (position) => maps.at(position),
      },
    ],
  };
  return [{ operand, type: scratchType(shape, maps), pieces: [filled(shape, number(maps, fill)), inside] }];
}

/** The place in spread maps of the window that holds an element at the turned place `kernel` of its kernel. */
export function inTurnedWindow([row, column]: Position, kernel: Position, window: Window): Position {
  const one = (index: Affine, place: Affine, axis: number): Affine =>
    plus(index, times(place, window.dilation[axis]), at(Math.max(-lead(window, axis), 0)));
  return [one(row, kernel[0], 0), one(column, kernel[1], 1)];
}

/** Filters with their kernels turned by half a circle. */
export function turned(operand: number, w: Operand): Copy {
  const [filters, channels, height, width] = w.type.shape;
  const places = Array.from({ length: height * width }, (_, index) => [Math.floor(index / width), index % width]);
  const piece: Piece = {
    shape: [filters, channels],
    stores: places.map(([row, column]) => ({
      place: ([filter, channel]) => [filter, channel, at(height - 1 - row), at(width - 1 - column)],
      element: ([filter, channel]) => w.at([filter, channel, at(row), at(column)]),
    })),
  };
  return { operand, type: scratchType(w.type.shape, w), pieces: [piece] };
}

/** Reduces over axes of some extents, the last one innermost. */
export function reduceOver(
  combine: Combination,
  extents: Readonly<Record<string, number>>,
  body: (position: Position) => Expression,
  contracted = false,
): Expression {
  const axes = Object.entries(extents).map(([name, extent]): Axis => ({ name, extent }));
  const element = body(axes.map((axis) => along(axis)));
  return mergeReductions(axes.reduceRight((inner, axis) => reduce(combine, axis, inner, { contracted }), element));
}
