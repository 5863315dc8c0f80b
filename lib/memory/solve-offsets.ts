import { liveBound } from "./bound.ts";
import { bestGreedyPlan } from "./greedy.ts";
import { searchOffsets } from "./offset-search.ts";
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
/** Nodes of the first attempt with each order; each round doubles it. */
const firstSteps = 1_000;
/** Nodes for one capacity when several are to be tried. */
const stepsPerCapacity = 32_000;

/**
 * Finds the lowest plan, or one that fits a capacity, by exact search: greedy plans first, then depth-first search
 * (`searchOffsets`) under several orders in turn. A good order finds a plan in a few thousand nodes where a bad one
 * needs millions, and which is good is not known before: so each gets a few nodes, then twice as many, and so on.
 *
 * Problems of more than 2,000 buffers are planned by the greedy orders alone and say `limit` unless that is enough.
 */
export function solveOffsets(problem: MemoryProblem, options: OffsetOptions = {}): OffsetSolution {
  return new OffsetSolver(problem, options).solve(options.capacity);
}

class OffsetSolver {
  readonly #problem: MemoryProblem;
  readonly #sections: Sections;
  readonly #weights: readonly Float64Array[];
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
    this.#weights = orderWeights(problem, this.#sections);
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

  /** Tries each order with more and more nodes until one of them finds a plan or proves that there is none. */
  #attempt(capacity: number, most: number): "found" | "impossible" | "limit" {
    const { problem, unit } = this.#sections;
    const end = Math.min(this.#steps, this.#used + most);
    for (let steps = firstSteps; ; steps *= 2) {
      for (const weight of this.#weights) {
        if (this.#exhausted() || this.#used >= end) return "limit";
        const outcome = searchOffsets(problem, {
          capacity: Math.floor(capacity / unit),
          weight,
          steps: Math.min(steps, end - this.#used),
          shouldStop: this.#shouldStop,
        });
        this.#used += outcome.steps;
        if (outcome.verdict === "limit") continue;
        if (outcome.verdict === "found") this.#keep(outcome.offsets);
        else this.#lowerBound = Math.max(this.#lowerBound, (Math.floor(capacity / unit) + 1) * unit);
        return outcome.verdict;
      }
    }
  }

  #keep(units: Float64Array): void {
    const { positions, unit } = this.#sections;
    const { buffers } = this.#problem;
    const offsets = new Array<number>(buffers.length).fill(0);
    for (const [buffer, position] of positions.entries()) offsets[position] = units[buffer] * unit;
    const height = buffers.reduce((most, { size }, index) => Math.max(most, offsets[index] + size), 0);
    if (height < this.#plan.height) this.#plan = { offsets, height };
  }
}

/**
 * The orders in which buffers that could go equally low are tried. Fullest section first, then the longest, then the
 * largest is the order that MiniMalloc's paper calls TWA; the others differ in what they put first.
 */
function orderWeights({ buffers }: MemoryProblem, { positions, problem }: Sections): Float64Array[] {
  const { count, sections, size, first, last } = problem;
  const load = new Float64Array(sections);
  const starts = new Int32Array(sections + 1);
  const ends = new Int32Array(sections + 1);
  for (let buffer = 0; buffer < count; buffer++) {
    starts[first[buffer]]++;
    ends[last[buffer]]++;
    for (let section = first[buffer]; section <= last[buffer]; section++) load[section] += size[buffer];
  }
  // Buffers that begin before a section, and that end before it.
  for (let section = 1; section <= sections; section++) {
    starts[section] += starts[section - 1];
    ends[section] += ends[section - 1];
  }
  const total = (buffer: number): number => load.subarray(first[buffer], last[buffer] + 1).reduce(larger);
  const width = (buffer: number): number => last[buffer] - first[buffer] + 1;
  const area = (buffer: number): number => size[buffer] * width(buffer);
  const neighbours = (buffer: number): number =>
    starts[last[buffer]] - (first[buffer] > 0 ? ends[first[buffer] - 1] : 0);
  const byteSteps = (buffer: number): number => {
    const { start, end } = buffers[positions[buffer]];
    return size[buffer] * (end - start);
  };
  const bytes = (buffer: number): number => size[buffer];
  const orders = [[total, width, area], [width, area], [area], [byteSteps], [neighbours, bytes]];
  return orders.map((keys) => ranks(count, keys));
}

function larger(a: number, b: number): number {
  return Math.max(a, b);
}

/** Positions in ascending order of the first key, of the second where that is equal, and so on. */
function ranks(count: number, keys: readonly ((buffer: number) => number)[]): Float64Array {
  const columns = keys.map((key) => Float64Array.from({ length: count }, (_, buffer) => key(buffer)));
  const sorted = Array.from({ length: count }, (_, buffer) => buffer).sort((a, b) => {
    for (const column of columns) if (column[a] !== column[b]) return column[a] - column[b];
    return b - a;
  });
  const weight = new Float64Array(count);
  for (const [rank, buffer] of sorted.entries()) weight[buffer] = rank;
  return weight;
}
