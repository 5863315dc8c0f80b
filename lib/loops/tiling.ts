import { type Axis, termOf } from "./affine.ts";
import { Dependencies, indicesIn, reductionsIn } from "./analysis.ts";
import type { Reduction } from "./expression.ts";
import type { Space } from "./merge.ts";
import type { Loop, Nest } from "./nest.ts";
import { productTiling } from "./product-tiling.ts";

/** Elements computed together where nothing is reduced: two vectors. */
const plainTile = 8;
/** Where each lane has a reduction of its own: four vectors, to hide the latency of one addition behind others. */
const reducingTile = 16;
/** Rows reduced side by side, a lane each. */
const rowsTile = 4;
/** Extent from which a row is reduced along its lanes rather than beside other rows. */
const longRow = 16;

/** Chooses for a nest which axis goes along the lanes, and how much is computed together. */
export function tiled(name: string, { axes, stores }: Space): Nest {
  const reductions = reductionsIn(stores.map((store) => store.value));
  const deepest = stores.every(({ depth }) => depth === axes.length);
  const product = deepest && reductions.length === 1 ? productTiling(axes, reductions[0]) : null;
  const { vector, tiles } = product ?? (reductions.length === 0 ? plain(axes) : reducing(axes, reductions));
  const loops = axes.map(
    (axis, position): Loop => ({
      axis,
      tile: tiles.get(axis) ?? 1,
      parallel: stores.every(({ depth }) => depth > position),
    }),
  );
  return { name, loops, vector, stores };
}

/** Along which axis the lanes go, and the tiles of axes that have any. */
export interface Tiling {
  readonly vector: Axis | null;
  readonly tiles: ReadonlyMap<Axis, number>;
}

function inLanes(vector: Axis | null, tile: number): Tiling {
  return { vector, tiles: vector === null ? new Map() : new Map([[vector, tile]]) };
}

function plain(axes: readonly Axis[]): Tiling {
  return inLanes(axes.at(-1) ?? null, plainTile);
}

function reducing(axes: readonly Axis[], reductions: readonly Reduction[]): Tiling {
  const dependencies = new Dependencies();
  const indices = indicesIn(reductions.map((reduction) => reduction.body));
  /** Whether neighbours along an axis are neighbours in memory, or the same. */
  const contiguous = (axis: Axis): boolean => indices.every((index) => [0, 1].includes(termOf(index, axis).inner));
  const varying = axes.filter((axis) => reductions.some((reduction) => dependencies.of(reduction).has(axis)));
  const last = axes.at(-1) ?? null;
  const lastVarying = varying.at(-1) ?? null;
  if (lastVarying !== null && lastVarying === last && lastVarying.extent > 1 && contiguous(lastVarying)) {
    return inLanes(lastVarying, reducingTile);
  }
  const along = reductions.every(({ axes: [...own], interleaved }) => {
    const axis = own.at(-1);
    if (axis === undefined || !interleaved || !contiguous(axis)) return false;
    return axis.extent >= longRow || lastVarying === null;
  });
  if (along) return inLanes(lastVarying === last ? null : last, plainTile);
  return inLanes(lastVarying, rowsTile);
}
