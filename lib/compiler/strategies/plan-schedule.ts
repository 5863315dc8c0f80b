import type { OperatorGraph, Phase } from "../../ir/index.ts";
import type { StrategyReport } from "../../memory/index.ts";
import { bytesOf } from "../../tensor/index.ts";
import { deadCode } from "../passes/dead-code.ts";
import { earlyUpdate } from "../passes/early-update.ts";
import { inPlace, updatesInPlace } from "../passes/in-place.ts";
import { simplify } from "../passes/simplify.ts";
import { makeSchedule } from "../pipeline.ts";
import { repeatForMicroBatches } from "../rematerialisation/micro-batches.ts";
import { flopsOf, type Tape, tapeOf } from "../rematerialisation/tape.ts";
import type { Schedule } from "../schedule.ts";
import { microBatchesOf } from "./accumulate.ts";
import { type MemoryStrategy, type PlanContext, type PlanOnTarget, type StorageUse, sameBits } from "./strategy.ts";

/**
 * Takes a training graph through memory strategies to a schedule: the passes that clean up, each strategy in turn, and
 * the passes that decide what shares bytes. What was done stands in the schedule's `strategy`.
 *
 * @param graph a step; of one micro-batch, where there are several
 * @param target plans a schedule on whatever will execute it; strategies ask it what is stored and what fits
 * @param microBatches how many micro-batches make a step; as many as the strategies say unless told
 * @throws Error if a strategy finds no plan
 */
export function planSchedule(
  graph: OperatorGraph,
  strategies: readonly MemoryStrategy[],
  target: PlanOnTarget,
  microBatches: number = microBatchesOf(strategies),
): Schedule {
  const clean = cleanGraph(graph);
  let current = clean;
  const reasons: string[] = [];
  const changes = new Set<string>();
  let bound: number | undefined;
  let seconds: number | undefined;
  let sampleBlocks: Schedule["sampleBlocks"];
  for (const strategy of strategies) {
    const plan = strategy.plan(new Context(current, target, microBatches));
    current = withoutDeadCode(plan.graph);
    const { results = strategy.results } = plan;
    if (results !== sameBits) changes.add(results);
    if (plan.reason !== "") reasons.push(plan.reason);
    bound = plan.leastExtraFlops ?? bound;
    seconds = plan.seconds ?? seconds;
    sampleBlocks = plan.sampleBlocks ?? sampleBlocks;
  }
  const whole = repeatForMicroBatches(current, microBatches);
  const flops = microBatches * totalFlops(clean) - (microBatches - 1) * totalFlops(clean, "update");
  const report: StrategyReport = {
    names: strategies.map(({ name }) => name),
    reason: reasons.join(" "),
    flops,
    extraFlops: totalFlops(whole) - flops,
    ...(bound === undefined ? {} : { leastExtraFlops: bound }),
    ...(seconds === undefined ? {} : { plannedSeconds: microBatches * seconds }),
    recomputedOperations: whole.operations.filter(({ recomputed }) => recomputed).length,
    results: changes.size === 0 ? sameBits : [...changes].join("; "),
  };
  return { ...finish(whole, mostSharing(strategies), sampleBlocks), strategy: report };
}

/** The most that any of the strategies shares: a later one relies on what is freed. */
function mostSharing(strategies: readonly MemoryStrategy[]): StorageUse {
  const order: readonly StorageUse[] = ["apart", "in place", "reused"];
  if (strategies.length === 0) return "reused";
  return order[Math.max(...strategies.map(({ storage }) => order.indexOf(storage)))];
}

/** What every strategy begins with. */
function cleanGraph(graph: OperatorGraph): OperatorGraph {
  return makeSchedule(graph, [simplify, deadCode, earlyUpdate]).graph;
}

/** Without what was dropped before anybody had read it, and made again for the first that did. */
function withoutDeadCode(graph: OperatorGraph): OperatorGraph {
  return makeSchedule(graph, [deadCode]).graph;
}

/** Decides what shares bytes, and says which samples go together. */
function finish(graph: OperatorGraph, storage: StorageUse, sampleBlocks: Schedule["sampleBlocks"]): Schedule {
  const schedule = makeSchedule(graph, [deadCode, earlyUpdate, storage === "apart" ? updatesInPlace : inPlace]);
  return {
    ...schedule,
    ...(storage === "reused" ? {} : { apart: true }),
    ...(sampleBlocks === undefined ? {} : { sampleBlocks }),
  };
}

/** Arithmetic of all operations, or of those of one phase. */
function totalFlops({ operations }: OperatorGraph, phase?: Phase): number {
  const counted = operations.filter((operation) => phase === undefined || operation.phase === phase);
  return counted.reduce((sum, operation) => sum + flopsOf(operation), 0);
}

/** What a strategy sees; the target is asked only where the strategy asks. */
class Context implements PlanContext {
  readonly graph: OperatorGraph;
  readonly residentBytes: number;
  readonly #target: PlanOnTarget;
  readonly #microBatches: number;
  #tape: Tape | undefined;

  constructor(graph: OperatorGraph, target: PlanOnTarget, microBatches: number) {
    this.graph = graph;
    this.#target = target;
    this.#microBatches = microBatches;
    const resident = graph.inputs.filter(({ role }) => role !== "data");
    this.residentBytes = resident.reduce((sum, { value }) => sum + bytesOf(value.type), 0);
  }

  get tape(): Tape {
    this.#tape ??= tapeOf(this.graph, this.plan(this.graph).stored);
    return this.#tape;
  }

  at(graph: OperatorGraph): Context {
    return new Context(graph, this.#target, this.#microBatches);
  }

  plan(graph: OperatorGraph, storage: StorageUse = "reused", sampleBlocks?: Schedule["sampleBlocks"]) {
    return this.#target(finish(repeatForMicroBatches(graph, this.#microBatches), storage, sampleBlocks));
  }
}
