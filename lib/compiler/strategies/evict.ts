import { Eviction } from "../rematerialisation/eviction.ts";
import { formatAmount } from "./format.ts";
import { type MemoryStrategy, type PlanContext, sameBits, type TargetPlan } from "./strategy.ts";

/** Settings of online eviction. */
export interface EvictOptions {
  /** Bytes of the whole arena that the step must fit; what one more forward pass at most buys, where nothing is said. */
  readonly bytes?: number;
}

/** Times that the limit is corrected by what the target takes beyond it. */
const mostCorrections = 12;
const bisections = 14;

/**
 * Runs the step as if nothing of it were known before, and when memory is full drops what is cheap, large and long
 * unused, to make it again when somebody asks (Kirisame et al., "Dynamic tensor rematerialization", 2021). Decided on
 * paper, once: every step then evicts the same, so the schedule is fixed like any other's.
 */
export function evict({ bytes }: EvictOptions = {}): MemoryStrategy {
  return {
    name: "evict",
    summary: "drops what is cheap, large and long unused when memory is full, as an online cache would",
    storage: "reused",
    results: sameBits,
    plan(context) {
      const eviction = bytes === undefined ? forOneForward(context) : within(context, bytes);
      const dropped = eviction.evictions.toLocaleString("en");
      return { graph: eviction.replay.graph(), reason: `${dropped} values were dropped when memory was full.` };
    },
  };
}

/** The smallest limit whose extra work is at most a forward pass's. */
function forOneForward({ tape }: PlanContext): Eviction {
  const forward = tape.forward.reduce((sum, position) => sum + tape.flops[position], 0);
  let best = new Eviction(tape, Number.POSITIVE_INFINITY);
  let [low, high] = [0, best.peakBytes];
  for (let step = 0; step < bisections; step++) {
    const limit = (low + high) / 2;
    const tried = new Eviction(tape, limit, forward);
    const holds = !tried.isGivenUp && tried.replay.extraFlops <= forward && tried.peakBytes < best.peakBytes;
    if (holds) [best, high] = [tried, limit];
    else low = limit;
  }
  return best;
}

/** A plan that the target fits into a budget: what it takes beyond the values on paper is corrected for. */
function within(context: PlanContext, bytes: number): Eviction {
  const { tape, residentBytes } = context;
  const everything = tape.flops.reduce((sum, flops) => sum + flops, 0);
  let limit = bytes - residentBytes;
  let smallest: TargetPlan | undefined;
  for (let correction = 0; correction < mostCorrections && limit > 0; correction++) {
    // Nobody waits for ten times the step.
    const tried = new Eviction(tape, limit, 10 * everything);
    if (tried.isGivenUp) break;
    const target = context.plan(tried.replay.graph());
    if (target.arenaBytes <= bytes) return tried;
    if (smallest === undefined || target.arenaBytes < smallest.arenaBytes) smallest = target;
    limit -= Math.max(target.arenaBytes - bytes, 0.01 * limit);
  }
  const least = smallest === undefined ? "none found" : formatAmount(smallest.arenaBytes);
  throw new Error(
    `memory: the budget must hold the smallest plan, got ${formatAmount(bytes)} for at least ${least} by eviction ` +
      `(its peak is at ${smallest?.peakStep ?? "the first step"}); raise the budget or lower the batch`,
  );
}
