import type { HostTensor } from "../tensor/index.ts";

/** Samples with what should be answered to each: a piece of a stream, or a whole data set. */
export interface Samples {
  /** Shape [samples, …sample]. */
  readonly inputs: HostTensor<"uint8" | "float32">;
  /** What an input is multiplied with on its way into a network, such as 1 / 255 for bytes of grey; 1 where left out. */
  readonly scale?: number;
  /** Class numbers, shape [samples], or values to be met, shape [samples, …]. */
  readonly targets: HostTensor<"int32" | "float32">;
}

/** All samples that there are, in memory, as readers of data give them. */
export interface Dataset extends Samples {
  readonly kind: "dataset";
  readonly name: string;
  readonly scale: number;
  /** Names of the classes by number; empty where targets are values. */
  readonly classes: readonly string[];
}

/** Number of samples. */
export function sampleCount(dataset: Dataset): number {
  return dataset.inputs.shape[0];
}

/**
 * Samples `from` up to, but without, `to`; the bytes are shared, not copied.
 *
 * @throws Error if the range does not lie within the data set
 */
export function sliceDataset(dataset: Dataset, from: number, to: number): Dataset {
  const count = sampleCount(dataset);
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to < from || to > count) {
    throw new Error(
      `slice: 0 ≤ from ≤ to ≤ number of samples must hold, got from ${from} to ${to} of ${count} (in ${dataset.name}); choose a range inside`,
    );
  }
  return { ...dataset, inputs: rows(dataset.inputs, from, to), targets: rows(dataset.targets, from, to) };
}

function rows<T extends HostTensor>(tensor: T, from: number, to: number): T {
  const size = tensor.data.length / Math.max(1, tensor.shape[0]);
  const data = tensor.data.subarray(from * size, to * size);
  return { ...tensor, shape: [to - from, ...tensor.shape.slice(1)], data };
}
