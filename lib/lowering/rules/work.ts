import { reducePartialsCycles } from "../../codelets/index.ts";
import { elementBytes, type PlacedTensor, type Target } from "../../graph/index.ts";
import { type Piece, spreadOverTiles } from "../columns.ts";
import type { WorkCost } from "../grain.ts";

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

/** The tile of the first vertex that reads each block of a tensor, by a column in which vertices follow one another. */
export function firstUse(
  blocks: Uint32Array,
  { variable }: PlacedTensor,
  tiles: Uint16Array,
): (block: number) => number {
  const first = new Int32Array(variable.layout.count).fill(-1);
  const each = blocks.length / tiles.length;
  for (let place = 0; place < blocks.length; place++) {
    const block = blocks[place] - variable.firstBlock;
    if (first[block] < 0) first[block] = tiles[Math.min(tiles.length - 1, Math.floor(place / each))];
  }
  return (block) => Math.max(0, first[block]);
}

/** Bytes that a vertex writes, and what adding up the parts costs the tile that has its share of it. */
export function reductionCost(
  outElements: number,
  parts: number,
  target: Target,
): Pick<WorkCost, "outputBytes" | "reduceCycles" | "reduceBytes"> {
  const outputBytes = outElements * elementBytes.float;
  if (parts === 1) return { outputBytes, reduceCycles: 0, reduceBytes: 0 };
  return {
    outputBytes,
    reduceCycles: reducePartialsCycles(outElements, target),
    reduceBytes: (outputBytes * (parts - 1)) / parts,
  };
}
