import type { BlockVariable, ColumnOptions, StateColumn } from "../graph/index.ts";
import type { Cut } from "./grain.ts";

/** Items `start` up to, not including, `end` of an axis of a work. */
export interface Piece {
  readonly start: number;
  readonly end: number;
}

/** Pieces of up to six axes. */
export type Box = readonly [a: Piece, b: Piece, c: Piece, d: Piece, e: Piece, f: Piece];

/** An axis cut into pieces whose sizes differ by one at most, the larger ones spread evenly. */
export function cutAxis(items: number, pieces: number): readonly Piece[] {
  return Array.from({ length: pieces }, (_, index) => ({
    start: Math.floor((items * index) / pieces),
    end: Math.floor((items * (index + 1)) / pieces),
  }));
}

/** An axis cut into pieces as large as the largest has to be, and what is left: blocks of a layout. */
export function alignedPieces(items: number, pieces: number): readonly Piece[] {
  const each = Math.ceil(items / pieces);
  return Array.from({ length: Math.ceil(items / each) }, (_, index) => ({
    start: index * each,
    end: Math.min((index + 1) * each, items),
  }));
}

/** The boxes into which a work is cut, numbered row-major; a vertex each. */
export class Boxes {
  readonly pieces: readonly (readonly Piece[])[];
  readonly count: number;

  constructor(pieces: readonly (readonly Piece[])[]) {
    this.pieces = pieces;
    this.count = pieces.reduce((product, { length }) => product * length, 1);
  }

  /**
   * The boxes of each serial step of a cut.
   *
   * @param aligned an axis whose pieces are blocks of a layout, if there is one
   */
  static of(items: readonly number[], { pieces, serial }: Cut, aligned?: number): readonly Boxes[] {
    const others = items
      .slice(1)
      .map((count, axis) => (axis + 1 === aligned ? alignedPieces : cutAxis)(count, pieces[axis + 1]));
    return cutAxis(items[0], serial).map(({ start, end }) => {
      const first = cutAxis(end - start, Math.min(pieces[0], end - start));
      return new Boxes([first.map((piece) => ({ start: start + piece.start, end: start + piece.end })), ...others]);
    });
  }

  /** Calls `visit` for each box with its pieces, the last axis fastest. Works of fewer axes end with whole ones. */
  forEach(visit: (...box: Box) => void): void {
    const [first, second = whole, third = whole, fourth = whole, fifth = whole, sixth = whole] = this.pieces;
    for (const a of first)
      for (const b of second)
        for (const c of third)
          for (const d of fourth) for (const e of fifth) for (const f of sixth) visit(a, b, c, d, e, f);
  }

  /** Edges of a field: how many blocks each box has, and which. */
  column(
    variable: BlockVariable,
    length: (...box: Box) => number,
    write: (into: Uint32Array, at: number, ...box: Box) => void,
  ): ColumnOptions {
    let total = 0;
    let each = -1;
    let same = true;
    this.forEach((a, b, c, d, e, f) => {
      const own = length(a, b, c, d, e, f);
      if (each < 0) each = own;
      else if (own !== each) same = false;
      total += own;
    });
    const blocks = new Uint32Array(total);
    const starts = same ? undefined : new Uint32Array(this.count + 1);
    let at = 0;
    let box = 0;
    this.forEach((a, b, c, d, e, f) => {
      write(blocks, at, a, b, c, d, e, f);
      at += length(a, b, c, d, e, f);
      if (starts !== undefined) starts[++box] = at;
    });
    return starts === undefined ? { variable, blocks, each } : { variable, blocks, starts };
  }

  /** A number that vertices hold and that depends on their piece of one axis. */
  state(axis: number, numberOf: (piece: Piece) => number): StateColumn {
    const values = this.pieces[axis].map(numberOf);
    if (values.every((value) => value === values[0])) return values[0];
    const every = this.pieces.slice(axis + 1).reduce((product, pieces) => product * pieces.length, 1);
    return { every, values: Float64Array.from(values) };
  }

  /** A number that depends on vertices' pieces of two axes, one after the other. */
  stateOfTwo(first: number, second: number, numberOf: (first: Piece, second: Piece) => number): StateColumn {
    if (second !== first + 1) throw new Error(`internal: axes ${first} and ${second} are not one after the other`);
    const values = this.pieces[first].flatMap((a) => this.pieces[second].map((b) => numberOf(a, b)));
    if (values.every((value) => value === values[0])) return values[0];
    const every = this.pieces.slice(second + 1).reduce((product, pieces) => product * pieces.length, 1);
    return { every, values: Float64Array.from(values) };
  }
}

const whole: readonly Piece[] = [{ start: 0, end: 1 }];

/** Rows at regular distances: `first`, `first + step`, … */
export interface Rows {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** The rows of a rising list if they lie at regular distances, else all from the first to the last. */
export function rowsOf(rising: readonly number[]): Rows {
  if (rising.length === 0) return { first: 0, step: 1, count: 0 };
  const [first] = rising;
  const last = rising[rising.length - 1];
  const step = rising.length === 1 ? 1 : rising[1] - first;
  const regular = rising.every((row, index) => row === first + index * step);
  return regular ? { first, step, count: rising.length } : { first, step: 1, count: last - first + 1 };
}

/** The tiles of so many vertices spread over so many tiles in order. */
export function spreadOverTiles(count: number, tileCount: number): Uint16Array {
  const tiles = new Uint16Array(count);
  for (let index = 0; index < count; index++) tiles[index] = Math.floor((index * tileCount) / count);
  return tiles;
}
