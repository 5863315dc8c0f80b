/** Elements `start` up to, not including, `end` lie on `tile`. */
export interface TileInterval {
  readonly start: number;
  readonly end: number;
  readonly tile: number;
}

/** Where the elements of one variable lie: disjoint intervals in order. What lies in none is not mapped. */
export class TileMapping {
  readonly #intervals: TileInterval[] = [];

  get intervals(): readonly TileInterval[] {
    return this.#intervals;
  }

  /** Puts elements on a tile, away from where they were. Cheapest from the first element to the last. */
  set(start: number, end: number, tile: number): void {
    if (start >= end) return;
    const list = this.#intervals;
    const from = this.#firstEndingAfter(start);
    let to = from;
    const replaced: TileInterval[] = [];
    while (to < list.length && list[to].start < end) replaced.push(list[to++]);
    const kept: TileInterval[] = [];
    const first = replaced[0];
    const last = replaced.at(-1);
    if (first !== undefined && first.start < start) kept.push({ ...first, end: start });
    kept.push({ start, end, tile });
    if (last !== undefined && last.end > end) kept.push({ ...last, start: end });
    const before = list[from - 1];
    if (before !== undefined && before.end === kept[0].start && before.tile === kept[0].tile) {
      list[from - 1] = { ...before, end: kept[0].end };
      kept.shift();
    }
    if (from === list.length) for (const interval of kept) list.push(interval);
    else list.splice(from, to - from, ...kept);
  }

  /** The first element below `count` that is on no tile, or -1. */
  firstUnmapped(count: number): number {
    let next = 0;
    for (const { start, end } of this.#intervals) {
      if (start > next) return next;
      next = end;
    }
    return next < count ? next : -1;
  }

  /** The intervals that hold the elements from `start` to `end`, cut to them. */
  *between(start: number, end: number): Generator<TileInterval> {
    for (let index = this.#firstEndingAfter(start); index < this.#intervals.length; index++) {
      const interval = this.#intervals[index];
      if (interval.start >= end) return;
      yield { start: Math.max(start, interval.start), end: Math.min(end, interval.end), tile: interval.tile };
    }
  }

  #firstEndingAfter(position: number): number {
    const list = this.#intervals;
    if (list.length === 0 || list[list.length - 1].end <= position) return list.length;
    let low = 0;
    let high = list.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (list[middle].end <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
