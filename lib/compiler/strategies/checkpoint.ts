import { Replay } from "../rematerialisation/replay.ts";
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
  const replay = new Replay(tape);
  for (const [number, { forward, boundary }] of segments.entries()) {
    for (const position of forward) replay.run(position);
    if (number < segments.length - 1) replay.forget(internalsOf(tape, forward, boundary));
  }
  for (const { backward } of [...segments].reverse()) for (const position of backward) replay.run(position);
  return replay.graph();
}

/** The values that some operations make, but for those that are told. */
export function internalsOf(
  { graph, root }: Tape,
  positions: readonly number[],
  except: readonly number[],
): readonly number[] {
  const kept = new Set(except);
  return positions.flatMap((position) =>
    graph.operations[position].outputs.map(({ id }) => root[id]).filter((id) => !kept.has(id)),
  );
}
