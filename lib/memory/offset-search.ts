import { OffsetBounds } from "./offset-bounds.ts";
import type { SearchProblem } from "./search-problem.ts";

/**
 * Where a search goes on, of all places where it could:
 * - `contested`: in the section with the fewest buffers that can be its lowest, for the times that it was too full
 *   (smallest domain over weighted degree: Boussemart et al., "Boosting systematic search by weighting constraints", 2004)
 * - `tightest`: in the section with the fewest free units, for the times that it was too full
 * - `lowest`: at the lowest offset of all, with quick nodes that look less far ahead
 */
export type SearchFocus = "contested" | "tightest" | "lowest";

/** What to search for, and for how long. */
export interface SearchRequest {
  /** No buffer may end above this, in units. */
  readonly capacity: number;
  /** Which of several lowest buffers is placed first: the one with most weight. */
  readonly weight: Float64Array;
  readonly focus: SearchFocus;
  /** How often each section was found too full, at least 1; the search counts on, and the next one can go on from there. */
  readonly conflicts: Float64Array;
  /** Nodes to visit at most. */
  readonly steps: number;
  readonly shouldStop: () => boolean;
}

/** What a search came to. Offsets mean something only when they were `found`. */
export interface SearchOutcome {
  readonly verdict: "found" | "impossible" | "limit";
  readonly offsets: Float64Array;
  readonly steps: number;
}

/**
 * Looks for offsets within a capacity by depth-first search, and finds them or proves that there are none, unless its
 * steps run out.
 *
 * Every plan can be let fall until each buffer lies on the floor or on another one, so only such plans are searched
 * (the canonical solutions of Moffitt, "MiniMalloc", ASPLOS 2023). The search looks at a buffer below whose lowest
 * possible offset nothing unplaced fits. Either it lies there, and all that is alive with it goes above; or it does not,
 * and then it must lie on something that is still unplaced, which raises it (schedule or postpone, as in Le Pape et al.,
 * "Time-versus-capacity compromises in project scheduling", 1994). No plan is met twice. `OffsetBounds` draws what
 * follows, and a node is given up when something does not fit.
 *
 * A failure names the decisions that it follows from. What was decided since the last of these has no part in it and is
 * not tried otherwise (conflict-directed backjumping: Prosser, "Hybrid algorithms for the constraint satisfaction
 * problem", 1993). And the search splits wherever nothing unplaced crosses a moment, so that no part is solved again
 * because another one failed.
 */
export function searchOffsets(problem: SearchProblem, request: SearchRequest): SearchOutcome {
  return new OffsetSearch(problem, request).run();
}

/** Ends a search from any depth. */
class Limit extends Error {}

class OffsetSearch {
  readonly #problem: SearchProblem;
  readonly #request: SearchRequest;
  readonly #bounds: OffsetBounds;
  #steps = 0;

  constructor(problem: SearchProblem, request: SearchRequest) {
    this.#problem = problem;
    this.#request = request;
    this.#bounds = new OffsetBounds(problem, request.capacity, request.conflicts, request.focus !== "lowest", () => {
      if (request.shouldStop()) throw new Limit();
    });
  }

  run(): SearchOutcome {
    const { count, first } = this.#problem;
    // Every list of buffers is in the order in which they begin.
    const all = Int32Array.from({ length: count }, (_, index) => index).sort((a, b) => first[a] - first[b]);
    const outcome = (verdict: SearchOutcome["verdict"]): SearchOutcome => {
      return { verdict, offsets: this.#bounds.low, steps: this.#steps };
    };
    try {
      return outcome(this.#bounds.propagate(all) && this.#solveParts(all, 0) ? "found" : "impossible");
    } catch (error) {
      if (!(error instanceof Limit)) throw error;
      return outcome("limit");
    }
  }

  /** Solves a set of unplaced buffers, split wherever nothing crosses a moment: the smallest part first. */
  #solveParts(list: Int32Array, depth: number): boolean {
    if (list.length === 0) return true;
    const { first, last } = this.#problem;
    const parts: Int32Array[] = [];
    let begin = 0;
    let reach = last[list[0]];
    for (let i = 1; i < list.length; i++) {
      if (first[list[i]] > reach) {
        parts.push(list.subarray(begin, i));
        begin = i;
      }
      reach = Math.max(reach, last[list[i]]);
    }
    parts.push(list.subarray(begin));
    if (parts.length > 1) parts.sort((a, b) => a.length - b.length);
    for (const part of parts) {
      if (this.#solve(part, depth)) continue;
      // Parts solved before this one were placed for nothing.
      for (const buffer of list) this.#bounds.unplace(buffer);
      return false;
    }
    return true;
  }

  /** Solves one part: places a buffer and solves the rest, or else postpones it and looks again. */
  #solve(list: Int32Array, depth: number): boolean {
    const bounds = this.#bounds;
    const { steps, shouldStop } = this.#request;
    const word = depth >>> 5;
    const bit = 1 << (depth & 31);
    const entry = bounds.mark();
    do {
      if (this.#steps >= steps || ((this.#steps & 255) === 0 && shouldStop())) throw new Limit();
      this.#steps++;
      const chosen = this.#choose(list);
      const mark = bounds.mark();
      bounds.place(chosen, depth);
      const rest = list.filter((buffer) => buffer !== chosen);
      if (bounds.propagate(rest) && this.#solveParts(rest, depth + 1)) return true;
      bounds.undo(mark);
      bounds.unplace(chosen);
      // A conflict in which this decision has no part is one of the node above as well.
      if ((bounds.conflict[word] & bit) === 0) break;
      bounds.conflict[word] &= ~bit;
      bounds.postpone(chosen);
    } while (bounds.propagate(list));
    bounds.undo(entry);
    return false;
  }

  /** The buffer to place next: nothing unplaced fits below it. */
  #choose(list: Int32Array): number {
    const { size } = this.#problem;
    const { low, depth, members, neighbours } = this.#bounds;
    if (this.#request.focus === "lowest") return this.#lowest(list);
    let chosen = this.#lowest(members[this.#section(list)]);
    for (let below = chosen; below >= 0; ) {
      chosen = below;
      below = -1;
      for (const other of neighbours[chosen]) {
        if (depth[other] >= 0 || low[other] + size[other] > low[chosen]) continue;
        if (below < 0 || this.#comesBefore(other, below)) below = other;
      }
    }
    return chosen;
  }

  /** The section in which to go on. */
  #section(list: Int32Array): number {
    const { first, last } = this.#problem;
    const { capacity, conflicts, focus } = this.#request;
    const { reach, floor, candidates } = this.#bounds;
    let end = 0;
    for (const buffer of list) end = Math.max(end, last[buffer]);
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let section = first[list[0]]; section <= end; section++) {
      if (floor[section] < 0) continue;
      const choice = focus === "contested" ? candidates[section] : capacity - reach[section] + 1;
      if (choice / conflicts[section] >= least) continue;
      least = choice / conflicts[section];
      best = section;
    }
    return best;
  }

  /** Of the unplaced buffers that can lie lowest, the one with most weight. */
  #lowest(list: Int32Array): number {
    const { depth } = this.#bounds;
    let best = -1;
    for (const buffer of list) {
      if (depth[buffer] < 0 && (best < 0 || this.#comesBefore(buffer, best))) best = buffer;
    }
    return best;
  }

  #comesBefore(buffer: number, other: number): boolean {
    const { low } = this.#bounds;
    const { weight } = this.#request;
    return low[buffer] < low[other] || (low[buffer] === low[other] && weight[buffer] > weight[other]);
  }
}
