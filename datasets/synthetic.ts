import type { Dataset } from "../lib/formats/index.ts";
import { type HostTensor, type Random, random, zeros } from "../lib/tensor/index.ts";
import type { Split } from "./split.ts";

/** How many samples, and from which seed. The same seed gives the same samples. */
export interface SyntheticOptions {
  readonly train?: number;
  readonly test?: number;
  readonly seed?: number;
}

/** Inputs and targets of one part. */
interface Part {
  readonly inputs: HostTensor<"float32">;
  readonly targets: HostTensor<"int32" | "float32">;
}

/** Makes both parts, each from random numbers of its own. */
function makeSplit(
  name: string,
  classes: readonly string[],
  { train = 1000, test = 200, seed = 1 }: SyntheticOptions,
  make: (count: number, source: Random) => Part,
): Split {
  const part = (title: string, count: number, stream: number): Dataset => ({
    kind: "dataset",
    name: `${name}, ${title}`,
    scale: 1,
    classes,
    ...make(checkWhole(name, title, count), random(seed, stream)),
  });
  return { train: part("train", train, 0), test: part("test", test, 1) };
}

function checkWhole(subject: string, name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`${subject}: ${name} must be a whole number ≥ 1, got ${value}; give a number such as 8`);
  }
  return value;
}

/** Up to this many bits all patterns are listed, so that no pattern of the test is ever learned from. */
const mostListedBits = 20;

/**
 * Whether the number of ones among some bits is odd: bits 0 and 1 [n, bits], class 1 for odd. A network of two layers can
 * say it, but gradient descent has a hard time to find out (Shalev-Shwartz, Shamir, Shammah 2017). Up to 20 bits no
 * pattern comes twice, in neither part; with more bits patterns are drawn independently.
 *
 * @throws Error if there are fewer patterns than samples
 */
export function parity({ bits = 8, ...options }: SyntheticOptions & { readonly bits?: number } = {}): Split {
  checkWhole("parity", "bits", bits);
  const listed = bits <= mostListedBits;
  const patterns = listed ? random(options.seed ?? 1, 2).permutation(2 ** bits) : null;
  const { train = Math.min(1000, Math.floor((2 ** bits * 3) / 4)), test = Math.min(200, Math.max(1, 2 ** bits / 4)) } =
    options;
  if (patterns !== null && train + test > patterns.length) {
    throw new Error(
      `parity: samples must be different patterns, got ${train} + ${test} of ${patterns.length} (${bits} bits); ask for fewer, or for more bits`,
    );
  }
  let used = 0;
  return makeSplit("parity", ["even", "odd"], { ...options, train, test }, (count, source) => {
    const inputs = zeros([count, bits]);
    const targets = zeros([count], "int32");
    for (let sample = 0; sample < count; sample++) {
      const pattern = patterns?.[used++];
      for (let bit = 0; bit < bits; bit++) {
        const value = pattern === undefined ? source.next() >>> 31 : (pattern >>> bit) & 1;
        inputs.data[sample * bits + bit] = value;
        targets.data[sample] ^= value;
      }
    }
    return { inputs, targets };
  });
}

/**
 * The product of some variables: inputs [n, variables] evenly from −√3 to √3, of variance 1, so that the product has
 * variance 1 for any number of variables; targets [n, 1]. A shallow network needs 2ⁿ neurons to multiply n numbers, a deep
 * one a number in proportion to n (Lin, Tegmark, Rolnick 2017).
 */
export function monomials({
  variables = 4,
  ...options
}: SyntheticOptions & { readonly variables?: number } = {}): Split {
  checkWhole("monomials", "variables", variables);
  return makeSplit(`product of ${variables} variables`, [], options, (count, source) => {
    const inputs = source.uniform([count, variables], -Math.sqrt(3), Math.sqrt(3));
    const targets = zeros([count, 1]);
    for (let sample = 0; sample < count; sample++) {
      const factors = inputs.data.subarray(sample * variables, (sample + 1) * variables);
      targets.data[sample] = factors.reduce((product, factor) => product * factor, 1);
    }
    return { inputs, targets };
  });
}

