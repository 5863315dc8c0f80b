/** A problem as the search sees it: sizes in units, lifespans as inclusive ranges of sections. */
export interface SearchProblem {
  readonly count: number;
  /** Stretches of time in which no buffer dies before one begins; only the fullest moment of each counts. */
  readonly sections: number;
  readonly size: Float64Array;
  readonly alignment: Float64Array;
  /** First and last section in which each buffer is alive. */
  readonly first: Int32Array;
  readonly last: Int32Array;
}

/** What to search for, and for how long. */
export interface SearchRequest {
  /** No buffer may end above this, in units. */
  readonly capacity: number;
  /** Which of several lowest buffers is placed first: the one with most weight. */
  readonly weight: Float64Array;
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
 * (the canonical solutions of Moffitt, "MiniMalloc", ASPLOS 2023). The search looks at a buffer whose lowest possible
 * offset is lowest of all: nothing unplaced fits below it. Either it lies there, and all that is alive with it goes
 * above; or it does not, and then it must lie on something that is still unplaced, which raises it (schedule or
 * postpone, as in Le Pape et al., "Time-versus-capacity compromises in project scheduling", 1994). No plan is met
 * twice. A node is given up when some section cannot hold what is left, the gaps below buffers that cannot come lower
 * included; and it splits wherever nothing unplaced crosses a moment, so that no part is solved again because
 * another one failed.
 */
export function searchOffsets(problem: SearchProblem, request: SearchRequest): SearchOutcome {
  return new OffsetSearch(problem, request).run();
}

/** Ends a search from any depth. */
class Limit extends Error {}

class OffsetSearch {
  readonly #problem: SearchProblem;
  readonly #request: SearchRequest;
  /** Lowest offset still possible for each buffer. */
  readonly #low: Float64Array;
  /** Whether something placed ends where the buffer could begin (or it could begin at 0). */
  readonly #supported: Uint8Array;
  readonly #offsets: Float64Array;
  /** How high each section is filled: scratch of one check. */
  readonly #fill: Float64Array;
  /** What has been changed, in threes: buffer, its lowest offset before, whether it was supported. */
  readonly #trail: number[] = [];
  #steps = 0;

  constructor(problem: SearchProblem, request: SearchRequest) {
    this.#problem = problem;
    this.#request = request;
    this.#low = new Float64Array(problem.count);
    this.#supported = new Uint8Array(problem.count).fill(1);
    this.#offsets = new Float64Array(problem.count);
    this.#fill = new Float64Array(problem.sections);
  }

