import { elementCount, formatShape, rowMajorStrides, type Shape } from "../tensor/index.ts";

/**
 * How a tensor is cut into blocks and stored block after block. Blocks are numbered row-major over the grid that they
 * make; inside a block, elements lie row-major. Blocks at the far end of an axis are smaller where nothing divides.
 */
export class BlockLayout {
  readonly shape: Shape;
  /** Extents of a block that is whole. */
  readonly block: Shape;
  /** Blocks along each axis. */
  readonly grid: Shape;
  /** Number of blocks. */
  readonly count: number;
  readonly elements: number;
  /** Whether every block is whole, so that the block's number times its elements is where it begins. */
  readonly uniform: boolean;
  readonly #gridStrides: readonly number[];
  readonly #blockElements: number;

  /** @throws Error if there is not one extent ≥ 1 of the block for each axis */
  constructor(shape: Shape, block: Shape) {
    if (block.length !== shape.length || block.some((extent) => !Number.isSafeInteger(extent) || extent < 1)) {
      throw new Error(
        `block layout: a block must have an extent ≥ 1 for each axis, got ${formatShape(block)} for ${formatShape(shape)}; give whole numbers`,
      );
    }
    this.shape = shape;
    this.block = block.map((extent, axis) => Math.max(1, Math.min(extent, shape[axis])));
    this.grid = shape.map((extent, axis) => Math.ceil(extent / this.block[axis]));
    this.count = elementCount(this.grid);
    this.elements = elementCount(shape);
    this.uniform = shape.every((extent, axis) => extent % this.block[axis] === 0);
    this.#gridStrides = rowMajorStrides(this.grid);
    this.#blockElements = elementCount(this.block);
  }

  /** The number of the block at these places of the grid. */
  at(...places: readonly number[]): number {
    let block = 0;
    for (let axis = 0; axis < places.length; axis++) block += places[axis] * this.#gridStrides[axis];
    return block;
  }

  /** The place of a block along one axis of the grid. */
  placeOf(block: number, axis: number): number {
    return Math.floor(block / this.#gridStrides[axis]) % this.grid[axis];
  }

  /** Elements `start` up to, not including, `end` of an axis that a block holds. */
  intervalOf(block: number, axis: number): readonly [start: number, end: number] {
    const start = this.placeOf(block, axis) * this.block[axis];
    return [start, Math.min(start + this.block[axis], this.shape[axis])];
  }

  /** Elements in a block. */
  elementsOf(block: number): number {
    if (this.uniform) return this.#blockElements;
    let elements = 1;
    for (let axis = 0; axis < this.shape.length; axis++) {
      const [start, end] = this.intervalOf(block, axis);
      elements *= end - start;
    }
    return elements;
  }

  /** Where a block begins among all elements. */
  offsetOf(block: number): number {
    if (this.uniform) return block * this.#blockElements;
    // Before it lie, axis by axis, the blocks that share its places on all axes further out and come earlier on this one.
    let offset = 0;
    let outer = 1;
    let inner = this.elements;
    for (let axis = 0; axis < this.shape.length; axis++) {
      const [start, end] = this.intervalOf(block, axis);
      inner /= this.shape[axis];
      offset += outer * start * inner;
      outer *= end - start;
    }
    return offset;
  }

  /** Calls `visit` for each element of a block, in the order of storage, with its row-major position in the tensor. */
  forEachElement(block: number, visit: (position: number) => void): void {
    const rank = this.shape.length;
    const strides = rowMajorStrides(this.shape);
    const walk = (axis: number, position: number): void => {
      if (axis === rank) {
        visit(position);
        return;
      }
      const [start, end] = this.intervalOf(block, axis);
      if (axis === rank - 1) for (let index = start; index < end; index++) visit(position + index);
      else for (let index = start; index < end; index++) walk(axis + 1, position + index * strides[axis]);
    };
    walk(0, 0);
  }

  /** For every element in row-major order, where it is stored. */
  storagePlaces(): Uint32Array {
    const places = new Uint32Array(this.elements);
    let stored = 0;
    for (let block = 0; block < this.count; block++) {
      this.forEachElement(block, (position) => {
        places[position] = stored++;
      });
    }
    return places;
  }

  /** For every element in row-major order, its block. */
  blocksOfElements(): Uint32Array {
    const blocks = new Uint32Array(this.elements);
    for (let block = 0; block < this.count; block++) {
      this.forEachElement(block, (position) => {
        blocks[position] = block;
      });
    }
    return blocks;
  }

  /** Whether another layout has the same blocks with the same elements in the same order, if axes of extent 1 are left out. */
  sameStorage(other: BlockLayout): boolean {
    const essential = ({ shape, block }: BlockLayout): string =>
      shape.flatMap((extent, axis) => (extent === 1 ? [] : [`${extent}/${block[axis]}`])).join();
    return essential(this) === essential(other);
  }

  toString(): string {
    return `${formatShape(this.shape)} in blocks of ${formatShape(this.block)}`;
  }
}