/** What spirals look like. */
export interface SpiralsOptions extends SyntheticOptions {
  /** Number of arms, each a class. */
  readonly arms?: number;
  /** How often an arm goes around. */
  readonly turns?: number;
  /** Deviation of the points from their arm; its outer radius is 1. */
  readonly noise?: number;
}

/** Points of the plane [n, 2] on arms that wind around each other, and the number of the arm (Lang and Witbrock 1988). */
export function spirals({ arms = 2, turns = 1.5, noise = 0.02, ...options }: SpiralsOptions = {}): Split {
  checkWhole("spirals", "arms", arms);
  if (!(turns > 0 && noise >= 0)) {
    throw new Error(
      `spirals: turns must be > 0 and noise ≥ 0, got ${turns} and ${noise}; try { turns: 1.5, noise: 0.02 }`,
    );
  }
  const classes = Array.from({ length: arms }, (_, arm) => `arm ${arm + 1}`);
  return makeSplit("spirals", classes, options, (count, source) => {
    const inputs = zeros([count, 2]);
    const targets = zeros([count], "int32");
    for (let sample = 0; sample < count; sample++) {
      const arm = sample % arms;
      // The root spreads the points evenly over the plane instead of crowding them in the middle.
      const radius = Math.sqrt(source.nextUniform());
      const angle = 2 * Math.PI * (turns * radius + arm / arms);
      inputs.data[2 * sample] = radius * Math.cos(angle) + noise * source.nextNormal();
      inputs.data[2 * sample + 1] = radius * Math.sin(angle) + noise * source.nextNormal();
      targets.data[sample] = arm;
    }
    return { inputs, targets };
  });
}

/** How long sequences are. */
export interface SequenceOptions extends SyntheticOptions {
  readonly length?: number;
}

/**
 * The adding problem (Hochreiter and Schmidhuber 1997, experiment 4): in a sequence of random numbers from 0 to 1 two are
 * marked, one in each half, and their sum is asked for. Inputs [n, length, 2] of number and mark; targets [n, 1]. Whoever
 * always answers 1 has a mean squared error of 1/6.
 */
export function addingProblem({ length = 20, ...options }: SequenceOptions = {}): Split {
  if (!Number.isInteger(length) || length < 2) {
    throw new Error(`addingProblem: length must be a whole number ≥ 2, got ${length}; give one such as 20`);
  }
  const half = Math.floor(length / 2);
  return makeSplit(`adding problem of length ${length}`, [], options, (count, source) => {
    const inputs = zeros([count, length, 2]);
    const targets = zeros([count, 1]);
    for (let sample = 0; sample < count; sample++) {
      const start = sample * length * 2;
      for (let step = 0; step < length; step++) inputs.data[start + 2 * step] = source.nextUniform();
      const first = Math.floor(source.nextUniform() * half);
      const second = half + Math.floor(source.nextUniform() * (length - half));
      for (const step of [first, second]) {
        inputs.data[start + 2 * step + 1] = 1;
        targets.data[sample] += inputs.data[start + 2 * step];
      }
    }
    return { inputs, targets };
  });
}

/**
 * Which symbol came first? Sequences of symbols as vectors of one 1, [n, length, symbols]; the class is the first one, all
 * others are there to distract. How far a network can remember is how long the sequence may be.
 */
export function firstSymbol({
  length = 20,
  symbols = 4,
  ...options
}: SequenceOptions & { readonly symbols?: number } = {}): Split {
  checkWhole("firstSymbol", "length", length);
  checkWhole("firstSymbol", "symbols", symbols);
  const classes = Array.from({ length: symbols }, (_, symbol) => `symbol ${symbol + 1}`);
  return makeSplit(`first of ${length} symbols`, classes, options, (count, source) => {
    const inputs = zeros([count, length, symbols]);
    const targets = zeros([count], "int32");
    for (let sample = 0; sample < count; sample++) {
      for (let step = 0; step < length; step++) {
        const symbol = Math.floor(source.nextUniform() * symbols);
        inputs.data[(sample * length + step) * symbols + symbol] = 1;
        if (step === 0) targets.data[sample] = symbol;
      }
    }
    return { inputs, targets };
  });
}
