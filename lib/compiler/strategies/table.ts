import { accumulate } from "./accumulate.ts";
import { checkpoint } from "./checkpoint.ts";
import { evict } from "./evict.ts";
import { inPlaceOnly } from "./in-place.ts";
import { keepEverything } from "./keep-everything.ts";
import { lowPrecision } from "./low-precision.ts";
import { offload } from "./offload.ts";
import { rematerialise } from "./rematerialise.ts";
import { reuse } from "./reuse.ts";
import { reversible } from "./reversible.ts";
import { revolve } from "./revolve.ts";
import { sampleBlocks } from "./sample-blocks.ts";
import type { MemoryStrategy } from "./strategy.ts";
import { type Budget, withinBudget } from "./within-budget.ts";

/** Every memory strategy by the name under which `compile` knows it, as it is where nothing else is said. */
const strategies = {
  "keep-everything": () => keepEverything,
  "in-place": () => inPlaceOnly,
  reuse: () => reuse,
  "sample-blocks": () => sampleBlocks(),
  "depth-first": () => sampleBlocks({ sums: true }),
  checkpoint: () => checkpoint(),
  revolve: () => revolve(),
  rematerialise: () => rematerialise(),
  evict: () => evict(),
  offload: () => offload(),
  reversible: () => reversible,
  float16: () => lowPrecision({ format: "float16" }),
  bfloat16: () => lowPrecision({ format: "bfloat16" }),
  "8-bit": () => lowPrecision({ format: "8-bit" }),
} as const satisfies Readonly<Record<string, () => MemoryStrategy>>;

/** The name of a memory strategy. */
export type StrategyName = keyof typeof strategies;

/** Names of all memory strategies, from those that take most memory. */
export const strategyNames = Object.keys(strategies) as readonly StrategyName[];

/** Whatever fits a budget; by recomputing alone, unless strategies that change results are allowed besides. */
export interface BudgetChoice {
  readonly budget: Budget;
  readonly allow?: readonly (StrategyName | MemoryStrategy)[];
}

/** One strategy: by name, made to measure, so many micro-batches, or whatever fits a budget with least work. */
export type StrategyChoice = StrategyName | MemoryStrategy | BudgetChoice | { readonly accumulate: number };

/** How a training step is to be fitted into memory: one strategy, or several in turn. */
export type MemoryOption = StrategyChoice | readonly StrategyChoice[];

/**
 * The strategies that an option names.
 *
 * @throws Error listing the names that there are
 */
export function strategiesOf(option: MemoryOption): readonly MemoryStrategy[] {
  if (Array.isArray(option)) return option.flatMap((one) => strategiesOf(one as MemoryOption));
  if (typeof option === "object" && "plan" in option) return [option];
  if (typeof option === "object" && "accumulate" in option) return [accumulate(option.accumulate)];
  if (typeof option === "object" && "budget" in option) {
    return [
      withinBudget(
        option.budget,
        (option.allow ?? []).flatMap((one) => strategiesOf(one)),
      ),
    ];
  }
  if (typeof option === "string" && Object.hasOwn(strategies, option)) return [strategies[option as StrategyName]()];
  throw new Error(
    `memory: a strategy must be known, got ${JSON.stringify(option)}; there are ${strategyNames.join(", ")}`,
  );
}
