import { type Chain, optimalChainPlan, revolveForwardSteps } from "../../memory/index.ts";
import { Replay } from "../rematerialisation/replay.ts";
import { mergeStages, type Stage, stagesOf } from "../rematerialisation/stages.ts";
import type { Tape } from "../rematerialisation/tape.ts";
import { internalsOf } from "./checkpoint.ts";
import { type MemoryStrategy, sameBits } from "./strategy.ts";

/** Settings of Revolve. */
export interface RevolveOptions {
  /** How many results of stages may be kept at once; as few as let no stage be gone over more than twice, unless told. */
  readonly checkpoints?: number;
}

/** Stages at most: the time to plan grows with their third power. */
const mostStages = 200;

/**
 * Takes stages for equal steps and keeps so many results of them at once, those with which the fewest steps are gone
 * over again (Griewank and Walther, "Algorithm 799: Revolve", 2000). A stage's inside is made again when its backward
 * comes, from its input: memory grows with the logarithm of depth where the repetitions may.
 */
export function revolve({ checkpoints }: RevolveOptions = {}): MemoryStrategy {
  if (checkpoints !== undefined && (!Number.isInteger(checkpoints) || checkpoints < 1)) {
    throw new Error(`revolve: checkpoints must be a whole number ≥ 1, got ${checkpoints}; give { checkpoints: 4 }`);
  }
  return {
    name: "revolve",
    summary: "keeps a fixed number of checkpoints, moved so that the fewest steps are gone over again",
    storage: "reused",
    results: sameBits,
    plan({ tape }) {
      const stages = mergeStages(tape, stagesOf(tape), mostStages);
      const slots = Math.min(checkpoints ?? fewestSlots(stages.length), Math.max(1, stages.length - 1));
      return {
        graph: replayRevolve(tape, stages, slots),
        reason:
          `${stages.length} stages with ${slots} checkpoints: the forward pass goes ` +
          `${revolveForwardSteps(stages.length, slots)} steps, and once more inside each stage when its backward comes.`,
      };
    },
  };
}

/** The fewest checkpoints with which no step is gone over more than twice: (c + 1) (c + 2) / 2 steps can be reached. */
function fewestSlots(steps: number): number {
  let slots = 1;
  while (((slots + 1) * (slots + 2)) / 2 < steps) slots++;
  return slots;
}

function replayRevolve(tape: Tape, stages: readonly Stage[], slots: number) {
  const step = { forwardCost: 1, backwardCost: 1, activationBytes: 1, gradientBytes: 0 };
  const chain: Chain = { layers: stages.map(() => step), inputGradientBytes: 0, overwrites: true };
  // The input is a checkpoint to Revolve; here it is there anyway, and the step on its way takes its place.
  const { actions } = optimalChainPlan(chain, slots);
  const replay = new Replay(tape);
  const ran = new Set<number>();
  const forward = (stage: number): void => {
    const { forward: positions, boundary } = stages[stage];
    if (ran.has(stage)) for (const id of boundary) replay.need(id);
    else for (const position of positions) replay.run(position);
    ran.add(stage);
    replay.forget(internalsOf(tape, positions, boundary));
  };
  // Something may pass through several stages: it goes with the last result of which it is part.
  const there = new Set<number>();
  const leave = (stage: number): void => {
    there.delete(stage);
    const kept = new Set([...there].flatMap((other) => stages[other].boundary));
    replay.forget(stages[stage].boundary.filter((id) => !kept.has(id)));
  };
  for (const action of actions) {
    const stage = action.layer - 1;
    const { forward: positions, backward, boundary } = stages[stage];
    switch (action.kind) {
      case "forward":
      case "recompute":
        forward(stage);
        there.add(stage);
        if (action.overwrite) leave(stage - 1);
        break;
      case "backward":
        // The last stage goes forward here for the first time.
        if (!ran.has(stage)) for (const position of positions) replay.run(position);
        ran.add(stage);
        for (const position of backward) replay.run(position);
        replay.forget(internalsOf(tape, positions, boundary));
        break;
      case "free":
        if (there.has(stage) && action.value === "activation") leave(stage);
        break;
      case "checkpoint":
    }
  }
  return replay.graph();
}
