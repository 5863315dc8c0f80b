import { checkShape, elementCount, type Shape } from "./shape.ts";
import { type HostTensor, zeros } from "./tensor.ts";

// Philox 4×32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
// A counter-based generator: the n-th number depends on key and n alone, so that what is recomputed,
// or computed by another thread, comes out the same.
const multiplierA = 0xd2511f53;
const multiplierB = 0xcd9e8d57;
const weylA = 0x9e3779b9;
const weylB = 0xbb67ae85;

/**
 * The upper 32 bits of the product of two 32-bit numbers, both and the result as bits whatever their sign: no partial sum
 * exceeds 32 bits, so that a machine needs no numbers but its whole ones.
 */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0;
  const cross = (Math.imul(aLow, bHigh) + (middle & 0xffff)) | 0;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (cross >>> 16)) | 0;
}

/** Ten rounds of Philox over a 128-bit counter with a 64-bit key; writes four unsigned 32-bit numbers. */
export function philox(counter: Uint32Array, keyA: number, keyB: number, result: Uint32Array): void {
  let a = counter[0] | 0;
  let b = counter[1] | 0;
  let c = counter[2] | 0;
  let d = counter[3] | 0;
  keyA |= 0;
  keyB |= 0;
  for (let round = 0; round < 10; round++) {
    const highA = multiplyHigh(multiplierA, a);
    const lowA = Math.imul(multiplierA, a);
    const highB = multiplyHigh(multiplierB, c);
    const lowB = Math.imul(multiplierB, c);
    a = highB ^ b ^ keyA;
    b = lowB;
    c = highA ^ d ^ keyB;
    d = lowA;
    keyA = (keyA + weylA) | 0;
    keyB = (keyB + weylB) | 0;
  }
  result[0] = a;
  result[1] = b;
  result[2] = c;
  result[3] = d;
}

/** A stream of random numbers that a seed determines; the same in every process. */
export class Random {
  readonly #key: readonly [number, number];
  readonly #counter = new Uint32Array(4);
  readonly #block = new Uint32Array(4);
  #used = 4;

  /**
   * @param seed a whole number from 0 to 2⁵³ − 1
   * @param stream tells independent streams of one seed apart
   */
  constructor(seed: number, stream = 0) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new Error(`random: a seed must be a whole number from 0 to 2^53 - 1, got ${seed}; pick one such as 1`);
    }
    this.#key = [seed >>> 0, Math.floor(seed / 2 ** 32)];
    this.#counter[2] = stream;
  }

  /** The next unsigned 32-bit number. */
  next(): number {
    if (this.#used === 4) {
      philox(this.#counter, this.#key[0], this.#key[1], this.#block);
      this.#counter[0] += 1;
      if (this.#counter[0] === 0) this.#counter[1] += 1;
      this.#used = 0;
    }
    return this.#block[this.#used++];
  }

  /** The next number in [0, 1), with 53 random bits. */
  nextUniform(): number {
    return ((this.next() >>> 5) * 67108864 + (this.next() >>> 6)) / 9007199254740992;
  }

  /** The next number of the standard normal distribution (Box and Muller 1958). */
  nextNormal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.nextUniform()));
    return radius * Math.cos(2 * Math.PI * this.nextUniform());
  }

  /** A tensor of independent numbers in [low, high). */
  uniform(shape: Shape, low = 0, high = 1): HostTensor<"float32"> {
    return this.#fill("uniform", shape, () => low + (high - low) * this.nextUniform());
  }

  /** A tensor of independent normal numbers. */
  normal(shape: Shape, mean = 0, deviation = 1): HostTensor<"float32"> {
    return this.#fill("normal", shape, () => mean + deviation * this.nextNormal());
  }

  /** The whole numbers 0 … count − 1 in random order (Fisher and Yates). */
  permutation(count: number): Uint32Array {
    const order = Uint32Array.from({ length: count }, (_, index) => index);
    for (let last = count - 1; last > 0; last--) {
      const other = Math.floor(this.nextUniform() * (last + 1));
      const kept = order[last];
      order[last] = order[other];
      order[other] = kept;
    }
    return order;
  }

  #fill(subject: string, shape: Shape, draw: () => number): HostTensor<"float32"> {
    checkShape(subject, shape);
    const result = zeros(shape);
    for (let i = 0, count = elementCount(shape); i < count; i++) result.data[i] = draw();
    return result;
  }
}

/** A stream of random numbers that `seed` determines. */
export function random(seed: number, stream = 0): Random {
  return new Random(seed, stream);
}
