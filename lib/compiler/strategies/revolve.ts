import { type Chain, optimalChainPlan, revolveForwardSteps, smallestChainBudget } from "../../memory/index.ts";
import type { Replay } from "../rematerialisation/replay.ts";
import { stageCosts } from "../rematerialisation/stage-options.ts";
import { StageReplay } from "../rematerialisation/stage-replay.ts";
import { mergeStages, type Stage, stagesOf } from "../rematerialisation/stages.ts";
import type { Tape } from "../rematerialisation/tape.ts";
import { formatAmount } from "./format.ts";
import { type MemoryStrategy, type PlanContext, type StrategyPlan, sameBits, type TargetPlan } from "./strategy.ts";

/** Settings of Revolve: at most one of them. */
export interface RevolveOptions {
  /** How many results of stages may be kept at once; as few as let no stage be gone over more than twice, unless told. */
  readonly checkpoints?: number;
  /** Bytes of the whole arena that the step must fit: checkpoints for stages of the sizes and costs that they have. */
  readonly bytes?: number;
}

/** Stages at most: the time to plan grows with their third power. */
const mostStages = 200;
/** Stages at most where they are not equal: a budget is planned for again and again. */
const mostUnequalStages = 100;
/** Plans that are tried for a budget. */
const mostTrials = 12;

/**
 * Keeps so many results of stages at once, those with which the fewest steps are gone over again: stages are taken for
 * equal (Griewank and Walther, "Algorithm 799: Revolve", 2000), or within a budget of bytes for what they are (the
 * dynamic programme of `optimalChainPlan`). A stage's inside is made again when its backward comes, from its input:
 * memory grows with the logarithm of depth where the repetitions may.
 */
export function revolve({ checkpoints, bytes }: RevolveOptions = {}): MemoryStrategy {
  if (checkpoints !== undefined && (!Number.isInteger(checkpoints) || checkpoints < 1)) {
    throw new Error(`revolve: checkpoints must be a whole number ≥ 1, got ${checkpoints}; give { checkpoints: 4 }`);
  }
  if (checkpoints !== undefined && bytes !== undefined) {
    throw new Error(
      `revolve: checkpoints or bytes must be given, not both, got ${checkpoints} and ${bytes}; leave one of them out`,
    );
  }
  return {
    name: "revolve",
    summary: "keeps a fixed number of checkpoints, moved so that the fewest steps are gone over again",
    storage: "reused",
    results: sameBits,
    plan(context) {
      if (bytes !== undefined) return withinBytes(context, bytes);
      const { tape } = context;
      const stages = mergeStages(tape, stagesOf(tape), mostStages);
      const slots = Math.min(checkpoints ?? fewestSlots(stages.length), Math.max(1, stages.length - 1));
      const step = { forwardCost: 1, backwardCost: 1, activationBytes: 1, gradientBytes: 0 };
      // The input is a checkpoint to Revolve; here it is there anyway, and the step on its way takes its place.
      const chain: Chain = { layers: stages.map(() => step), inputGradientBytes: 0, overwrites: true };
      return {
        graph: replayChain(tape, stages, chain, slots).graph(),
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

/** The plan within a budget, or the error that says the smallest. */
function withinBytes(context: PlanContext, bytes: number): StrategyPlan {
  const found = chainPlanWithin(context, bytes);
  if ("graph" in found) return found;
  throw new Error(
    `memory: the budget must hold the smallest plan, got ${formatAmount(bytes)} for at least ${formatAmount(found.arenaBytes)} ` +
      `of revolve (its peak is at ${found.peakStep}); raise the budget or lower the batch`,
  );
}

/**
 * The cheapest plan that the target fits into a budget, or what the smallest takes where none fits. A chain knows what
 * passes between stages; what is inside them comes on top, so the bytes that checkpoints may take are found by halves.
 */
export function chainPlanWithin(context: PlanContext, bytes: number): StrategyPlan | TargetPlan {
  const { tape } = context;
  const stages = mergeStages(tape, stagesOf(tape), mostUnequalStages);
  const chain = unequalChain(tape, stages);
  let low = smallestChainBudget(chain);
  let high = chain.layers.reduce((sum, layer) => sum + layer.activationBytes + layer.gradientBytes, low);
  let best: { readonly replay: Replay; readonly target: TargetPlan } | undefined;
  for (let trial = 0; trial < mostTrials; trial++) {
    // The least first: without it nothing fits.
    const limit = trial === 0 ? low : (low + high) / 2;
    const replay = replayChain(tape, stages, chain, limit);
    const target = context.plan(replay.graph());
    if (target.arenaBytes <= bytes) {
      if (best === undefined || replay.extraFlops < best.replay.extraFlops) best = { replay, target };
      low = limit;
    } else if (trial === 0) return target;
    else high = limit;
  }
  const { replay, target } = best as NonNullable<typeof best>;
  return {
    graph: replay.graph(),
    reason: `${stages.length} stages of unequal sizes and costs; the fewest operations again that fit ${formatAmount(bytes)} take ${formatAmount(target.arenaBytes)}.`,
  };
}

/** Stages with the sizes and costs that they have. */
function unequalChain(tape: Tape, stages: readonly Stage[]): Chain {
  const costs = stageCosts(tape, stages);
  const layers = costs.map(({ forwardFlops, boundaryBytes, gradientBytes }, stage) => ({
    forwardCost: forwardFlops,
    backwardCost: stages[stage].backward.reduce((sum, position) => sum + tape.flops[position], 0),
    activationBytes: boundaryBytes,
    gradientBytes,
  }));
  return { layers, inputGradientBytes: 0 };
}

/** Goes through stages as the best plan for a chain does. */
function replayChain(tape: Tape, stages: readonly Stage[], chain: Chain, budget: number): Replay {
  const { actions } = optimalChainPlan(chain, budget);
  const run = new StageReplay(tape, stages);
  // Something may pass through several stages: it goes with the last result of which it is part.
  const there = new Set<number>();
  const leave = (stage: number): void => {
    there.delete(stage);
    const kept = new Set([...there].flatMap((other) => stages[other].boundary));
    run.replay.forget(stages[stage].boundary.filter((id) => !kept.has(id)));
  };
  for (const action of actions) {
    const stage = action.layer - 1;
    switch (action.kind) {
      case "forward":
      case "recompute":
        run.forward(stage);
        run.forgetInside(stage);
        there.add(stage);
        if (action.overwrite) leave(stage - 1);
        break;
      case "backward":
        // The last stage goes forward here for the first time.
        if (!run.hasRun(stage)) run.forward(stage);
        run.backward(stage);
        run.forgetInside(stage);
        break;
      case "free":
        if (there.has(stage) && action.value === "activation") leave(stage);
        break;
      case "checkpoint":
    }
  }
  return run.replay;
}
