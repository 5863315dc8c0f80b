import type { MemoryProblem } from "./problem.ts";

/** Cells that a lifespan spans at most, but for one at its end: more make lists shorter and placing dearer. */
const mostCells = 4;
/** How many times wider the cells of each level are than those of the level below. */
const widening = 4;

/** Buffers in a cell of time, in the order of their offsets. */
type Cell = number[];

/**
 * Buffers that have been placed, by time: the lowest offset at which another one fits between them is found without
 * looking at those that are alive at other times. Time is cut into cells, on several levels of width; each buffer is
 * listed in the few cells that it spans on the level that suits its lifespan, in the order of offsets.
 */
export class PlacedBuffers {
  readonly #sizes: Float64Array;
  readonly #alignments: Float64Array;
  /** Lifespans in ranks of the moments at which something begins: at such a moment two that overlap are both alive. */
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #offsets: Float64Array;
  readonly #moments: number;
  /** By level: cells by place, where there is one. */
  readonly #levels: (Cell | undefined)[][] = [];
  /** Cells that a search looks at, and how far it has come in each: scratch. */
  readonly #found: Cell[] = [];
  readonly #next: number[] = [];

  constructor({ buffers }: MemoryProblem) {
    const begins = Float64Array.from(buffers, ({ start }) => start).sort();
    let moments = 0;
    for (let index = 0; index < begins.length; index++) {
      if (index === 0 || begins[index] !== begins[moments - 1]) begins[moments++] = begins[index];
    }
    this.#moments = moments;
    const rank = (time: number): number => {
      let low = 0;
      let high = moments;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (begins[middle] < time) low = middle + 1;
        else high = middle;
      }
      return low;
    };
    this.#sizes = Float64Array.from(buffers, ({ size }) => size);
    this.#alignments = Float64Array.from(buffers, ({ alignment }) => alignment);
    this.#starts = Uint32Array.from(buffers, ({ start }) => rank(start));
    this.#ends = Uint32Array.from(buffers, ({ end }) => rank(end));
    this.#offsets = new Float64Array(buffers.length);
  }

  /** Places a buffer that takes bytes and time at the lowest offset that is free for its whole life; returns the offset. */
  place(index: number): number {
    const offset = this.#lowest(index);
    this.#offsets[index] = offset;
    const start = this.#starts[index];
    const end = this.#ends[index];
    let level = 0;
    let width = 1;
    for (; mostCells * width < end - start; width *= widening) level++;
    while (this.#levels.length <= level) {
      this.#levels.push(new Array(Math.ceil(this.#moments / widening ** this.#levels.length)));
    }
    const cells = this.#levels[level];
    const last = Math.floor((end - 1) / width);
    for (let place = Math.floor(start / width); place <= last; place++) {
      const cell = cells[place];
      if (cell === undefined) cells[place] = [index];
      else this.#insert(cell, index);
    }
    return offset;
  }

  #lowest(index: number): number {
    const sizes = this.#sizes;
    const starts = this.#starts;
    const ends = this.#ends;
    const offsets = this.#offsets;
    const size = sizes[index];
    const start = starts[index];
    const end = ends[index];
    const alignment = this.#alignments[index];
    const count = this.#cellsBetween(start, end);
    let offset = 0;
    // Whatever is in the way raises the offset; what begins above the end of the buffer is not in the way yet.
    for (let raised = true; raised; ) {
      raised = false;
      for (let at = 0; at < count; at++) {
        const cell = this.#found[at];
        let next = this.#next[at];
        for (; next < cell.length && offsets[cell[next]] < offset + size; next++) {
          const other = cell[next];
          const top = offsets[other] + sizes[other];
          if (top <= offset || starts[other] >= end || start >= ends[other]) continue;
          offset = Math.ceil(top / alignment) * alignment;
          raised = true;
        }
        this.#next[at] = next;
      }
    }
    return offset;
  }

  /** Finds the cells of all levels between two moments, and says how many there are. */
  #cellsBetween(start: number, end: number): number {
    let count = 0;
    let width = 1;
    for (const cells of this.#levels) {
      const last = Math.min(cells.length - 1, Math.floor((end - 1) / width));
      for (let place = Math.floor(start / width); place <= last; place++) {
        const cell = cells[place];
        if (cell === undefined) continue;
        this.#found[count] = cell;
        this.#next[count++] = 0;
      }
      width *= widening;
    }
    return count;
  }

  /** Lists a buffer behind those that lie no higher. */
  #insert(cell: Cell, index: number): void {
    const offsets = this.#offsets;
    let low = 0;
    let high = cell.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (offsets[cell[middle]] <= offsets[index]) low = middle + 1;
      else high = middle;
    }
    cell.splice(low, 0, index);
  }
}
