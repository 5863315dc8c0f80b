import { startsAlong } from "../../ops/index.ts";
import { at, plus } from "../affine.ts";
import { constant, type Expression, integer } from "../expression.ts";
import type { LoopRule, Piece, Position } from "./rule.ts";

/**
 * The bytes of the operand: there is nothing to compute. Elements are asked for only of constants, which are the same
 * at every position.
 */
export const reshape: LoopRule = {
  family: "view",
  same: [],
  elements: ({ operands: [x] }) => [() => x.at([])],
};

/** The operand itself. */
export const stopGradient: LoopRule = {
  family: "view",
  same: [],
  elements: ({ operands: [x] }) => [(position) => x.at(position)],
};

/** Axis i of the output is axis `permutation[i]` of the operand. */
export const transpose: LoopRule = {
  family: "map",
  same: [],
  elements: ({ operands: [x], attributes }) => {
    const permutation = attributes.permutation as readonly number[];
    return [
      (position) => {
        const source = [...position];
        for (const [axis, from] of permutation.entries()) source[from] = position[axis];
        return x.at(source);
      },
    ];
  },
};

/** Axis i of the operand is axis `axes[i]` of the output. */
export const broadcast: LoopRule = {
  family: "map",
  same: [],
  elements: ({ operands: [x], attributes }) => {
    const axes = attributes.axes as readonly number[];
    return [(position) => x.at(axes.map((axis) => position[axis]))];
  },
};

/** The number `value` everywhere. */
export const full: LoopRule = {
  family: "map",
  same: [],
  elements: ({ outputs: [{ dtype }], attributes }) => {
    const value = attributes.value as number;
    return [() => (dtype === "int32" ? integer(value) : constant(value))];
  },
};

/** A position moved by a whole number along each axis. */
export function moved(position: Position, by: readonly number[]): Position {
  return position.map((index, axis) => plus(index, at(by[axis])));
}

/** The operand itself, element by element. */
export const move: LoopRule = {
  family: "pieces",
  same: [],
  pieces: ({ operands: [x], outputs: [{ shape }] }) => [
    { shape, stores: [{ place: (position) => position, element: (position) => x.at(position) }] },
  ],
};

/** The block of extents `sizes` that begins at `starts`. */
export const slice: LoopRule = {
  family: "map",
  same: [],
  elements: ({ operands: [x], attributes }) => [
    (position) => x.at(moved(position, attributes.starts as readonly number[])),
  ],
};

/** Each piece as `slice` would cut it. */
export const split: LoopRule = {
  family: "map",
  same: [],
  elements({ operands: [x], outputs, attributes }) {
    const axis = attributes.axis as number;
    return startsAlong(outputs, axis).map(
      (start) => (position) =>
        x.at(
          moved(
            position,
            position.map((_, other) => (other === axis ? start : 0)),
          ),
        ),
    );
  },
};

/** One number at every position of a shape. */
export function filled(shape: readonly number[], value: Expression): Piece {
  return { shape, stores: [{ place: (position) => position, element: () => value }] };
}

/** The margin everywhere, then the operand over it. */
export const pad: LoopRule = {
  family: "pieces",
  same: [],
  pieces({ operands: [x], outputs: [{ shape, dtype }], attributes }) {
    const before = attributes.before as readonly number[];
    const value = attributes.value as number;
    const inside: Piece = {
      shape: x.type.shape,
      stores: [{ place: (position) => moved(position, before), element: (position) => x.at(position) }],
    };
    return [filled(shape, dtype === "int32" ? integer(value) : constant(value)), inside];
  },
};

/** Each operand at its place. */
export const concat: LoopRule = {
  family: "pieces",
  same: [],
  pieces({ operands, attributes }) {
    const axis = attributes.axis as number;
    const starts = startsAlong(
      operands.map((operand) => operand.type),
      axis,
    );
    return operands.map((operand, index) => ({
      shape: operand.type.shape,
      stores: [
        {
          place: (position) =>
            moved(
              position,
              position.map((_, other) => (other === axis ? starts[index] : 0)),
            ),
          element: (position) => operand.at(position),
        },
      ],
    }));
  },
};
