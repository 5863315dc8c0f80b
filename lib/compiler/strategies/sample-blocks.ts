import { type MemoryStrategy, sameBits } from "./strategy.ts";

/** Settings of sample blocks. */
export interface SampleBlocksOptions {
  /** How many samples go through the layers together; 4 unless told, or as many as divide the batch. */
  readonly samples?: number;
  /** Whether sums over samples, such as weights' gradients, grow block by block as well; not unless told. */
  readonly sums?: boolean;
}

/** Enough samples that loops over them still fill tiles of four rows. */
const usualSamples = 4;

/**
 * Lets a few samples at a time go through all neighbouring steps that know each sample by itself, before the next samples
 * do: depth first instead of layer by layer, as loops over images are tiled in stencil compilers (Halide: Ragan-Kelley et
 * al. 2013) and layers in accelerators (Alwani et al., "Fused-layer CNN accelerators", 2016). What passes between the
 * steps is there for one block alone, and margins are put around a block's pictures alone.
 */
export function sampleBlocks({ samples = usualSamples, sums = false }: SampleBlocksOptions = {}): MemoryStrategy {
  if (!Number.isInteger(samples) || samples < 1) {
    throw new Error(`sample-blocks: there must be a whole number ≥ 1 of samples, got ${samples}; give { samples: 4 }`);
  }
  return {
    name: sums ? "depth-first" : "sample-blocks",
    summary: sums
      ? "as sample-blocks, and back as well: weights' gradients grow from block to block"
      : "lets a few samples at a time go through neighbouring layers, so that what passes between is never whole",
    storage: "reused",
    results: sums ? "sums over samples are added in another order (a few units in the last place)" : sameBits,
    forAnswers: true,
    plan(context) {
      const { graph } = context;
      const data = graph.inputs.filter(({ role }) => role === "data").map(({ value }) => value.type.shape[0]);
      const [batch = 1] = data;
      const together = largestDivisor(batch, samples);
      if (together === batch || data.some((extent) => extent !== batch)) {
        return { graph, reason: `The batch stays whole: ${samples} samples or fewer do not divide it.` };
      }
      const blocks = { batch, samples: together, ...(sums ? { sums } : {}) };
      const [whole, inBlocks] = [context.plan(graph), context.plan(graph, "reused", blocks)];
      // All that a run of steps keeps is there at once; where the steps free more than blocks spare, they stay apart.
      if (inBlocks.arenaBytes > whole.arenaBytes) {
        return { graph, reason: "The batch stays whole: in blocks it would take more memory." };
      }
      return { graph, reason: `${together} of ${batch} samples at a time.`, sampleBlocks: blocks };
    },
  };
}

function largestDivisor(of: number, atMost: number): number {
  let divisor = Math.min(of, atMost);
  while (of % divisor !== 0) divisor--;
  return divisor;
}
