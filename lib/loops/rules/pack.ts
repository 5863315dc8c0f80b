import { quantizeLevels } from "../../ops/index.ts";
import { at, plus } from "../affine.ts";
import { binary, compare, constant, divide, type Expression, integer, multiply, select, unary } from "../expression.ts";
import { roundedTo } from "./cast.ts";
import type { LoopRule, Piece } from "./rule.ts";

const bitsOf = (x: Expression): Expression => unary("bitsToInt", x);
const fromBits = (bits: Expression): Expression => unary("bitsToFloat", bits);
const and = (bits: Expression, mask: number): Expression => binary("and", bits, integer(mask));
const or = (left: Expression, right: Expression): Expression => binary("or", left, right);
const up = (bits: Expression, count: number): Expression => binary("shiftLeft", bits, integer(count));
const down = (bits: Expression, count: number): Expression => binary("shiftRight", bits, integer(count));

/** Whether a 16-bit float without its sign is an infinity or NaN. */
const isSpecial = (magnitude: Expression): Expression => compare("less", integer(0x7bff), magnitude);

/** The 16 bits of a number, in the lower half of a word whose upper half is 0. */
function encode(format: string, x: Expression): Expression {
  const rounded = roundedTo(format, x);
  if (format === "bfloat16") return and(down(bitsOf(rounded), 16), 0xffff);
  // Times 2⁻¹¹² the exponent has the bias of a float16, and subnormal numbers are subnormal in both.
  const finite = down(bitsOf(multiply(unary("absolute", rounded), constant(2 ** -112))), 13);
  const infinite = compare("less", constant(65504), unary("absolute", rounded));
  const number = select(infinite, integer(0x7c00), finite);
  const magnitude = select(compare("equal", x, x), number, integer(0x7e00));
  return or(magnitude, and(down(bitsOf(x), 16), 0x8000));
}

/** The number that the lower 16 bits of a word stand for; the upper ones are 0. */
function decode(format: string, half: Expression): Expression {
  if (format === "bfloat16") return fromBits(up(half, 16));
  const magnitude = and(half, 0x7fff);
  const moved = up(magnitude, 13);
  const finite = multiply(fromBits(moved), constant(2 ** 112));
  const special = fromBits(or(moved, integer(0x7f800000)));
  const size = select(isSpecial(magnitude), special, finite);
  return fromBits(or(bitsOf(size), up(and(half, 0x8000), 16)));
}

/** Element i in the lower half of word i, element i + n / 2 in the upper one. */
export const pack: LoopRule = {
  family: "map",
  same: [],
  elements: ({ operands: [x], outputs: [{ shape }], attributes }) => {
    const format = attributes.format as string;
    return [
      ([index]) => {
        const lower = encode(format, x.at([index]));
        const upper = encode(format, x.at([plus(index, at(shape[0]))]));
        return or(lower, up(upper, 16));
      },
    ];
  },
};

/** The lower halves, then the upper ones. */
export const unpack: LoopRule = {
  family: "pieces",
  same: [],
  pieces: ({ operands: [x], attributes }) => {
    const format = attributes.format as string;
    const [words] = x.type.shape;
    return [0, 1].map(
      (part): Piece => ({
        shape: [words],
        stores: [
          {
            place: ([index]) => [plus(index, at(part * words))],
            element: (position) => {
              const word = x.at(position);
              return decode(format, part === 0 ? and(word, 0xffff) : and(down(word, 16), 0xffff));
            },
          },
        ],
      }),
    );
  },
};

const parts = [0, 1, 2, 3];

/** Four numbers of a block to a word, each a quarter of the block behind the one before. */
export const quantize: LoopRule = {
  family: "map",
  same: [],
  elements: ({ operands: [x, largest], outputs: [{ shape }] }) => [
    ([block, index]) => {
      const factor = divide(constant(quantizeLevels), largest.at([block]));
      const bytes = parts.map((part) => {
        const element = x.at([block, plus(index, at(part * shape[1]))]);
        return up(and(unary("toInt", unary("nearest", multiply(element, factor))), 0xff), 8 * part);
      });
      return bytes.reduce(or);
    },
  ],
};

/** The lowest bytes, then the others. */
export const dequantize: LoopRule = {
  family: "pieces",
  same: [],
  pieces: ({ operands: [x, largest] }) => {
    const [, words] = x.type.shape;
    return parts.map(
      (part): Piece => ({
        shape: x.type.shape,
        stores: [
          {
            place: ([block, index]) => [block, plus(index, at(part * words))],
            element: (position) => {
              // The byte goes to the top and comes back with its sign.
              const number = down(up(x.at(position), 24 - 8 * part), 24);
              return multiply(unary("toFloat", number), divide(largest.at([position[0]]), constant(quantizeLevels)));
            },
          },
        ],
      }),
    );
  },
};
