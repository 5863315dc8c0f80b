import * as assert from "uvu/assert";
import { philox, random } from "../../../lib/tensor/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("random numbers");

// Known answers published with the Random123 library of the generator's authors (kat_vectors, philox4x32 10 rounds).
const known: [counter: number[], key: [number, number], result: number[]][] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];
for (const [counter, key, expected] of known) {
  test(`Philox gives its authors' answer for the counter ${counter[0].toString(16)}`, () => {
    const result = new Uint32Array(4);
    philox(Uint32Array.from(counter), ...key, result);
    assert.equal([...result], expected);
  });
}

test("one seed gives one sequence, another seed or stream another", () => {
  const draw = (seed: number, stream = 0): number[] => [...random(seed, stream).uniform([8]).data];
  assert.equal(draw(7), draw(7));
  assert.not.equal(draw(7), draw(8));
  assert.not.equal(draw(7), draw(7, 1));
});

test("uniform numbers fill their range evenly, normal numbers have their mean and deviation", () => {
  const count = 200_000;
  const uniform = random(1).uniform([count], -1, 3).data;
  const bins = new Array<number>(16).fill(0);
  for (const value of uniform) {
    assert.ok(value >= -1 && value <= 3);
    bins[Math.min(15, Math.floor((value + 1) * 4))]++;
  }
  // Six standard deviations of a bin's count.
  for (const bin of bins) assert.ok(Math.abs(bin - count / 16) < 6 * Math.sqrt(count / 16));
  const normal = random(2).normal([count], 5, 2).data;
  const mean = normal.reduce((sum, value) => sum + value, 0) / count;
  const variance = normal.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  assert.ok(Math.abs(mean - 5) < (6 * 2) / Math.sqrt(count));
  assert.ok(Math.abs(variance - 4) < 6 * 4 * Math.sqrt(2 / count));
});

test("a permutation holds every number once", () => {
  const order = random(3).permutation(1000);
  assert.equal(
    [...order].sort((a, b) => a - b),
    Array.from({ length: 1000 }, (_, index) => index),
  );
  assert.not.equal([...order.slice(0, 10)], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("a seed that is not a whole number ≥ 0 is refused", () => {
  assert.throws(() => random(-1), "random: a seed must be a whole number");
  assert.throws(() => random(0.5), "got 0.5");
});

test.run();
