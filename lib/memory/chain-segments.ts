import { type Chain, type ChainPlan, ChainRecorder, simulateChain } from "./chain.ts";

/**
 * Keeps the activation at the end of each segment, and makes a segment's inner activations again when its backward
 * comes: with √n segments, memory of O(√n) for one more forward (Chen et al., "Training deep nets with sublinear
 * memory cost", 2016).
 *
 * @param segmentLength layers in a segment; √n of n layers unless told
 */
export function segmentedChainPlan(
  chain: Chain,
  segmentLength = Math.max(1, Math.ceil(Math.sqrt(chain.layers.length))),
): ChainPlan {
  if (!Number.isInteger(segmentLength) || segmentLength < 1) {
    throw new Error(`chain segments: a segment must have 1 layer or more, got ${segmentLength}; give a larger length`);
  }
  const count = chain.layers.length;
  const recorder = new ChainRecorder(chain);
  const starts: number[] = [];
  for (let start = 0; start < count; start += segmentLength) {
    if (start > 0) {
      recorder.advance(start - segmentLength, start);
      recorder.checkpoint(start);
    }
    starts.push(start);
  }
  for (const start of starts.reverse()) {
    const end = Math.min(count, start + segmentLength);
    recorder.advance(start, end - 1, true);
    for (let layer = end; layer > start; layer--) {
      recorder.backward(layer);
      if (layer > 1) recorder.free(layer - 1, "activation");
    }
  }
  return simulateChain(chain, recorder.actions);
}
