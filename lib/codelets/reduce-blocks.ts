import { codelet, input, output, state, type Target } from "../graph/index.ts";
import { allWorkers, type FloatType, type Vector, vectorWidth } from "./support.ts";

/** How elements are taken together. */
export type Reduction = "sum" | "max";

const meanings: Readonly<
  Record<Reduction, { readonly start: number; readonly meaning: (a: number, b: number) => number }>
> = {
  sum: { start: 0, meaning: (a, b) => Math.fround(a + b) },
  max: { start: Number.NEGATIVE_INFINITY, meaning: Math.max },
};

/**
 * Cycles of reducing so many elements on a tile: each worker takes its share of the inputs as PopLibs' reduction of one
 * float input does, 17 + 2 · ⌊n / 4⌋ + n mod 4, and a worker's cycle is W of the tile's. Halves come twice as many at a
 * time, as an assumption: 17 + 2 · ⌊n / 8⌋ + n mod 8.
 */
export function reducePartialsCycles(elements: number, { workersPerTile }: Target, type: FloatType = "float"): number {
  const each = Math.ceil(elements / workersPerTile);
  const turn = 2 * vectorWidth[type];
  return workersPerTile * (17 + 2 * Math.floor(each / turn) + (each % turn));
}

/**
 * Takes partial results together: result `i` is made of as many vectors of `in`, one after the other, as there are for
 * each of `out`, then multiplied by `factor`. With `parts` > 1 the result is [rows, parts, inner], of which each part has
 * its own partial results, [rows, inner], which follow those of the part before.
 */
export function reducePartials(reduction: Reduction = "sum", from: FloatType = "float", type: FloatType = "float") {
  const { start, meaning } = meanings[reduction];
  return codelet(
    `ReducePartials<${reduction},${from},${type}>`,
    { in: input.vectors(from), out: output.vectors(type), parts: state(), inner: state(), factor: state() },
    ({ in: partials, out, parts, inner, factor }) => {
      const each = partials.length / out.length / parts;
      for (const [place, result] of out.entries()) {
        const rows = result.length / parts / inner;
        result.fill(start);
        for (let part = 0; part < parts; part++) {
          for (let index = 0; index < each; index++) {
            const values = partials[(place * parts + part) * each + index];
            for (let row = 0; row < rows; row++) {
              for (let i = 0; i < inner; i++) {
                const target = (row * parts + part) * inner + i;
                result[target] = meaning(result[target], values[row * inner + i]);
              }
            }
          }
        }
        if (factor !== 1) for (let i = 0; i < result.length; i++) result[i] *= factor;
      }
    },
    ({ in: partials }, target) => reducePartialsCycles(partials.elements, target, from),
    allWorkers,
  );
}

/**
 * Reduces some axes of a block: `in` is [outer, kept, inner], of which `out` keeps the middle, multiplied by `factor`.
 */
export function reduceAxes(reduction: Reduction, from: FloatType = "float", type: FloatType = "float") {
  const { start, meaning } = meanings[reduction];
  return codelet(
    `ReduceAxes<${reduction},${from},${type}>`,
    { in: input.vectors(from), out: output.vectors(type), inner: state(), factor: state() },
    ({ in: blocks, out: written, inner, factor }) => {
      for (const [place, out] of (written as readonly Vector[]).entries()) {
        const values = blocks[place];
        for (let i = 0; i < out.length; i++) out[i] = start;
        for (let i = 0; i < values.length; i++) {
          const target = Math.floor(i / inner) % out.length;
          out[target] = meaning(out[target], values[i]);
        }
        if (factor !== 1) for (let i = 0; i < out.length; i++) out[i] *= factor;
      }
    },
    ({ in: { elements } }, target) => reducePartialsCycles(elements, target, from),
    allWorkers,
  );
}
