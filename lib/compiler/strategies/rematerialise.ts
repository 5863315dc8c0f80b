import type { OperatorGraph } from "../../ir/index.ts";
import { KeepSearch } from "../rematerialisation/keep-search.ts";
import type { Replay } from "../rematerialisation/replay.ts";
import { type StageCosts, type StageOption, stageCosts } from "../rematerialisation/stage-options.ts";
import { StageProgramme } from "../rematerialisation/stage-programme.ts";
import { internalsOf, StageReplay } from "../rematerialisation/stage-replay.ts";
import { everythingBytes, mergeStages, type Stage, stagesOf } from "../rematerialisation/stages.ts";
import type { Tape } from "../rematerialisation/tape.ts";
import { leastExtraFlops } from "../rematerialisation/work-bound.ts";
import { formatAmount } from "./format.ts";
import { chainPlanWithin } from "./revolve.ts";
import { type MemoryStrategy, type PlanContext, type StrategyPlan, sameBits, type TargetPlan } from "./strategy.ts";

/** Settings of rematerialisation. */
export interface RematerialiseOptions {
  /** Bytes of the whole arena that the step must fit; what one more forward pass at most buys, where nothing is said. */
  readonly bytes?: number;
}

/** Stages at most: the time to plan grows with their third power. */
const mostStages = 100;
/** Plans drawn up on paper for a budget, and how many of them the target is asked about. */
const mostCandidates = 40;
const mostTrials = 6;
/** The plan that is refined: the cheapest on paper that takes at most so much of what there is. */
const startShare = 1.25;
/** How often it is refined, each time for what the target made of the refined plan before. */
const mostRefinements = 2;
/** Plans that add less than this share of the step's arithmetic are good enough. */
const goodShare = 0.002;

/**
 * Computes again whatever costs least, in general graphs: stages between which little passes, what to keep inside each
 * by search, and a dynamic programme over them (`StageProgramme`); then a search over single values (`KeepSearch`). The
 * target says what the cheapest of the plans really take.
 */
export function rematerialise({ bytes }: RematerialiseOptions = {}): MemoryStrategy {
  return {
    name: "rematerialise",
    summary: "computes again what costs least, by search inside stages and a dynamic programme over them",
    storage: "reused",
    results: sameBits,
    plan: (context) => new Rematerialisation(context).plan(bytes),
  };
}

/** A plan that was tried. */
interface Trial {
  readonly graph: OperatorGraph;
  readonly target: TargetPlan;
  readonly extraFlops: number;
}

/** A plan on paper. */
interface Candidate {
  readonly replay: Replay;
  readonly peakBytes: number;
  readonly extraFlops: number;
}

/** Plans for one training step. */
export class Rematerialisation {
  readonly #context: PlanContext;
  readonly #stages: readonly Stage[];
  readonly #costs: readonly StageCosts[];

  constructor(context: PlanContext) {
    this.#context = context;
    const { tape } = context;
    this.#stages = mergeStages(tape, stagesOf(tape), mostStages);
    this.#costs = stageCosts(tape, this.#stages);
  }

