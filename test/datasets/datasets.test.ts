import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as assert from "uvu/assert";
import { mnist, syntheticDigits } from "../../datasets/index.ts";
import { suite } from "../support/suite.ts";

const test = suite("data sets");

let folder = "";
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-datasets-"));
});
test.after(async () => {
  await rm(folder, { recursive: true });
});

async function message(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  return "no error";
}

const images = (count: number): Uint8Array => {
  const bytes = new Uint8Array(16 + count * 4).fill(9);
  bytes.set([0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 2, 0, 0, 0, 2]);
  return bytes;
};
const labels = (count: number): Uint8Array => {
  const bytes = new Uint8Array(8 + count).fill(3);
  bytes.set([0, 0, 8, 1, 0, 0, 0, count]);
  return bytes;
};

test("MNIST is whole: 60,000 and 10,000 images, as many of each digit as its makers counted", async () => {
  const { train, test: check } = await mnist();
  assert.equal(train.inputs.shape, [60000, 28, 28]);
  assert.equal(check.inputs.shape, [10000, 28, 28]);
  const counts = new Array<number>(10).fill(0);
  for (const label of train.targets.data) counts[label]++;
  assert.equal(counts, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
  // The mean and deviation of the training pixels that everybody normalises with.
  let sum = 0;
  let squares = 0;
  for (const byte of train.inputs.data) {
    sum += byte / 255;
    squares += (byte / 255) ** 2;
  }
  const mean = sum / train.inputs.data.length;
  assert.is(mean.toFixed(4), "0.1307");
  assert.is(Math.sqrt(squares / train.inputs.data.length - mean ** 2).toFixed(4), "0.3081");
});

test("a missing file is named, with what to do", async () => {
  const said = await message(mnist({ folder: join(folder, "nowhere") }));
  assert.match(said, /^mnist: the file must exist, got none \(.*nowhere.*ubyte or .*\.gz\); run npm install/);
});

test("a damaged file is named with the sum it should have", async () => {
  await writeFile(join(folder, "train-images-idx3-ubyte"), images(2));
  await writeFile(join(folder, "train-labels-idx1-ubyte"), labels(2));
  await writeFile(join(folder, "t10k-images-idx3-ubyte.gz"), gzipSync(images(1)));
  await writeFile(join(folder, "t10k-labels-idx1-ubyte"), gzipSync(labels(1)));
  const said = await message(mnist({ folder }));
  assert.match(said, /^mnist: the contents must have MD5 [0-9a-f]{32}, got [0-9a-f]{32} \(/);
});

test("other files of the format are read where they need not be the original ones, compressed or not", async () => {
  const { train, test: check } = await mnist({ folder, verify: false });
  assert.equal(train.inputs.shape, [2, 2, 2]);
  assert.equal([...check.targets.data], [3]);
  await writeFile(join(folder, "t10k-labels-idx1-ubyte"), gzipSync(labels(4)));
  assert.match(await message(mnist({ folder, verify: false })), "images must be [n,h,w] bytes with n labels");
  await writeFile(join(folder, "t10k-labels-idx1-ubyte"), gzipSync(labels(1)).subarray(0, 12));
  assert.match(await message(mnist({ folder, verify: false })), "a compressed file must unpack");
});

test("synthetic digits are the same for the same seed, and every digit occurs", () => {
  const { train } = syntheticDigits({ train: 300, test: 1, seed: 4 });
  assert.equal(train, syntheticDigits({ train: 300, test: 1, seed: 4 }).train);
  assert.not.equal(train, syntheticDigits({ train: 300, test: 1, seed: 5 }).train);
  assert.is(new Set(train.targets.data).size, 10);
  assert.equal(train.inputs.shape, [300, 28, 28]);
});

test.run();
