import type { MemoryPlan, MemoryProblem } from "./problem.ts";

/** A stretch of free bytes: [start, end). */
interface Gap {
  start: number;
  end: number;
}

/**
 * Places buffers in the order of time, as an allocator would that knows nothing of the future: each into the smallest gap
 * that holds it, or at the top. Of buffers that begin together the larger come first. A trace of a million buffers takes
 * seconds where the greedy orders, which look at all pairs, would take hours. Cost: O(n · (log n + gaps)).
 */
export function bestFitPlan({ buffers }: MemoryProblem): MemoryPlan {
  const offsets = new Array<number>(buffers.length).fill(0);
  const living = Array.from(buffers.keys()).filter((index) => {
    const { size, start, end } = buffers[index];
    return size > 0 && start < end;
  });
  const byStart = [...living].sort((a, b) => buffers[a].start - buffers[b].start || buffers[b].size - buffers[a].size);
  const byEnd = [...living].sort((a, b) => buffers[a].end - buffers[b].end);
  const free = new FreeList();
  let ended = 0;
  for (const index of byStart) {
    const { size, alignment, start } = buffers[index];
    // What ends at a step is gone before what begins there.
    for (; ended < byEnd.length && buffers[byEnd[ended]].end <= start; ended++) {
      const { size: bytes } = buffers[byEnd[ended]];
      free.give(offsets[byEnd[ended]], bytes);
    }
    offsets[index] = free.take(size, alignment);
  }
  const height = buffers.reduce((most, { size }, index) => Math.max(most, offsets[index] + size), 0);
  return { offsets, height };
}

/** Free bytes below the top, by size; neighbours are joined. */
class FreeList {
  /** In ascending order of length, then of start. */
  readonly #gaps: Gap[] = [];
  readonly #byStart = new Map<number, Gap>();
  readonly #byEnd = new Map<number, Gap>();
  #top = 0;

  /** An aligned offset of so many bytes that are now taken. */
  take(size: number, alignment: number): number {
    for (let index = this.#search(size, -1); index < this.#gaps.length; index++) {
      const gap = this.#gaps[index];
      const offset = alignUp(gap.start, alignment);
      if (offset + size > gap.end) continue;
      const { start, end } = gap;
      this.#remove(gap);
      this.#insert(start, offset);
      this.#insert(offset + size, end);
      return offset;
    }
    // At the top, from the gap that reaches up to it if there is one.
    const last = this.#byEnd.get(this.#top);
    const from = last?.start ?? this.#top;
    if (last !== undefined) this.#remove(last);
    const offset = alignUp(from, alignment);
    this.#insert(from, offset);
    this.#top = offset + size;
    return offset;
  }

  give(offset: number, size: number): void {
    const below = this.#byEnd.get(offset);
    const above = this.#byStart.get(offset + size);
    if (below !== undefined) this.#remove(below);
    if (above !== undefined) this.#remove(above);
    this.#insert(below?.start ?? offset, above?.end ?? offset + size);
  }

  #insert(start: number, end: number): void {
    if (start >= end) return;
    const gap = { start, end };
    this.#gaps.splice(this.#search(end - start, start), 0, gap);
    this.#byStart.set(start, gap);
    this.#byEnd.set(end, gap);
  }

  #remove(gap: Gap): void {
    this.#gaps.splice(this.#search(gap.end - gap.start, gap.start), 1);
    this.#byStart.delete(gap.start);
    this.#byEnd.delete(gap.end);
  }

  /** The first place of a gap that is longer, or as long and begins no earlier. */
  #search(length: number, start: number): number {
    let low = 0;
    let high = this.#gaps.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const gap = this.#gaps[middle];
      const difference = gap.end - gap.start - length || gap.start - start;
      if (difference < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function alignUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}