  /**
   * The plan of least extra work that the target fits into a budget; without one, the smallest plan whose extra work is
   * at most one forward pass.
   *
   * @throws Error with the smallest plan and the step that sets its size, if the budget is below it
   */
  plan(budgetBytes?: number): StrategyPlan {
    if (budgetBytes === undefined) {
      const { graph } = this.#forOneForward();
      return {
        graph,
        reason: `The least memory over ${this.#stages.length} stages for at most one more forward pass.`,
      };
    }
    const bound = leastExtraFlops(this.#context.tape, budgetBytes - this.#context.residentBytes);
    const best = this.#search(budgetBytes) ?? this.#smallest();
    if (best.target.arenaBytes > budgetBytes) {
      // Groups of stages keep what a chain of checkpoints lets go.
      const chain = chainPlanWithin(this.#context, budgetBytes);
      if ("graph" in chain) return { ...chain, leastExtraFlops: bound };
      const { arenaBytes, peakStep } = chain.arenaBytes < best.target.arenaBytes ? chain : best.target;
      throw new Error(
        `memory: the budget must hold the smallest plan, got ${formatAmount(budgetBytes)} for at least ${formatAmount(arenaBytes)} ` +
          `(its peak is at ${peakStep}); raise the budget or lower the batch`,
      );
    }
    return {
      graph: best.graph,
      leastExtraFlops: bound,
      reason: `${this.#stages.length} stages; the least extra work that fits ${formatAmount(budgetBytes)} takes ${formatAmount(best.target.arenaBytes)}.`,
    };
  }

  /**
   * The best plan within a budget, or undefined if none was found. The target decides: what a plan takes on paper is
   * wrong by about as much as that of the plan before, so the cheapest that should fit is tried, and then the next.
   */
  #search(budgetBytes: number): Trial | undefined {
    const { tape, residentBytes } = this.#context;
    const all = everythingBytes(tape, this.#stages) + this.#largestPeak();
    const limit = Math.min(all, 1.5 * Math.max(1, budgetBytes - residentBytes));
    const candidates = this.#candidates(new StageProgramme(this.#costs, limit));
    const drawn = [...candidates];
    let error = residentBytes;
    let best: Trial | undefined;
    for (let trial = 0; trial < mostTrials; trial++) {
      const hopeful = candidates.filter(({ extraFlops }) => best === undefined || extraFlops < best.extraFlops);
      const next = hopeful.find(({ peakBytes }) => peakBytes + error <= budgetBytes) ?? hopeful.sort(byPeak)[0];
      if (next === undefined || (best !== undefined && next.peakBytes + error > budgetBytes)) break;
      candidates.splice(candidates.indexOf(next), 1);
      const { replay, peakBytes, extraFlops } = next;
      const tried = this.#measure(replay);
      const fits = tried.target.arenaBytes <= budgetBytes;
      // After a plan that is too large the next one is to be smaller, too.
      error = Math.max(fits ? Number.NEGATIVE_INFINITY : error, tried.target.arenaBytes - peakBytes);
      if (fits && (best === undefined || extraFlops < best.extraFlops)) best = tried;
    }
    return this.#refine(best, drawn, budgetBytes, error);
  }

  /** Looks for a better plan than one that was found, by changes to single values of a plan above the budget. */
  #refine(
    found: Trial | undefined,
    candidates: readonly Candidate[],
    budgetBytes: number,
    firstError: number,
  ): Trial | undefined {
    const { tape } = this.#context;
    const good = goodShare * tape.flops.reduce((sum, flops) => sum + flops, 0);
    if (found !== undefined && found.extraFlops <= good) return found;
    let error = firstError;
    const start = candidates.find(({ peakBytes }) => peakBytes <= startShare * (budgetBytes - error));
    for (let trial = 0; start !== undefined && trial < mostRefinements; trial++) {
      const drawing = new KeepSearch(tape, this.#stages, budgetBytes - error, start.replay).run();
      if (drawing === undefined || (found !== undefined && drawing.extraFlops >= found.extraFlops)) return found;
      const tried = this.#measure(drawing.replay);
      if (tried.target.arenaBytes <= budgetBytes) return tried;
      error = tried.target.arenaBytes - drawing.peakBytes;
    }
    return found;
  }

  /** Plans of a programme between the smallest and the largest, those of least work first. */
  #candidates(programme: StageProgramme): Candidate[] {
    const found = new Map<number, Candidate>();
    const { leastBytes, limitBytes } = programme;
    if (!Number.isFinite(leastBytes)) return [];
    for (let index = 0; index < mostCandidates; index++) {
      const bytes = leastBytes + ((limitBytes - leastBytes) * index) / (mostCandidates - 1);
      const key = programme.extraFlops(bytes);
      if (found.has(key)) continue;
      const replay = this.#replay(programme, bytes);
      const peakBytes = replay.liveBytes().reduce((most, live) => Math.max(most, live), 0);
      found.set(key, { replay, peakBytes, extraFlops: replay.extraFlops });
    }
    return [...found.values()].sort((a, b) => a.extraFlops - b.extraFlops);
  }

  /** The plan that takes least memory, whatever work it takes. */
  #smallest(): Trial {
    for (let limit = this.#largestPeak(); ; limit *= 1.5) {
      const programme = new StageProgramme(this.#costs, limit);
      if (Number.isFinite(programme.leastBytes)) return this.#try(programme, programme.leastBytes);
    }
  }

  /** The plan that takes least memory among those that repeat no more than one forward pass. */
  #forOneForward(): Trial {
    const most = this.#costs.reduce((sum, { forwardFlops }) => sum + forwardFlops, 0);
    const all = everythingBytes(this.#context.tape, this.#stages) + this.#largestPeak();
    for (let limit = this.#largestPeak(); ; limit *= 1.5) {
      const programme = new StageProgramme(this.#costs, limit);
      if (programme.extraFlops(limit) > most && limit < all) continue;
      let bytes = programme.leastBytes;
      while (bytes < limit && programme.extraFlops(bytes) > most) bytes += programme.unitBytes;
      return this.#try(programme, bytes);
    }
  }

  #largestPeak(): number {
    let most = 1;
    for (const { forwardPeak, gradientBytes, options } of this.#costs) {
      const { backwardPeak } = options[0][options[0].length - 1];
      most = Math.max(most, Math.max(forwardPeak + gradientBytes, backwardPeak));
    }
    return most;
  }

  #try(programme: StageProgramme, bytes: number): Trial {
    return this.#measure(this.#replay(programme, bytes));
  }

  #replay(programme: StageProgramme, bytes: number): Replay {
    return replayPlan(this.#context.tape, this.#stages, (visitor) => programme.visit(bytes, visitor));
  }

  #measure(replay: Replay): Trial {
    const graph = replay.graph();
    return { graph, target: this.#context.plan(graph), extraFlops: replay.extraFlops };
  }
}

function byPeak(a: Candidate, b: Candidate): number {
  return a.peakBytes - b.peakBytes;
}

/** Turns what a programme does with stages into operations. */
function replayPlan(
  tape: Tape,
  stages: readonly Stage[],
  walk: (visitor: Parameters<StageProgramme["visit"]>[1]) => void,
): Replay {
  const run = new StageReplay(tape, stages);
  const { replay } = run;
  /** What neighbouring stages make and an option does not keep. */
  const leaving = (group: readonly Stage[], { kept }: StageOption): readonly number[] => {
    const { boundary } = group[group.length - 1];
    return group.flatMap(({ forward }) => internalsOf(tape, forward, [...boundary, ...kept]));
  };
  walk({
    keep(from, count, option) {
      const last = from + count - 1;
      for (let stage = from; stage <= last; stage++) if (stage === last || !run.hasRun(stage)) run.forward(stage);
      replay.forget(leaving(stages.slice(from, from + count), option));
    },
    advance(from, to) {
      for (let stage = from; stage < to; stage++) {
        run.forward(stage);
        run.forgetInside(stage);
        // All but what goes on to the next stage.
        const before = stage > from ? stages[stage - 1].boundary : [];
        const kept = new Set(stages[stage].boundary);
        replay.forget(before.filter((id) => !kept.has(id)));
      }
    },
    backward(from, count, option) {
      for (let stage = from + count - 1; stage >= from; stage--) {
        run.backward(stage);
        replay.forget(option.dropped);
      }
    },
  });
  return replay;
}
