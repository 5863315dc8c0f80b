import { type ExactRematerialisation, solveRematerialisation } from "../../memory/index.ts";
import { type ContractedNode, contractedGraph } from "../rematerialisation/contracted-graph.ts";
import { Replay } from "../rematerialisation/replay.ts";
import { flopsOf, type Tape, tapeOf } from "../rematerialisation/tape.ts";
import { formatAmount } from "./format.ts";
import { Rematerialisation } from "./rematerialise.ts";
import { type MemoryStrategy, type PlanContext, type StrategyPlan, sameBits } from "./strategy.ts";

/** Settings of the exact strategy. */
export interface ExactOptions {
  /** Bytes of the whole arena that the step must fit; what `rematerialise` takes for one more forward pass unless told. */
  readonly bytes?: number;
  /** Seconds for the integer programme; 30 unless told. */
  readonly seconds?: number;
}

/** Stored values at most: the programme grows with their square, and the time to solve it faster still. */
const mostNodes = 80;
/** Programmes that are solved, each with the limit corrected by what the target takes beyond it. */
const mostTrials = 4;

/**
 * Repeats the fewest operations that a budget allows, by integer programme: proved for small graphs (Jain et al.,
 * "Checkmate: breaking the memory wall with optimal tensor rematerialization", 2020). The programme knows stored values
 * and the order of first computations; it does not know that results may take over operands' bytes, so what is proved
 * holds on paper, to a ten-thousandth of the step's arithmetic, and the target has the last word. Where time runs out,
 * where the graph is too large, or where the search of `rematerialise` repeats less, the plan is that of `rematerialise`,
 * and the reason says so.
 */
export function exact({ bytes, seconds = 30 }: ExactOptions = {}): MemoryStrategy {
  if (!(seconds > 0)) throw new Error(`exact: seconds must be above 0, got ${seconds}; try { seconds: 30 }`);
  return {
    name: "exact",
    summary: "repeats the fewest operations that a budget allows, by integer programme on small graphs",
    storage: "reused",
    results: sameBits,
    plan(context) {
      const searched = new Rematerialisation(context).plan(bytes);
      const limit = bytes ?? context.plan(searched.graph).arenaBytes;
      return new ExactPlan(context, searched, limit, seconds).best();
    },
  };
}

/** What became of one programme. */
interface Solved {
  readonly replay: Replay;
  readonly answer: ExactRematerialisation;
}

class ExactPlan {
  readonly #context: PlanContext;
  readonly #searched: StrategyPlan;
  readonly #bytes: number;
  readonly #deadline: number;
  readonly #nodes: readonly ContractedNode[];

  constructor(context: PlanContext, searched: StrategyPlan, bytes: number, seconds: number) {
    this.#context = context;
    this.#searched = searched;
    this.#bytes = bytes;
    this.#deadline = performance.now() + 1000 * seconds;
    this.#nodes = contractedGraph(context.tape);
  }

  best(): StrategyPlan {
    const count = this.#nodes.length;
    if (count > mostNodes) {
      return this.#instead(`${count} stored values are too many for the integer programme (at most ${mostNodes})`);
    }
    const { tape } = this.#context;
    let limit = this.#firstLimit();
    for (let trial = 0; trial < mostTrials && limit > 0; trial++) {
      const solved = this.#solve(limit);
      if (typeof solved === "string") return this.#instead(solved);
      const { replay, answer } = solved;
      const { arenaBytes } = this.#context.plan(replay.graph());
      if (arenaBytes > this.#bytes) {
        limit -= arenaBytes - this.#bytes;
        continue;
      }
      const base = this.#nodes.reduce((sum, { cost }) => sum + cost, 0);
      const least = Math.max(0, answer.bound - base);
      const searchedFlops = extraFlopsOf(tape, this.#searched);
      if (searchedFlops < replay.extraFlops) return this.#instead("the search repeats less than the integer programme");
      const proof =
        answer.verdict === "optimal"
          ? `no plan of its ${count} stored values in ${formatAmount(limit)} repeats less, proved by integer programme`
          : `time ran out before a proof: ${count} stored values in ${formatAmount(limit)} repeat ${formatAmount(least, "operations")} at least`;
      return {
        graph: replay.graph(),
        leastExtraFlops: least,
        reason: `${formatAmount(replay.extraFlops, "operations")} again in ${formatAmount(arenaBytes)}: ${proof}.`,
      };
    }
    return this.#instead("no plan of the integer programme fits the target");
  }

  /** The budget, less what the target takes beyond the values on paper: as much as for the plan of the search. */
  #firstLimit(): number {
    const { graph } = this.#searched;
    const { arenaBytes, stored } = this.#context.plan(graph);
    const replay = new Replay(tapeOf(graph, stored));
    for (const position of graph.operations.keys()) replay.run(position);
    const peakBytes = replay.liveBytes().reduce((most, live) => Math.max(most, live), 0);
    return this.#bytes - arenaBytes + peakBytes;
  }

  /** A solution of the programme for so many bytes of stored values, or why there is none. */
  #solve(limit: number): Solved | string {
    const left = (this.#deadline - performance.now()) / 1000;
    if (left <= 0) return "time ran out";
    const answer = solveRematerialisation({ nodes: this.#nodes }, limit, left);
    if (answer === null) return `the integer programme has no plan in ${formatAmount(limit)}`;
    if (answer.plan === null) return "time ran out with a bound and no plan";
    const { tape } = this.#context;
    const replay = new Replay(tape);
    const ran = new Set<number>();
    for (const { kind, node } of answer.plan.actions) {
      const { position, after, values } = this.#nodes[node];
      if (kind === "free") {
        replay.forget(values);
        continue;
      }
      replay.run(position);
      if (!ran.has(node)) for (const one of after) replay.run(one);
      ran.add(node);
    }
    return { replay, answer };
  }

  /** The plan that the search has found. */
  #instead(why: string): StrategyPlan {
    const { reason, ...plan } = this.#searched;
    return { ...plan, reason: `The plan of rematerialise, because ${why}: ${reason}` };
  }
}

/** Arithmetic that a plan adds to a step. */
function extraFlopsOf({ flops }: Tape, { graph }: StrategyPlan): number {
  const all = graph.operations.reduce((sum, operation) => sum + flopsOf(operation), 0);
  return all - flops.reduce((sum, one) => sum + one, 0);
}
