import type { Model } from "../nn/index.ts";
import { type CompileOptions, compile } from "./compile.ts";

/** What a budget costs. */
export interface FrontierPoint {
  readonly budgetBytes: number;
  readonly arenaBytes: number;
  /** Arithmetic that is repeated, as a share of a step's, and the least that any plan repeats. */
  readonly extraWork: number;
  readonly leastExtraWork: number;
}

/** Work against memory for one network, from the least memory that one more forward pass buys to no extra work. */
export interface FrontierReport {
  readonly kind: "memory-frontier";
  readonly title: string;
  readonly points: readonly FrontierPoint[];
}

/** How much work less memory costs, over budgets from the least that one more forward pass buys to what reuse takes. */
export function memoryFrontier(
  model: Model,
  { points = 8, ...options }: Omit<CompileOptions, "memory"> & { readonly points?: number } = {},
): FrontierReport {
  if (!Number.isInteger(points) || points < 2) {
    throw new Error(`memory frontier: points must be a whole number ≥ 2, got ${points}; give { points: 8 }`);
  }
  const most = compile(model, { ...options, memory: "reuse" }).memory.arenaBytes;
  const least = compile(model, { ...options, memory: "rematerialise" }).memory.arenaBytes;
  const found = Array.from({ length: points }, (_, index): FrontierPoint => {
    const budgetBytes = Math.ceil(least + ((most - least) * index) / (points - 1));
    const { arenaBytes, strategy } = compile(model, { ...options, memory: { budget: budgetBytes } }).memory;
    const { flops, extraFlops, leastExtraFlops = 0 } = strategy ?? { flops: 1, extraFlops: 0 };
    return { budgetBytes, arenaBytes, extraWork: extraFlops / flops, leastExtraWork: leastExtraFlops / flops };
  });
  return { kind: "memory-frontier", title: `Work against memory: ${model.name}`, points: found };
}
