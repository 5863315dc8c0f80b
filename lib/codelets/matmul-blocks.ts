import { codelet, input, output, state } from "../graph/index.ts";
import { productCycles } from "./matmul-partial.ts";
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
 * of results. Sums are single precision, rounded when stored, over the vertex's inner blocks; others are reduced later.
 *
 * Several pairs of matrices, such as those of `batchMatmul`, stand one after the other in all three lists.
 *
 * Cycles: those of `productCycles` for the whole of the vertex's rows, inner elements and columns, pair by pair.
 */
export function matmulBlocks(
  transposeLeft: boolean,
  transposeRight: boolean,
  type: FloatType = "float",
  result: FloatType = "float",
) {
  const kind = `${transposeLeft ? "T" : "N"}${transposeRight ? "T" : "N"}`;
  return codelet(
    `MatmulBlocks<${kind},${type},${result}>`,
    {
      left: input.vectors(type),
      right: input.vectors(type),
      out: output.vectors(result),
      rowBlocks: state(),
      innerBlocks: state(),
      columnBlocks: state(),
    },
    ({ left, right, out, rowBlocks, innerBlocks, columnBlocks }) => {
      const pairs = left.length / (rowBlocks * innerBlocks);
      for (let row = 0; row < pairs * rowBlocks; row++) {
        const pair = Math.floor(row / rowBlocks);
        for (let j = 0; j < columnBlocks; j++) {
          const sums = out[row * columnBlocks + j].fill(0);
          for (let k = 0; k < innerBlocks; k++) {
            const a = left[row * innerBlocks + k];
            const b = right[(pair * innerBlocks + k) * columnBlocks + j];
            const { rows, inner, columns } = extentsOf(a.length, b.length, sums.length);
            const [aRow, aInner] = transposeLeft ? [1, rows] : [inner, 1];
            const [bInner, bColumn] = transposeRight ? [1, inner] : [columns, 1];
            for (let r = 0; r < rows; r++) {
              for (let column = 0; column < columns; column++) {
                let sum = sums[r * columns + column];
                for (let place = 0; place < inner; place++) {
                  const product = Math.fround(a[r * aRow + place * aInner] * b[place * bInner + column * bColumn]);
                  sum = Math.fround(sum + product);
                }
                sums[r * columns + column] = sum;
              }
            }
          }
        }
      }
    },
    ({ left, right, out, rowBlocks, innerBlocks }, target) => {
      const pairs = left.length / (rowBlocks * innerBlocks);
      const { rows, inner, columns } = extentsOf(left.elements / pairs, right.elements / pairs, out.elements / pairs);
      return productCycles([{ pixels: rows, times: pairs }], inner, columns, type, target);
    },
    allWorkers,
  );
}
