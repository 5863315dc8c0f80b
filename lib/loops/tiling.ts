import { type Axis, termOf } from "./affine.ts";
import { Dependencies, indicesIn, reductionsIn } from "./analysis.ts";
import type { Reduction } from "./expression.ts";
import type { Space } from "./merge.ts";
import type { Loop, Nest } from "./nest.ts";
import { productTiling, type Tiling } from "./product-tiling.ts";
import { type ProductVariant, standardProducts } from "./product-variants.ts";

/** Elements computed together where nothing is reduced: two vectors. */
const plainTile = 8;
/** Rows up to this extent are gone through without a loop. */
const wholeRow = 32;
/** Rows that are written together where they are read as columns. */
const transposedTile = 4;
/** Where each lane has a reduction of its own: four vectors, to hide the latency of one addition behind others. */
const reducingTile = 16;
/** Rows reduced side by side, a lane each. */
const rowsTile = 4;
/** Extent from which a row is reduced along its lanes rather than beside other rows. */
const longRow = 16;

/**
 * Chooses for a nest which axis goes along the lanes, and how much is computed together.
 *
 * @param products how sums of products are tiled
 */
export function tiled(name: string, { axes, stores }: Space, products: ProductVariant = standardProducts): Nest {
  const reductions = reductionsIn(stores.map((store) => store.value));
  const deepest = stores.every(({ depth }) => depth === axes.length);
  const product = deepest && reductions.length === 1 ? productTiling(axes, reductions[0], products) : null;
  const { vector, tiles } = product ?? (reductions.length === 0 ? plain(axes) : reducing(axes, reductions));
  const order = reductions.length === 0 && deepest ? asStored(axes, stores) : axes;
  if (order !== axes) tiles.set(order[order.length - 1], transposedTile);
  const loops = order.map(
    (axis, position): Loop => ({
      axis,
      tile: tiles.get(axis) ?? 1,
      parallel: stores.every(({ depth }) => depth > position),
    }),
  );
  return { name, loops, vector, stores };
}

/**
 * Axes with the one last along which stores are nearest to each other: what is transposed is written in order, and read
 * along a few lines at a time.
 */
function asStored(axes: readonly Axis[], stores: Space["stores"]): readonly Axis[] {
  const apart = (axis: Axis): number => Math.max(...stores.map(({ index }) => termOf(index, axis).stride));
  const nearest = axes.reduce<Axis | null>(
    (best, axis) => (best === null || apart(axis) < apart(best) ? axis : best),
    null,
  );
  if (nearest === null || nearest === axes.at(-1)) return axes;
  return [...axes.filter((axis) => axis !== nearest), nearest];
}

function inLanes(vector: Axis | null, tile: number): Tiling {
  return { vector, tiles: vector === null ? new Map() : new Map([[vector, tile]]) };
}

function plain(axes: readonly Axis[]): Tiling {
  const last = axes.at(-1) ?? null;
  return inLanes(last, last !== null && last.extent <= wholeRow ? wholeRow : plainTile);
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
