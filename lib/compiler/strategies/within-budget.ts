import { Rematerialisation } from "./rematerialise.ts";
import { reuse } from "./reuse.ts";
import { type MemoryStrategy, type PlanContext, type StrategyPlan, sameBits } from "./strategy.ts";

/** Bytes of the whole arena, or a share such as `"40%"` of what keeping everything takes beyond what is always there. */
export type Budget = number | string;

/**
 * Fits a training step into a budget with the least extra work: nothing where reuse is enough, else rematerialisation.
 * A percentage means as many bytes for every step that the strategy is used for as for the largest before it.
 *
 * @throws Error if the budget is neither bytes nor a percentage
 */
export function withinBudget(budget: Budget): MemoryStrategy {
  checkBudget(budget);
  // What is shared out is that of the whole batch: a smaller last one may take as much, and could not do with its share
  // of what it takes itself, because gradients of weights are as large as ever.
  let most = 0;
  return {
    name: `budget ${typeof budget === "number" ? `${budget.toLocaleString("en")} B` : budget}`,
    summary: "fits the step into a budget with the least extra work",
    storage: "reused",
    results: sameBits,
    plan(context) {
      const bytes = Math.max(most, budgetBytes(budget, context));
      most = bytes;
      const plain = context.plan(context.graph);
      const asked = `${bytes.toLocaleString("en")} B`;
      if (plain.arenaBytes <= bytes) {
        const plan: StrategyPlan = reuse.plan(context);
        return { ...plan, reason: `Reuse alone takes ${plain.arenaBytes.toLocaleString("en")} B of ${asked}.` };
      }
      const { reason, ...plan } = new Rematerialisation(context).plan(bytes);
      const without = plain.arenaBytes.toLocaleString("en");
      return { ...plan, reason: `Reuse alone takes ${without} B, so operations are repeated: ${reason}` };
    },
  };
}

/** A budget in bytes. */
function budgetBytes(budget: Budget, context: PlanContext): number {
  if (typeof budget === "number") return budget;
  const { graph, residentBytes } = context;
  const everything = context.plan(graph, "apart").arenaBytes - residentBytes;
  return Math.floor(residentBytes + (Number.parseFloat(budget) / 100) * everything);
}

function checkBudget(budget: Budget): void {
  const share = typeof budget === "string" && /^\d+(\.\d+)?\s?%$/.test(budget);
  if (share || (typeof budget === "number" && budget > 0 && Number.isFinite(budget))) return;
  throw new Error(
    `memory: a budget must be bytes or a percentage, got ${JSON.stringify(budget)}; give { budget: 2e9 } or { budget: "40%" }`,
  );
}
