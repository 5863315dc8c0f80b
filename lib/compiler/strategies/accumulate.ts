import type { MemoryStrategy } from "./strategy.ts";

/**
 * Takes a step in micro-batches, one after the other, and adds up their gradients before the one update: activations of
 * one micro-batch at a time, and a gradient for every weight from the first to the last (Huang et al., "GPipe", 2019,
 * where micro-batches also fill a pipeline). Composes with all others, which then plan a micro-batch.
 *
 * @param microBatches how many; the batch must be a multiple of it
 */
export function accumulate(microBatches: number): MemoryStrategy {
  if (!Number.isInteger(microBatches) || microBatches < 1) {
    throw new Error(
      `accumulate: there must be a whole number ≥ 1 of micro-batches, got ${microBatches}; give { accumulate: 4 }`,
    );
  }
  return {
    name: `accumulate ${microBatches}`,
    summary: "takes a step in micro-batches and adds up their gradients",
    storage: "reused",
    results:
      "gradients are sums in another order (a few units in the last place); batch normalisation sees micro-batches and dropout drops anew in each: another algorithm",
    microBatches,
    plan: ({ graph }) => ({ graph, reason: `${microBatches} micro-batches, whose gradients are added up.` }),
  };
}

/** Into how many micro-batches strategies cut a step together. */
export function microBatchesOf(strategies: readonly MemoryStrategy[]): number {
  return strategies.reduce((product, { microBatches = 1 }) => product * microBatches, 1);
}

/**
 * Into how many equal micro-batches a batch is cut so that none has more samples than this; the last batch of an epoch
 * may be one that more pieces divide than the others.
 */
export function microBatchesFor(batch: number, mostSamples: number): number {
  let count = Math.ceil(batch / mostSamples);
  while (batch % count !== 0) count++;
  return count;
}
