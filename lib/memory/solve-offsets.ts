import { liveBound } from "./bound.ts";
import { bestGreedyPlan } from "./greedy.ts";
import { joinBuffers } from "./join-buffers.ts";
import { offsetOrders, shaken } from "./offset-orders.ts";
import { type SearchFocus, searchOffsets } from "./offset-search.ts";
import type { MemoryPlan, MemoryProblem } from "./problem.ts";
import { type Sections, sectionsOf } from "./sections.ts";

/** What to search for, and for how long. */
export interface OffsetOptions {
  /** Bytes that the plan must fit; without it the lowest plan is looked for. */
  readonly capacity?: number;
  /** Nodes of the search tree to visit at most, over all attempts; 4,000,000 unless told. */
  readonly steps?: number;
  /** Asked now and then; the search ends soon after it answers yes. A limit in time is given this way. */
  readonly shouldStop?: () => boolean;
}

/** A plan, and what is known of it. */
export interface OffsetSolution {
  /** The lowest plan found: always a valid one, even if it is above the capacity. */
  readonly plan: MemoryPlan;
  /** No plan is lower than this many bytes. */
  readonly lowerBound: number;
  /**
   * - `optimal`: the plan's height is the lower bound, and within the capacity if there is one
   * - `fits`: it is within the capacity; a lower one may exist
   * - `impossible`: there is none within the capacity; the lower bound is above it
   * - `limit`: steps or time ran out before an answer
   */
  readonly status: "optimal" | "fits" | "impossible" | "limit";
  /** Nodes visited. */
  readonly steps: number;
}

/** The search goes as deep as there are buffers, and so does the stack. */
const mostBuffers = 2_000;
/** Nodes of the first attempt with each order, and how many times as many each next round has. */
const firstSteps = 1_000;
const moreSteps = 1.5;
/** Where searches go on, in the order in which they take turns, and their share of nodes: quick ones are given more. */
const turns: readonly { readonly focus: SearchFocus; readonly share: number }[] = [
  { focus: "lowest", share: 2 },
  { focus: "contested", share: 1 },
  { focus: "tightest", share: 1 },
];
/** Nodes for one capacity when several are to be tried. */
const stepsPerCapacity = 32_000;

/**
 * Finds the lowest plan, or one that fits a capacity, by exact search: greedy plans first, then depth-first search
 * (`searchOffsets`) under several orders and from several places in turn. A good one finds a plan in a few thousand
 * nodes where a bad one needs millions, and which is good is not known before: so each gets a few nodes, then half as many
 * again, and so on, and from the second round on orders are shaken (randomised restarts: Gomes, Selman, Kautz, "Boosting
 * combinatorial search through randomization", 1998), by the same hash every time. Nodes decide, not the clock: the same problem has the same plan wherever there is time for it.
 *
 * Problems of more than 2,000 buffers are planned by the greedy orders alone and say `limit` unless that is enough.
 */
export function solveOffsets(problem: MemoryProblem, options: OffsetOptions = {}): OffsetSolution {
  return new OffsetSolver(problem, options).solve(options.capacity);
}

class OffsetSolver {
  readonly #problem: MemoryProblem;
  readonly #sections: Sections;
  readonly #steps: number;
  readonly #shouldStop: () => boolean;
  #plan: MemoryPlan;
  #lowerBound: number;
  #used = 0;
  #stopped = false;

  constructor(problem: MemoryProblem, { steps = 4_000_000, shouldStop = () => false }: OffsetOptions) {
    this.#problem = problem;
    this.#sections = sectionsOf(problem);
    this.#steps = steps;
    this.#shouldStop = () => {
      this.#stopped ||= shouldStop();
      return this.#stopped;
    };
    this.#plan = bestGreedyPlan(problem);
    // A buffer that is never alive shares its bytes with anything, but a plan's height counts it.
    this.#lowerBound = problem.buffers.reduce((most, { size }) => Math.max(most, size), liveBound(problem));
  }

  solve(capacity: number | undefined): OffsetSolution {
    if (capacity === undefined) this.#minimise();
    else if (this.#plan.height > capacity && this.#lowerBound <= capacity) this.#attempt(capacity, this.#steps);
    return {
      plan: this.#plan,
      lowerBound: this.#lowerBound,
      status: this.#status(capacity),
      steps: this.#used,
    };
  }

  #status(capacity: number | undefined): OffsetSolution["status"] {
    if (capacity !== undefined && this.#lowerBound > capacity) return "impossible";
    if (this.#plan.height <= this.#lowerBound) return "optimal";
    return capacity !== undefined && this.#plan.height <= capacity ? "fits" : "limit";
  }

  /**
   * The bound itself first, since it is often reached; then by halves between what is refused or too hard and what is
   * known to fit. What was only too hard is tried again with more nodes at the end.
   */
  #minimise(): void {
    const { unit } = this.#sections;
    for (let steps = stepsPerCapacity; !this.#exhausted(); steps *= 4) {
      let low = this.#lowerBound;
      this.#attempt(low, steps);
      while (!this.#exhausted() && this.#plan.height - low > unit) {
        const middle = low + unit * Math.max(1, Math.floor((this.#plan.height - low) / (2 * unit)));
        if (middle >= this.#plan.height) break;
        if (this.#attempt(middle, steps) !== "found") low = middle;
        low = Math.max(low, this.#lowerBound);
      }
    }
  }

  /** Whether there is nothing left to do, or nothing left to do it with. */
  #exhausted(): boolean {
    return (
      this.#plan.height <= this.#lowerBound ||
      this.#used >= this.#steps ||
      this.#stopped ||
      this.#sections.problem.count > mostBuffers
    );
  }

  /** Tries each order and focus with more and more nodes until one finds a plan or proves that there is none. */
  #attempt(capacity: number, most: number): "found" | "impossible" | "limit" {
    if (this.#exhausted()) return "limit";
    const { unit } = this.#sections;
    const units = Math.floor(capacity / unit);
    const end = Math.min(this.#steps, this.#used + most);
    const { problem, joined } = joinBuffers(this.#sections.problem, units);
    const conflicts = new Float64Array(problem.sections).fill(1);
    const orders = offsetOrders(problem);
    let searches = 0;
    for (let steps = firstSteps; ; steps *= moreSteps) {
      for (const { focus, share } of turns) {
        for (const order of orders) {
          const known = searches++ < turns.length * orders.length;
          const weight = known ? order : shaken(order, searches);
          if (this.#exhausted() || this.#used >= end) return "limit";
          const outcome = searchOffsets(problem, {
            capacity: units,
            weight,
            focus,
            conflicts,
            steps: Math.min(Math.ceil(share * steps), end - this.#used),
            shouldStop: this.#shouldStop,
          });
          this.#used += outcome.steps;
          if (outcome.verdict === "limit") continue;
          if (outcome.verdict === "found") this.#keep(joined, outcome.offsets);
          else this.#lowerBound = Math.max(this.#lowerBound, (units + 1) * unit);
          return outcome.verdict;
        }
      }
    }
  }

  /** Keeps a plan if it is the lowest: offsets in units, of the buffers that stand for those that were searched. */
  #keep(joined: Int32Array, units: Float64Array): void {
    const { positions, unit } = this.#sections;
    const { buffers } = this.#problem;
    const offsets = new Array<number>(buffers.length).fill(0);
    for (const [buffer, position] of positions.entries()) offsets[position] = units[joined[buffer]] * unit;
    const height = buffers.reduce((most, { size }, index) => Math.max(most, offsets[index] + size), 0);
    if (height < this.#plan.height) this.#plan = { offsets, height };
  }
}
