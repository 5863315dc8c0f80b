import { add, binary, type Expression, integer, multiply } from "./expression.ts";

// Philox 4×32-10 as in lib/tensor/random.ts (Salmon, Moraes, Dror, Shaw 2011), on lanes of 32-bit words.
const multiplierA = 0xd2511f53;
const multiplierB = 0xcd9e8d57;
const weylA = 0x9e3779b9;
const weylB = 0xbb67ae85;
const rounds = 10;

const low16 = (x: Expression): Expression => binary("and", x, integer(0xffff));
/** The upper half as a number from 0 to 65,535: the shift repeats the sign, which is cut off again. */
const high16 = (x: Expression): Expression => low16(binary("shiftRight", x, integer(16)));
const exclusiveOr = (a: Expression, b: Expression): Expression => binary("exclusiveOr", a, b);

/** The upper 32 bits of the product of a word and a constant, both without sign, from products of their halves. */
function multiplyHigh(word: Expression, factor: number): Expression {
  const [low, high] = [low16(word), high16(word)];
  const [factorLow, factorHigh] = [integer(factor & 0xffff), integer(factor >>> 16)];
  const middle = add(multiply(low, factorHigh), high16(multiply(low, factorLow)));
  const cross = add(multiply(high, factorLow), low16(middle));
  return add(add(multiply(high, factorHigh), high16(middle)), high16(cross));
}

/** The first of the four words that Philox makes of a counter of four words and a key of two. */
export function philoxWord(
  counter: readonly [Expression, Expression, Expression, Expression],
  seed: number,
): Expression {
  let [a, b, c, d] = counter;
  let [keyA, keyB] = [seed >>> 0, Math.floor(seed / 2 ** 32)];
  for (let round = 0; round < rounds; round++) {
    const lowA = multiply(a, integer(multiplierA));
    const lowB = multiply(c, integer(multiplierB));
    const nextA = exclusiveOr(exclusiveOr(multiplyHigh(c, multiplierB), b), integer(keyA));
    const nextC = exclusiveOr(exclusiveOr(multiplyHigh(a, multiplierA), d), integer(keyB));
    [a, b, c, d] = [nextA, lowB, nextC, lowA];
    keyA = (keyA + weylA) >>> 0;
    keyB = (keyB + weylB) >>> 0;
  }
  return a;
}
