import type { PlaneLayout } from "./planes.ts";
import { transformedSize } from "./transforms.ts";

/** Products of a tile: one for each element of its transformed 4 × 4. */
export const productsOfTile = transformedSize * transformedSize;

/** Parts into which work falls at least, so that threads have something to share. */
export const fewestParts = 4;
/** Transformed numbers and sums of products of a block of tiles must stay in a cache of the thread's own. */
const mostBlockBytes = 1024 * 1024;
/** Planes that a thread puts together for itself must stay there, too. */
const mostPlaneBytes = 512 * 1024;
/** Places for tiles with which the products' lanes have enough to do. */
const fewestPlaces = 16;

/** How the tiles of a batch are gone through: some rows of tiles at a time. */
export interface TileBlocks {
  readonly rows: number;
  /** Blocks of a sample. */
  readonly count: number;
  /** Places for tiles of a block. */
  readonly places: number;
  /** Whether each thread puts the planes of its samples together for itself; otherwise they are put together for all. */
  readonly ownPlanes: boolean;
}

/**
 * The largest blocks that fit; null where none of a useful size do.
 *
 * @param channels of the pictures and of what is computed, together
 * @param alone whether a batch of few samples has nothing else that threads could share
 */
export function tileBlocks(layout: PlaneLayout, channels: number, samples: number, alone: boolean): TileBlocks | null {
  const [tileRows] = layout.tiles;
  const ownPlanes = (samples >= fewestParts || !alone) && 4 * layout.perSample <= mostPlaneBytes;
  for (let rows = tileRows; rows > 0; rows--) {
    const count = tileRows / rows;
    const places = rows * layout.width;
    if (!Number.isInteger(count) || (alone && !ownPlanes && count * samples < fewestParts)) continue;
    if (4 * productsOfTile * places * channels > mostBlockBytes) continue;
    return places < fewestPlaces ? null : { rows, count, places, ownPlanes };
  }
  return null;
}
