import { codelet, input, output, state } from "../graph/index.ts";
import { matrixUnitCycles } from "./matmul-partial.ts";
import { allWorkers, type FloatType } from "./support.ts";

interface Extents {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/** Extents of the blocks of a product, from the elements of each: rows·inner, inner·columns and rows·columns. */
function extentsOf(left: number, right: number, out: number): Extents {
  const rows = Math.round(Math.sqrt((left * out) / right));
  return { rows, inner: left / rows, columns: out / rows };
}

/**
 * A part of a product of matrices that lie in blocks, `out = left · right`, either of them stored transposed: a list of
 * `rowBlocks` × `innerBlocks` blocks, row-major, one of `innerBlocks` × `columnBlocks`, and `rowBlocks` × `columnBlocks`
 * of results. Sums are single precision, over the vertex's inner blocks; others are reduced later.
 *
 * Cycles: those of `matmulPartial` for the whole of the vertex's rows, inner elements and columns.
 */
export function matmulBlocks(transposeLeft: boolean, transposeRight: boolean, type: FloatType = "float") {
  const kind = `${transposeLeft ? "T" : "N"}${transposeRight ? "T" : "N"}`;
  return codelet(
    `MatmulBlocks<${kind},${type},float>`,
    {
      left: input.vectors(type),
      right: input.vectors(type),
      out: output.vectors("float"),
      rowBlocks: state(),
      innerBlocks: state(),
      columnBlocks: state(),
    },
    ({ left, right, out, rowBlocks, innerBlocks, columnBlocks }) => {
      for (let i = 0; i < rowBlocks; i++) {
        for (let j = 0; j < columnBlocks; j++) {
          const sums = out[i * columnBlocks + j].fill(0);
          for (let k = 0; k < innerBlocks; k++) {
            const a = left[i * innerBlocks + k];
            const b = right[k * columnBlocks + j];
            const { rows, inner, columns } = extentsOf(a.length, b.length, sums.length);
            const [aRow, aInner] = transposeLeft ? [1, rows] : [inner, 1];
            const [bInner, bColumn] = transposeRight ? [1, inner] : [columns, 1];
            for (let row = 0; row < rows; row++) {
              for (let column = 0; column < columns; column++) {
                let sum = sums[row * columns + column];
                for (let place = 0; place < inner; place++) {
                  const product = Math.fround(a[row * aRow + place * aInner] * b[place * bInner + column * bColumn]);
                  sum = Math.fround(sum + product);
                }
                sums[row * columns + column] = sum;
              }
            }
          }
        }
      }
    },
    ({ left, right, out }, target) => {
      const { rows, inner, columns } = extentsOf(left.elements, right.elements, out.elements);
      return matrixUnitCycles([{ pixels: rows, times: 1 }], inner, columns, type, target);
    },
    allWorkers,
  );
}
