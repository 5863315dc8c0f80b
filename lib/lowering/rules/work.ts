import { type FloatType, reducePartialsCycles } from "../../codelets/index.ts";
import { type ColumnOptions, elementBytes, type Target } from "../../graph/index.ts";
import type { Operation } from "../../ir/index.ts";
import { formatType } from "../../tensor/index.ts";
import { type Piece, spreadOverTiles } from "../columns.ts";
import type { Cut, WorkCost } from "../grain.ts";

/** Items of a piece. */
export const size = ({ start, end }: Piece): number => end - start;

/** The tiles of the vertices of a work: spread in order, a tile each where there are enough. */
export function boxTiles(count: number, { tileCount }: Target): Uint16Array {
  return spreadOverTiles(count, tileCount);
}

/** The place of a piece among its axis's. */
export function byPlace(pieces: readonly Piece[]): (piece: Piece) => number {
  const places = new Map(pieces.map((piece, place) => [piece, place]));
  return (piece) => places.get(piece) as number;
}

/** Whether every item is a box, so that box `i` makes block `i` of the result. */
export function isIdentity({ pieces, serial }: Cut, items: readonly number[]): boolean {
  return serial === 1 && pieces.every((count, axis) => count === items[axis]);
}

/**
 * The same for operations that are the same but for where they stand: operator, attributes and types, and whether weights
 * lie somewhere already.
 */
export function workKey({ operator, attributes, inputs, outputs }: Operation, placedAlready = true): string {
  const types = [...inputs, ...outputs].map(({ type }) => formatType(type)).join();
  return `${operator} ${JSON.stringify(attributes)} ${types} ${placedAlready}`;
}

/**
 * A tile for each block of a tensor that a family is to read: of those that read it, another one for each block, so that
 * what all of them need does not lie on a few.
 */
export function tilesOfReaders(
  { variable, blocks, starts, each }: ColumnOptions,
  tiles: Uint16Array,
): (block: number) => number {
  const { firstBlock, layout } = variable;
  const ends = new Uint32Array(layout.count + 1);
  for (const block of blocks) ends[block - firstBlock + 1]++;
  for (let block = 0; block < layout.count; block++) ends[block + 1] += ends[block];
  const next = ends.slice();
  const readers = new Uint16Array(blocks.length);
  for (let vertex = 0; vertex < tiles.length; vertex++) {
    const end = starts === undefined ? (vertex + 1) * (each ?? 1) : starts[vertex + 1];
    for (let place = starts === undefined ? vertex * (each ?? 1) : starts[vertex]; place < end; place++) {
      readers[next[blocks[place] - firstBlock]++] = tiles[vertex];
    }
  }
  return (block) => {
    const count = ends[block + 1] - ends[block];
    return count === 0 ? variable.tiles[block] : readers[ends[block] + (block % count)];
  };
}

/**
 * Bytes that a vertex writes, and what adding up the parts costs the tile that has its share of it. Blocks are added up
 * whole, by the tiles of the parts in turn: where there are fewer blocks than parts, most tiles have none, and few have all.
 */
export function reductionCost(
  out: { readonly elements: number; readonly blocks: number },
  parts: number,
  target: Target,
  type: FloatType,
): Pick<WorkCost, "outputBytes" | "reduceCycles" | "reduceBytes"> {
  // What several vertices add up is single precision.
  const outputBytes = out.elements * elementBytes[parts === 1 ? type : "float"];
  if (parts === 1) return { outputBytes, reduceCycles: 0, reduceBytes: 0 };
  const share = Math.ceil(out.blocks / parts) * (out.elements / out.blocks) * parts;
  return {
    outputBytes,
    reduceCycles: reducePartialsCycles(share, target),
    reduceBytes: (share * elementBytes.float * (parts - 1)) / parts,
  };
}

/**
 * The part of an operand that arrives by exchange at the vertex that has least of it, if so many vertices read each of its
 * blocks and each vertex so many: what nothing has placed yet is placed on tiles that read it, block by block in turn.
 */
export function arrivingShare(placedAlready: boolean, readers: number, blocks: number): number {
  return placedAlready ? 1 : 1 - Math.floor(blocks / readers) / blocks;
}
