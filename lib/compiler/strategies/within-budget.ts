import { formatAmount } from "./format.ts";
import { rooflineSeconds } from "./offload.ts";
import { Rematerialisation } from "./rematerialise.ts";
import { reuse } from "./reuse.ts";
import { type MemoryStrategy, type PlanContext, type StrategyPlan, sameBits } from "./strategy.ts";

/** Bytes of the whole arena, or a share such as `"40%"` of what keeping everything takes beyond what is always there. */
export type Budget = number | string;

/**
 * Fits a training step into a budget with the least extra work: nothing where reuse is enough, else rematerialisation.
 * A percentage means as many bytes for every step that the strategy is used for as for the largest before it.
 * Strategies that are allowed besides, such as lower precision, are tried alone and with rematerialisation on top; of all
 * that fits, the plan of least time by rooflines is taken, and what it does to results is said.
 *
 * @throws Error if the budget is neither bytes nor a percentage, or an allowed strategy cuts the batch
 */
export function withinBudget(budget: Budget, allowed: readonly MemoryStrategy[] = []): MemoryStrategy {
  checkBudget(budget);
  const cutting = allowed.find(({ microBatches }) => microBatches !== undefined);
  if (cutting !== undefined) {
    throw new Error(
      `memory: what a budget allows must leave the batch whole, got ${cutting.name}; write [{ accumulate: 4 }, { budget }] to plan micro-batches`,
    );
  }
  // What is shared out is that of the whole batch: a smaller last one may take as much, and could not do with its share
  // of what it takes itself, because gradients of weights are as large as ever.
  let most = 0;
  return {
    name: `budget ${typeof budget === "number" ? formatAmount(budget) : budget}`,
    summary: "fits the step into a budget with the least extra work",
    storage: "reused",
    results: sameBits,
    plan(context) {
      const bytes = Math.max(most, budgetBytes(budget, context));
      most = bytes;
      const plain = context.plan(context.graph);
      const asked = formatAmount(bytes);
      if (plain.arenaBytes <= bytes) {
        const plan: StrategyPlan = reuse.plan(context);
        return { ...plan, reason: `Reuse alone takes ${formatAmount(plain.arenaBytes)} of ${asked}.` };
      }
      const without = plain.arenaBytes.toLocaleString("en");
      if (allowed.length > 0) {
        const { name, plan } = fastest(context, bytes, allowed);
        return {
          ...plan,
          reason: `Reuse alone takes ${without} B of ${asked}; ${name} takes least time. ${plan.reason}`,
        };
      }
      const { reason, ...plan } = new Rematerialisation(context).plan(bytes);
      return { ...plan, reason: `Reuse alone takes ${without} B, so operations are repeated: ${reason}` };
    },
  };
}

/** A plan that fits, and how long it takes on the machine that offloading plans for. */
interface Candidate {
  readonly name: string;
  readonly plan: StrategyPlan;
  readonly seconds: number;
}

/**
 * The plan of least time among those that fit: rematerialisation, each allowed strategy, and both together. A strategy
 * may throw where nothing of its kind fits; if none does, the error of rematerialisation alone is the answer.
 */
function fastest(context: PlanContext, bytes: number, allowed: readonly MemoryStrategy[]): Candidate {
  const candidates: Candidate[] = [];
  const consider = (name: string, make: () => StrategyPlan): unknown => {
    try {
      const plan = make();
      const fits = context.plan(plan.graph).arenaBytes <= bytes;
      if (fits) candidates.push({ name, plan, seconds: rooflineSeconds(plan.graph) });
      return null;
    } catch (error) {
      if (error instanceof Error && error.message.startsWith("memory: the budget must hold")) return error;
      throw error;
    }
  };
  const refusal = consider("rematerialisation", () => new Rematerialisation(context).plan(bytes));
  for (const strategy of allowed) {
    const { name, results } = strategy;
    consider(name, () => ({ ...strategy.plan(context), results }));
    consider(`${name} with rematerialisation`, () => {
      const first = strategy.plan(context);
      const second = new Rematerialisation(context.at(first.graph)).plan(bytes);
      return { ...second, results, reason: `${first.reason} ${second.reason}` };
    });
  }
  if (candidates.length === 0) {
    if (refusal instanceof Error) throw refusal;
    throw new Error("internal: rematerialisation gave a plan that does not fit");
  }
  return candidates.reduce((best, candidate) => (candidate.seconds < best.seconds ? candidate : best));
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
