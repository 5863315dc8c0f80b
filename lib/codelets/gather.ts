import { codelet, input, output, state } from "../graph/index.ts";
import { type FloatType, oneWorker, vectorWidth } from "./support.ts";

// An assumption: finding a row takes a load, a comparison and an address, and its elements a load and a store each, two
// floats or four halves at a time.
const vertexCycles = 30;
const rowCycles = 6;

const cycles = (numbers: number, elements: number, type: FloatType): number =>
  vertexCycles + rowCycles * numbers + 2 * Math.ceil(elements / vectorWidth[type]);

/**
 * Rows of a table by their numbers: `table` are blocks of `blockRows` rows, one below the other, of `width` columns, and
 * `out` is [numbers, width]. A number that is no row's gives NaN.
 *
 * Cycles of a worker: 30, 6 for each number, and 2 for every two floats or four halves, as an assumption.
 */
export function gatherRows(type: FloatType = "float") {
  return codelet(
    `GatherRows<${type}>`,
    {
      table: input.vectors(type),
      numbers: input.vector("int"),
      out: output.vector(type),
      width: state(),
      blockRows: state(),
      rows: state(),
    },
    ({ table, numbers, out, width, blockRows, rows }) => {
      for (let index = 0; index < numbers.length; index++) {
        const row = numbers[index];
        const known = row >= 0 && row < rows;
        const block = known ? table[Math.floor(row / blockRows)] : null;
        const begin = (row % blockRows) * width;
        for (let i = 0; i < width; i++) out[index * width + i] = block === null ? Number.NaN : block[begin + i];
      }
    },
    ({ numbers, out }) => cycles(numbers.length, out.length, type),
    oneWorker,
  );
}

/**
 * Sums of pieces by their numbers: `pieces` are blocks, one below the other, of rows of `width` columns that belong to
 * `numbers` in order, and `out` holds the rows from `firstRow` on. Sums are of double precision, rounded once.
 *
 * Cycles of a worker: 30, 6 for each number, and 2 for every two floats or four halves of all pieces, as an assumption.
 */
export function scatterAddRows(type: FloatType = "float") {
  return codelet(
    `ScatterAddRows<${type}>`,
    {
      pieces: input.vectors(type),
      numbers: input.vectors("int"),
      out: output.vector(type),
      width: state(),
      firstRow: state(),
    },
    ({ pieces, numbers, out, width, firstRow }) => {
      const sums = new Float64Array(out.length);
      for (const [place, own] of numbers.entries()) {
        for (let index = 0; index < own.length; index++) {
          const begin = (own[index] - firstRow) * width;
          if (begin < 0 || begin >= sums.length) continue;
          for (let i = 0; i < width; i++) sums[begin + i] += pieces[place][index * width + i];
        }
      }
      for (let i = 0; i < out.length; i++) out[i] = sums[i];
    },
    ({ pieces, numbers }) => cycles(numbers.elements, pieces.elements, type),
    oneWorker,
  );
}
