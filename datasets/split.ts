import { type Dataset, sampleCount } from "../lib/formats/index.ts";
import { type DataOf, type HostTensor, random, zeros } from "../lib/tensor/index.ts";

/** A data set in two parts: what to learn from and what to be tested on. */
export interface Split {
  readonly train: Dataset;
  readonly test: Dataset;
}

/** How to divide a data set. */
export interface SplitOptions {
  /** Samples for the test: a share below 1, or a number; a fifth unless told otherwise. */
  readonly test?: number;
  /** Which samples go where; 1 unless told otherwise. */
  readonly seed?: number;
}

/**
 * Divides a data set at random into two parts without a common sample.
 *
 * @throws Error if a part would be empty
 */
export function splitDataset(dataset: Dataset, { test = 0.2, seed = 1 }: SplitOptions = {}): Split {
  const count = sampleCount(dataset);
  const held = test < 1 ? Math.round(test * count) : test;
  if (!Number.isInteger(held) || held < 1 || held >= count) {
    throw new Error(
      `split: both parts must have samples, got ${test} for the test of ${count} (in ${dataset.name}); give a share such as 0.2`,
    );
  }
  const order = random(seed).permutation(count);
  return {
    train: chooseSamples(dataset, order.subarray(held), `${dataset.name}, train`),
    test: chooseSamples(dataset, order.subarray(0, held), `${dataset.name}, test`),
  };
}

function chooseSamples(dataset: Dataset, order: Uint32Array, name: string): Dataset {
  return { ...dataset, name, inputs: chooseRows(dataset.inputs, order), targets: chooseRows(dataset.targets, order) };
}

function chooseRows<T extends HostTensor>(source: T, order: Uint32Array): T {
  const [count, ...sample] = source.shape;
  const chosen = zeros([order.length, ...sample], source.dtype);
  const size = source.data.length / count;
  for (const [row, from] of order.entries()) {
    (chosen.data as DataOf).set(source.data.subarray(from * size, (from + 1) * size) as never, row * size);
  }
  return chosen as unknown as T;
}
