const chunkBits = 16;
const chunkLength = 1 << chunkBits;
const chunkMask = chunkLength - 1;

type ColumnArray = Int32Array | Uint32Array | Float64Array;

/**
 * A column of numbers that grows at its end. It grows by chunks, so that nothing is ever copied: a graph of 10⁸ edges
 * needs no second graph's memory in order to become a little larger.
 */
export class Column {
  readonly #makeChunk: new (
    length: number,
  ) => ColumnArray;
  readonly #chunks: ColumnArray[] = [];
  #length = 0;

  constructor(kind: "int32" | "uint32" | "float64") {
    this.#makeChunk = kind === "int32" ? Int32Array : kind === "uint32" ? Uint32Array : Float64Array;
  }

  get length(): number {
    return this.#length;
  }

  /** Appends a value and returns its index. */
  push(value: number): number {
    const index = this.#length++;
    const offset = index & chunkMask;
    if (offset === 0) this.#chunks.push(new this.#makeChunk(chunkLength));
    this.#chunks[this.#chunks.length - 1][offset] = value;
    return index;
  }

  /** The value at an index below `length`. */
  at(index: number): number {
    return this.#chunks[index >>> chunkBits][index & chunkMask];
  }

  /** Replaces the value at an index below `length`. */
  set(index: number, value: number): void {
    this.#chunks[index >>> chunkBits][index & chunkMask] = value;
  }
}
