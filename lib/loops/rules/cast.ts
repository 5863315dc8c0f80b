import { add, binary, compare, constant, type Expression, integer, select, subtract, unary } from "../expression.ts";
import type { LoopRule } from "./rule.ts";

/** Between float32 and int32. */
export const cast: LoopRule = {
  family: "map",
  same: [0],
  elements: ({ operands: [x], outputs: [{ dtype }] }) => {
    const own = x.type.dtype === "int32" ? "int32" : "float32";
    return [
      (position) => {
        const element = x.at(position);
        if (dtype === own) return element;
        return unary(dtype === "int32" ? "toInt" : "toFloat", element);
      },
    ];
  },
};

/** Rounds to so many bits fewer: half of the last bit kept is added, less one where that bit is 0, and the rest is cut. */
function withoutBits(bits: Expression, count: number): Expression {
  const last = binary("and", binary("shiftRight", bits, integer(count)), integer(1));
  const half = binary("add", integer(2 ** (count - 1) - 1), last);
  return binary("and", binary("add", bits, half), integer(-(2 ** count)));
}

const bitsOf = (x: Expression): Expression => unary("bitsToInt", x);
const fromBits = (bits: Expression): Expression => unary("bitsToFloat", bits);

/** The upper 16 bits of a float32 are a bfloat16. */
const toBfloat16 = (x: Expression): Expression => fromBits(withoutBits(bitsOf(x), 16));

/** Eleven significant bits down to 2⁻¹⁴, and multiples of 2⁻²⁴ below; from 65,520 on it is infinite. */
function toFloat16(x: Expression): Expression {
  const size = unary("absolute", x);
  // Numbers from ½ to 1 are multiples of 2⁻²⁴: adding ½ rounds to these, ties to even.
  const small = subtract(add(size, constant(0.5)), constant(0.5));
  const large = fromBits(withoutBits(bitsOf(size), 13));
  const finite = select(compare("less", size, constant(2 ** -14)), small, large);
  const rounded = select(compare("less", size, constant(65520)), finite, constant(Number.POSITIVE_INFINITY));
  const sign = binary("and", bitsOf(x), integer(-(2 ** 31)));
  return fromBits(binary("or", bitsOf(rounded), sign));
}

/** The nearest number of a shorter float; NaN stays. */
export function roundedTo(format: string, x: Expression): Expression {
  const rounded = format === "float16" ? toFloat16(x) : toBfloat16(x);
  return select(compare("equal", x, x), rounded, x);
}

/** Rounds and keeps the dtype. */
export const roundTo: LoopRule = {
  family: "map",
  same: [0],
  elements: ({ operands: [x], attributes: { format } }) => [(position) => roundedTo(format as string, x.at(position))],
};
