/** What a buffer is for; every byte of a program belongs to exactly one category. */
export type MemoryCategory = "weights" | "optimizer" | "inputs" | "activations" | "gradients" | "workspace";

/** The order in which categories are stacked, from what always stays to what comes and goes. */
export const memoryCategories: readonly MemoryCategory[] = [
  "weights",
  "optimizer",
  "inputs",
  "activations",
  "gradients",
  "workspace",
];

/** One step of a program as a memory report names it. */
export interface StepLabel {
  /** The operators executed, such as `matmul + addBias + relu`. */
  readonly name: string;
  readonly phase: "forward" | "backward" | "update";
  /** The layer that the step belongs to, such as `dense1`. */
  readonly layer: string;
  /** Which operations it executes, by their positions in the schedule; absent where a report is not of a schedule. */
  readonly operations?: readonly number[];
}

/** One planned buffer with what a reader wants to know about it. Steps are half-open: alive in [start, end). */
export interface BufferLabel {
  readonly name: string;
  readonly layer: string;
  readonly category: MemoryCategory;
  /** Shape and dtype, such as `float32[64,128]`. */
  readonly type: string;
  readonly bytes: number;
  readonly offset: number;
  readonly start: number;
  readonly end: number;
}

/** What was done to fit a program into memory, and what it costs. */
export interface StrategyReport {
  /** Names of the strategies, in the order in which they were applied. */
  readonly names: readonly string[];
  /** Why these, in a sentence or two; what was asked for and what came out. */
  readonly reason: string;
  /** Arithmetic of one step without the strategies, and what they add by computing again. */
  readonly flops: number;
  readonly extraFlops: number;
  /** No plan within the budget adds less arithmetic than this, where there is a budget and a bound is known. */
  readonly leastExtraFlops?: number;
  /** How long a step takes by plan, where a strategy plans time. */
  readonly plannedSeconds?: number;
  /** Operations that are computed again. */
  readonly recomputedOperations: number;
  /** What happens to results: nothing at all, or what changes and within which tolerance. */
  readonly results: string;
}

/** Where every byte of a program's arena goes, step by step: plain data, ready to be drawn. */
export interface MemoryReport {
  readonly kind: "memory";
  readonly title: string;
  readonly steps: readonly StepLabel[];
  readonly buffers: readonly BufferLabel[];
  /** `live[category][step]`: bytes of that category alive during the step. */
  readonly live: Readonly<Record<MemoryCategory, readonly number[]>>;
  /** The step with most live bytes, and how many. */
  readonly peak: { readonly step: number; readonly bytes: number };
  /** The arena's size: what execution really takes. */
  readonly arenaBytes: number;
  /** Bytes of the host's memory that a strategy moves things to; absent where there are none. */
  readonly hostBytes?: number;
  /** What was done to make it fit; absent where nothing was asked for. */
  readonly strategy?: StrategyReport;
}

/**
 * Adds up live bytes by category for every step, and finds the peak.
 *
 * Cost: O(buffers + steps), by differences at the ends of each lifespan.
 */
export function memoryReport(
  title: string,
  steps: readonly StepLabel[],
  buffers: readonly BufferLabel[],
  arenaBytes: number,
): MemoryReport {
  const live = Object.fromEntries(
    memoryCategories.map((category) => [category, new Array<number>(steps.length).fill(0)]),
  ) as Record<MemoryCategory, number[]>;
  for (const { category, bytes, start, end } of buffers) {
    if (start >= steps.length) continue;
    live[category][start] += bytes;
    if (end < steps.length) live[category][end] -= bytes;
  }
  const peak = { step: 0, bytes: 0 };
  for (let step = 0; step < steps.length; step++) {
    let total = 0;
    for (const category of memoryCategories) {
      if (step > 0) live[category][step] += live[category][step - 1];
      total += live[category][step];
    }
    if (total > peak.bytes) Object.assign(peak, { step, bytes: total });
  }
  return { kind: "memory", title, steps, buffers, live, peak, arenaBytes };
}