  run(): SearchOutcome {
    const all = Int32Array.from({ length: this.#problem.count }, (_, index) => index);
    try {
      const found = this.#solveParts(all);
      return { verdict: found ? "found" : "impossible", offsets: this.#offsets, steps: this.#steps };
    } catch (error) {
      if (!(error instanceof Limit)) throw error;
      return { verdict: "limit", offsets: this.#offsets, steps: this.#steps };
    }
  }

  /** Solves a set of unplaced buffers, split wherever nothing crosses a moment: the smallest part first. */
  #solveParts(list: Int32Array): boolean {
    const { first, last } = this.#problem;
    if (list.length === 0) return true;
    const byStart = list.slice().sort((a, b) => first[a] - first[b]);
    let begin = 0;
    let reach = last[byStart[0]];
    const parts: Int32Array[] = [];
    for (let i = 1; i < byStart.length; i++) {
      if (first[byStart[i]] > reach) {
        parts.push(byStart.subarray(begin, i));
        begin = i;
      }
      reach = Math.max(reach, last[byStart[i]]);
    }
    parts.push(byStart.subarray(begin));
    if (parts.length > 1) parts.sort((a, b) => a.length - b.length);
    for (const part of parts) if (!this.#solve(part)) return false;
    return true;
  }

  /** Changes what is known of a buffer so that it can be undone. */
  #set(buffer: number, low: number, supported: number): void {
    this.#trail.push(buffer, this.#low[buffer], this.#supported[buffer]);
    this.#low[buffer] = low;
    this.#supported[buffer] = supported;
  }

  #undo(mark: number): void {
    const trail = this.#trail;
    while (trail.length > mark) {
      const supported = trail.pop()!;
      const low = trail.pop()!;
      const buffer = trail.pop()!;
      this.#low[buffer] = low;
      this.#supported[buffer] = supported;
    }
  }

  /** Solves one part: places a buffer and solves the rest, or else postpones it and looks again. */
  #solve(list: Int32Array): boolean {
    const { first, last, size, alignment } = this.#problem;
    const low = this.#low;
    const supported = this.#supported;
    const { steps, shouldStop } = this.#request;
    const entry = this.#trail.length;
    for (;;) {
      if (this.#steps >= steps || ((this.#steps & 255) === 0 && shouldStop())) throw new Limit();
      this.#steps++;
      if (!this.#raise(list) || !this.#fits(list)) {
        this.#undo(entry);
        return false;
      }
      const chosen = this.#choose(list);
      const mark = this.#trail.length;
      const offset = low[chosen];
      const top = offset + size[chosen];
      this.#offsets[chosen] = offset;
      const rest = new Int32Array(list.length - 1);
      let count = 0;
      for (let i = 0; i < list.length; i++) {
        const other = list[i];
        if (other === chosen) continue;
        rest[count++] = other;
        if (first[other] > last[chosen] || last[other] < first[chosen]) continue;
        const above = Math.ceil(top / alignment[other]) * alignment[other];
        if (above > low[other] || (above === low[other] && !supported[other])) this.#set(other, above, 1);
      }
      if (this.#solveParts(rest)) return true;
      this.#undo(mark);
      this.#set(chosen, offset, 0);
    }
  }

  /** What nothing placed supports must lie on something unplaced: raises it to the lowest end of such. */
  #raise(list: Int32Array): boolean {
    const { first, last, size, alignment } = this.#problem;
    const low = this.#low;
    const { capacity } = this.#request;
    for (let changed = true; changed; ) {
      changed = false;
      for (let i = 0; i < list.length; i++) {
        const buffer = list[i];
        if (low[buffer] + size[buffer] > capacity) return false;
        if (this.#supported[buffer]) continue;
        let lowest = Number.POSITIVE_INFINITY;
        for (let j = 0; j < list.length; j++) {
          const other = list[j];
          if (other === buffer || first[other] > last[buffer] || last[other] < first[buffer]) continue;
          const end = low[other] + size[other];
          if (end < lowest) lowest = end;
        }
        lowest = Math.ceil(lowest / alignment[buffer]) * alignment[buffer];
        if (lowest > low[buffer]) {
          if (lowest + size[buffer] > capacity) return false;
          this.#set(buffer, lowest, 0);
          changed = true;
        }
      }
    }
    return true;
  }

  /** Whether each section alone still has room, waste below what cannot be lower included. */
  #fits(list: Int32Array): boolean {
    const { first, last, size } = this.#problem;
    const low = this.#low;
    const fill = this.#fill;
    const { capacity } = this.#request;
    // Insertion sort: the order changes little from step to step.
    let from = Number.POSITIVE_INFINITY;
    let to = 0;
    for (let i = 0; i < list.length; i++) {
      const buffer = list[i];
      if (first[buffer] < from) from = first[buffer];
      if (last[buffer] > to) to = last[buffer];
      let j = i;
      for (; j > 0 && low[list[j - 1]] > low[buffer]; j--) list[j] = list[j - 1];
      list[j] = buffer;
    }
    fill.fill(0, from, to + 1);
    for (let i = 0; i < list.length; i++) {
      const buffer = list[i];
      const end = last[buffer];
      for (let section = first[buffer]; section <= end; section++) {
        const filled = Math.max(fill[section], low[buffer]) + size[buffer];
        if (filled > capacity) return false;
        fill[section] = filled;
      }
    }
    return true;
  }

  /** Of the buffers that can lie lowest, the one with most weight. The list is in order of lowest offsets. */
  #choose(list: Int32Array): number {
    const low = this.#low;
    const { weight } = this.#request;
    let best = list[0];
    for (let i = 1; i < list.length && low[list[i]] === low[best]; i++) {
      if (weight[list[i]] > weight[best]) best = list[i];
    }
    return best;
  }
}
