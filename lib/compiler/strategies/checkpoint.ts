import { StageReplay } from "../rematerialisation/stage-replay.ts";
import { mergeStages, type Stage, stagesOf } from "../rematerialisation/stages.ts";
import type { Tape } from "../rematerialisation/tape.ts";
import { type MemoryStrategy, sameBits } from "./strategy.ts";

/** Settings of √n checkpointing. */
export interface CheckpointOptions {
  /** Into how many segments the forward pass is cut; √n for n stages unless told. */
  readonly segments?: number;
}

/**
 * Keeps what passes from one segment of the forward pass to the next, and makes the rest of a segment again when its
 * backward pass comes: with √n segments O(√n) memory for at most one more forward pass (Chen et al., "Training deep
 * nets with sublinear memory cost", 2016). The last segment is kept: its backward comes at once.
 */
export function checkpoint({ segments }: CheckpointOptions = {}): MemoryStrategy {
  if (segments !== undefined && (!Number.isInteger(segments) || segments < 1)) {
    throw new Error(`checkpoint: segments must be a whole number ≥ 1, got ${segments}; give { segments: 4 }`);
  }
  return {
    name: "checkpoint",
    summary: "keeps √n checkpoints and computes what lies between them again: O(√n) memory for one more forward pass",
    storage: "reused",
    results: sameBits,
    plan({ tape }) {
      const stages = stagesOf(tape);
      const count = segments ?? Math.round(Math.sqrt(stages.length));
      const merged = mergeStages(tape, stages, Math.max(1, count));
      return {
        graph: replaySegments(tape, merged),
        reason: `${stages.length} stages in ${merged.length} segments, √n of them unless told otherwise.`,
      };
    },
  };
}

function replaySegments(tape: Tape, segments: readonly Stage[]) {
  const run = new StageReplay(tape, segments);
  const last = segments.length - 1;
  for (const number of segments.keys()) {
    run.forward(number);
    if (number < last) run.forgetInside(number);
  }
  for (let number = last; number >= 0; number--) run.backward(number);
  return run.replay.graph();
}
