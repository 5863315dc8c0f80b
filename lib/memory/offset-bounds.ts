import { BoundHistory } from "./bound-history.ts";
import type { SearchProblem } from "./search-problem.ts";

/** A state to come back to. */
export interface Mark {
  readonly changes: number;
  readonly figures: number;
  readonly history: number;
}

/**
 * What a search knows at a node: the lowest offset that is still possible for each unplaced buffer, raised by what has
 * been decided and by what follows from it, and why. Everything can be undone.
 *
 * What follows is drawn from one section at a time, since there buffers follow upon each other like jobs on a machine:
 * - a section is too full if some of its buffers do not fit between the lowest of them and the capacity;
 * - a buffer below which others must lie, because all of them above it would not fit, lies on one of them (the
 *   not-first rule of scheduling: Carlier and Pinson, "An algorithm for solving the job-shop problem", 1989);
 * - a buffer that nothing placed supports lies on something unplaced, since every plan can be let fall.
 *
 * When something does not fit, `conflict` is a set of decisions that cannot stand together, by their depth. It names few
 * of them: of all that has raised a buffer only what had to be.
 */
export class OffsetBounds {
  readonly #problem: SearchProblem;
  readonly #capacity: number;
  readonly #thorough: boolean;
  readonly #checkTime: () => void;
  /** Lowest offset still possible for each buffer; that of a placed one is its offset. */
  readonly low: Float64Array;
  /** Depth of the decision that placed a buffer; -1 if it is unplaced. */
  readonly depth: Int32Array;
  /** How high the unplaced buffers of each section reach at least. */
  readonly reach: Float64Array;
  /** Lowest of the unplaced buffers' offsets in each section; -1 where none is left. */
  readonly floor: Float64Array;
  /** How many unplaced buffers of each section can be its lowest. */
  readonly candidates: Int32Array;
  /** The buffers alive in each section, in the order of their lowest offsets when it was last looked at. */
  readonly members: readonly Int32Array[];
  /** The same, from the highest of their lowest ends down. From look to look little changes in either order. */
  readonly #membersByEnd: readonly Int32Array[];
  /** The buffers that are ever alive together with each one. */
  readonly neighbours: readonly Int32Array[];
  /** How often each section was too full: kept by the caller from search to search. */
  readonly #conflicts: Float64Array;
  readonly conflict: Int32Array;
  readonly #history: BoundHistory;
  /** Last record of each buffer. */
  readonly #records: Int32Array;
  /** Whether something placed ends where the buffer could begin (or it could begin at 0). */
  readonly #supported: Uint8Array;
  /** An unplaced buffer that may lie below each unsupported one: while it may, that one cannot be raised. */
  readonly #below: Int32Array;
  /** What has been changed, in fours: buffer, its lowest offset, record and support before. */
  readonly #changes: number[] = [];
  /** The same of sections: section, its reach, floor and candidates before. */
  readonly #figures: number[] = [];
  /** Sections to look at again, in a ring. */
  readonly #queue: Int32Array;
  readonly #queued: Uint8Array;
  #queueStart = 0;
  #queueLength = 0;
  #looks = 0;
  /** Scratch of one section: its unplaced buffers in both orders. */
  readonly #byLow: Int32Array;
  readonly #byEnd: Int32Array;
  readonly #reason: Int32Array;

