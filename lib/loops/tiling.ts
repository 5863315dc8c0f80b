import { type Axis, termOf } from "./affine.ts";
import { Dependencies, indicesIn, visitAll } from "./analysis.ts";
import type { Reduction } from "./expression.ts";
import type { Space } from "./merge.ts";
import type { Loop, Nest } from "./nest.ts";

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
  const reductions: Reduction[] = [];
  visitAll(
    stores.map((store) => store.value),
    (expression) => {
      if (expression.kind === "reduce") reductions.push(expression);
    },
  );
  const { vector, tile } = reductions.length === 0 ? plain(axes) : reducing(axes, reductions);
  const loops = axes.map(
    (axis, position): Loop => ({
      axis,
      tile: axis === vector ? tile : 1,
      parallel: stores.every(({ depth }) => depth > position),
    }),
  );
  return { name, loops, vector, stores };
}

interface Choice {
  readonly vector: Axis | null;
  readonly tile: number;
}

function plain(axes: readonly Axis[]): Choice {
  return { vector: axes.at(-1) ?? null, tile: plainTile };
}

function reducing(axes: readonly Axis[], reductions: readonly Reduction[]): Choice {
  const dependencies = new Dependencies();
  const indices = indicesIn(reductions.map((reduction) => reduction.body));
  /** Whether neighbours along an axis are neighbours in memory, or the same. */
  const contiguous = (axis: Axis): boolean => indices.every((index) => [0, 1].includes(termOf(index, axis).inner));
  const varying = axes.filter((axis) => reductions.some((reduction) => dependencies.of(reduction).has(axis)));
  const last = axes.at(-1) ?? null;
  const lastVarying = varying.at(-1) ?? null;
  if (lastVarying !== null && lastVarying === last && lastVarying.extent > 1 && contiguous(lastVarying)) {
    return { vector: lastVarying, tile: reducingTile };
  }
  const along = reductions.every(
    ({ axis, interleaved }) => interleaved && contiguous(axis) && (axis.extent >= longRow || lastVarying === null),
  );
  if (along) return { vector: lastVarying === last ? null : last, tile: plainTile };
  return { vector: lastVarying, tile: rowsTile };
}