  /**
   * @param thorough whether to draw the not-first rule as well: nodes are fewer by far, but each costs several times more
   * @param checkTime called now and then; it throws to end the search
   */
  constructor(
    problem: SearchProblem,
    capacity: number,
    conflicts: Float64Array,
    thorough: boolean,
    checkTime: () => void,
  ) {
    const { count, sections, first, last } = problem;
    this.#problem = problem;
    this.#capacity = capacity;
    this.#conflicts = conflicts;
    this.#thorough = thorough;
    this.#checkTime = checkTime;
    this.low = new Float64Array(count);
    this.depth = new Int32Array(count).fill(-1);
    this.reach = new Float64Array(sections);
    this.floor = new Float64Array(sections);
    this.candidates = new Int32Array(sections);
    const all = Int32Array.from({ length: count }, (_, buffer) => buffer);
    this.members = Array.from({ length: sections }, (_, section) =>
      all.filter((buffer) => first[buffer] <= section && section <= last[buffer]),
    );
    this.#membersByEnd = this.members.map((members) => members.slice());
    this.neighbours = Array.from(all, (buffer) =>
      all.filter((other) => other !== buffer && first[other] <= last[buffer] && first[buffer] <= last[other]),
    );
    this.#history = new BoundHistory(count);
    this.conflict = new Int32Array(this.#history.words);
    this.#reason = new Int32Array(this.#history.words);
    this.#records = new Int32Array(count);
    this.#supported = new Uint8Array(count).fill(1);
    this.#below = new Int32Array(count).fill(-1);
    this.#queue = new Int32Array(sections);
    this.#queued = new Uint8Array(sections);
    this.#byLow = new Int32Array(count);
    this.#byEnd = new Int32Array(count);
    for (const buffer of all) this.#touch(buffer);
  }

  mark(): Mark {
    return { changes: this.#changes.length, figures: this.#figures.length, history: this.#history.length };
  }

  undo(mark: Mark): void {
    const changes = this.#changes;
    while (changes.length > mark.changes) {
      const supported = changes.pop()!;
      const record = changes.pop()!;
      const low = changes.pop()!;
      const buffer = changes.pop()!;
      this.low[buffer] = low;
      this.#records[buffer] = record;
      this.#supported[buffer] = supported;
    }
    const figures = this.#figures;
    while (figures.length > mark.figures) {
      const candidates = figures.pop()!;
      const floor = figures.pop()!;
      const reach = figures.pop()!;
      const section = figures.pop()!;
      this.reach[section] = reach;
      this.floor[section] = floor;
      this.candidates[section] = candidates;
    }
    this.#history.shorten(mark.history);
    while (this.#queueLength > 0) this.#queued[this.#takeSection()] = 0;
  }

  /** Places a buffer at its lowest offset, where nothing unplaced fits below it: what is alive with it goes above. */
  place(buffer: number, depth: number): void {
    const { size, alignment } = this.#problem;
    const offset = this.low[buffer];
    const top = offset + size[buffer];
    const reason = this.#reason;
    this.depth[buffer] = depth;
    this.#touch(buffer);
    for (const other of this.neighbours[buffer]) {
      if (this.depth[other] >= 0) continue;
      const above = alignUp(top, alignment[other]);
      if (above > this.low[other]) {
        reason.fill(0);
        this.#history.explain(this.#records[other], offset - size[other] + 1, reason);
        reason[depth >>> 5] |= 1 << (depth & 31);
        this.#raise(other, above, reason, 1);
      } else if (above === this.low[other] && this.#supported[other] === 0) {
        this.#set(other, above, this.#records[other], 1);
      }
    }
  }

  unplace(buffer: number): void {
    this.depth[buffer] = -1;
  }

  /** Raises a buffer above its lowest offset, where it cannot lie because of the decisions in `conflict`. */
  postpone(buffer: number): void {
    const reason = this.#reason;
    const offset = this.low[buffer];
    reason.set(this.conflict);
    this.#history.explain(this.#records[buffer], offset, reason);
    this.#raise(buffer, offset + this.#problem.alignment[buffer], reason, 0);
  }

  /** Draws what follows for these unplaced buffers; false, with the `conflict`, if something does not fit. */
  propagate(list: Int32Array): boolean {
    for (;;) {
      while (this.#queueLength > 0) {
        const section = this.#takeSection();
        this.#queued[section] = 0;
        if ((++this.#looks & 1023) === 0) this.#checkTime();
        if (!this.#look(section)) return false;
      }
      this.#raiseUnsupported(list);
      if (this.#queueLength === 0) return true;
    }
  }

  #takeSection(): number {
    const section = this.#queue[this.#queueStart];
    this.#queueStart = (this.#queueStart + 1) % this.#queue.length;
    this.#queueLength--;
    return section;
  }

  /** Has the sections of a buffer looked at again. */
  #touch(buffer: number): void {
    const { first, last } = this.#problem;
    for (let section = first[buffer]; section <= last[buffer]; section++) {
      if (this.#queued[section] === 1) continue;
      this.#queued[section] = 1;
      this.#queue[(this.#queueStart + this.#queueLength++) % this.#queue.length] = section;
    }
  }

  #set(buffer: number, low: number, record: number, supported: number): void {
    this.#changes.push(buffer, this.low[buffer], this.#records[buffer], this.#supported[buffer]);
    this.low[buffer] = low;
    this.#records[buffer] = record;
    this.#supported[buffer] = supported;
  }

  /** Raises a buffer. One that does not fit below the capacity any more makes its sections too full. */
  #raise(buffer: number, low: number, reason: Int32Array, supported: number): void {
    this.#set(buffer, low, this.#history.add(low, this.#records[buffer], reason), supported);
    this.#touch(buffer);
  }

  /**
   * The lowest offset worth raising a buffer to that lies at `bound` or above: less is enough where it does not fit any
   * more, and has a wider reason.
   */
  #enough(buffer: number, bound: number): number {
    return Math.min(bound, this.#capacity - this.#problem.size[buffer] + 1);
  }

  /** What nothing placed supports is raised to the lowest end of what is unplaced. */
  #raiseUnsupported(list: Int32Array): void {
    const { size, alignment } = this.#problem;
    const low = this.low;
    const depth = this.depth;
    for (let i = 0; i < list.length; i++) {
      const buffer = list[i];
      if (this.#supported[buffer] === 1) continue;
      const known = this.#below[buffer];
      if (known >= 0 && depth[known] < 0 && low[known] + size[known] <= low[buffer]) continue;
      const neighbours = this.neighbours[buffer];
      let lowest = Number.POSITIVE_INFINITY;
      for (let j = 0; j < neighbours.length && lowest > low[buffer]; j++) {
        const other = neighbours[j];
        const end = low[other] + size[other];
        if (depth[other] >= 0 || end >= lowest) continue;
        lowest = end;
        this.#below[buffer] = other;
      }
      if (lowest <= low[buffer]) continue;
      const bound = this.#enough(buffer, lowest);
      const reason = this.#reason;
      reason.fill(0);
      this.#history.explain(this.#records[buffer], low[buffer], reason);
      for (let j = 0; j < neighbours.length; j++) {
        const other = neighbours[j];
        // What is placed ends below: the buffer could lie on it if it lay elsewhere.
        if (depth[other] >= 0) reason[depth[other] >>> 5] |= 1 << (depth[other] & 31);
        else this.#history.explain(this.#records[other], bound - size[other], reason);
      }
      this.#raise(buffer, alignUp(bound, alignment[buffer]), reason, 0);
    }
  }

  /** Draws what follows in one section; false if it is too full. */
  #look(section: number): boolean {
    const { size } = this.#problem;
    const low = this.low;
    const depth = this.depth;
    const byLow = this.#byLow;
    const capacity = this.#capacity;
    const members = this.members[section];
    for (let i = 1; i < members.length; i++) {
      const buffer = members[i];
      let j = i;
      for (; j > 0 && low[members[j - 1]] > low[buffer]; j--) members[j] = members[j - 1];
      members[j] = buffer;
    }
    let count = 0;
    let total = 0;
    for (let i = 0; i < members.length; i++) {
      const buffer = members[i];
      if (depth[buffer] >= 0) continue;
      total += size[buffer];
      byLow[count++] = buffer;
    }
    let reach = 0;
    let start = 0;
    for (let i = 0; i < count; i++) {
      const buffer = byLow[i];
      if (low[buffer] > reach) {
        reach = low[buffer];
        start = i;
      }
      reach += size[buffer];
      if (reach > capacity) {
        this.#conflicts[section]++;
        this.#explainFull(byLow.subarray(start, i + 1));
        return false;
      }
    }
    let candidates = 0;
    while (candidates < count && low[byLow[candidates]] + total <= capacity) candidates++;
    this.#figures.push(section, this.reach[section], this.floor[section], this.candidates[section]);
    this.reach[section] = reach;
    this.floor[section] = count > 0 ? low[byLow[0]] : -1;
    this.candidates[section] = candidates;
    if (this.#thorough && candidates < count && count > 1) this.#raiseNotFirst(section, candidates, count);
    return true;
  }

  /** These buffers of one section do not fit between the lowest of them and the capacity. */
  #explainFull(buffers: Int32Array): void {
    let total = 0;
    for (const buffer of buffers) total += this.#problem.size[buffer];
    this.conflict.fill(0);
    for (const buffer of buffers) {
      this.#history.explain(this.#records[buffer], this.#capacity - total + 1, this.conflict);
    }
  }

  /**
   * Raises what cannot be lowest in the section just looked at: of each set of others that do not all fit above such a
   * buffer one lies below it, so it lies at the lowest of their ends or above; the set with the highest ends says most.
   */
  #raiseNotFirst(section: number, candidates: number, count: number): void {
    const { size, alignment } = this.#problem;
    const low = this.low;
    const byLow = this.#byLow;
    const byEnd = this.#byEnd;
    const members = this.#membersByEnd[section];
    for (let i = 1; i < members.length; i++) {
      const buffer = members[i];
      const end = low[buffer] + size[buffer];
      let j = i;
      for (; j > 0 && low[members[j - 1]] + size[members[j - 1]] < end; j--) members[j] = members[j - 1];
      members[j] = buffer;
    }
    let unplaced = 0;
    for (let i = 0; i < members.length; i++) {
      if (this.depth[members[i]] < 0) byEnd[unplaced++] = members[i];
    }
    // From the highest down; what has been raised already only has a higher end.
    for (let i = count - 1; i >= candidates; i--) {
      const buffer = byLow[i];
      let filled = low[buffer] + size[buffer];
      let lowest = Number.POSITIVE_INFINITY;
      let until = 0;
      for (; until < count && filled <= this.#capacity && lowest > low[buffer]; until++) {
        const other = byEnd[until];
        if (other === buffer) continue;
        filled += size[other];
        lowest = Math.min(lowest, low[other] + size[other]);
      }
      if (lowest <= low[buffer]) continue;
      const bound = this.#enough(buffer, lowest);
      const reason = this.#reason;
      reason.fill(0);
      this.#history.explain(this.#records[buffer], low[buffer] - (filled - this.#capacity) + 1, reason);
      for (let j = 0; j < until; j++) {
        const other = byEnd[j];
        if (other !== buffer) this.#history.explain(this.#records[other], bound - size[other], reason);
      }
      this.#raise(buffer, alignUp(bound, alignment[buffer]), reason, 0);
    }
  }
}

function alignUp(offset: number, alignment: number): number {
  return alignment === 1 ? offset : Math.ceil(offset / alignment) * alignment;
}
