import { codelet, input, output, state } from "../graph/index.ts";
import { allWorkers, type FloatType } from "./support.ts";

// The matrix unit takes sixteen inputs to sixteen outputs. PopLibs, estimators of the 1×1 convolution partial: for
// half inputs and one group of 16 × 16 channels 327 cycles and W · 4 a pixel, of which loading the 512 B of weights,
// at 8 B a cycle, is 64. The remaining 263 are charged once a vertex, which for several groups is our reading.
const channels = 16;
const weightBytesPerCycle = 8;
const vertexCycles = 263;
const cyclesPerPixel: Readonly<Record<FloatType, number>> = { half: 4, float: 8 };
const bytesPerWeight: Readonly<Record<FloatType, number>> = { half: 2, float: 4 };

interface Extents {
  readonly left: { readonly length: number };
  readonly right: { readonly length: number };
  readonly out: { readonly length: number };
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/**
 * `out = left · right` for matrices `[rows, inner]` and `[inner, columns]`, row-major: a part of a larger product, which
 * a reduction adds to the others. Sums are single precision from the first of `inner` to the last, whatever the inputs.
 *
 * Cycles: 263 + g · (512 B or 1,024 B of weights / 8 + W · (4 half or 8 float) · ⌈rows / W⌉) for g = ⌈inner / 16⌉ ·
 * ⌈columns / 16⌉ groups, after PopLibs' estimator of the 1×1 convolution, whose pixels are our rows.
 */
export function matmulPartial<T extends FloatType>(type: T) {
  return codelet(
    `MatmulPartial<${type},float>`,
    {
      left: input.vector(type),
      right: input.vector(type),
      out: output.vector("float"),
      rows: state(),
      inner: state(),
      columns: state(),
    },
    (fields) => {
      checkExtents(fields);
      const { left, right, out, rows, inner, columns } = fields;
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          let sum = 0;
          for (let k = 0; k < inner; k++) {
            sum = Math.fround(sum + Math.fround(left[row * inner + k] * right[k * columns + column]));
          }
          out[row * columns + column] = sum;
        }
      }
    },
    (fields, { workersPerTile }) => {
      checkExtents(fields);
      const groups = Math.ceil(fields.inner / channels) * Math.ceil(fields.columns / channels);
      const loading = (channels * channels * bytesPerWeight[type]) / weightBytesPerCycle;
      const pixels = Math.ceil(fields.rows / workersPerTile);
      return vertexCycles + groups * (loading + workersPerTile * cyclesPerPixel[type] * pixels);
    },
    allWorkers,
  );
}

function checkExtents({ left, right, out, rows, inner, columns }: Extents): void {
  const fits = left.length === rows * inner && right.length === inner * columns && out.length === rows * columns;
  if (fits) return;
  throw new Error(
    `fields must be [${rows},${inner}], [${inner},${columns}] and [${rows},${columns}], got ${left.length}, ${right.length} and ${out.length} elements; connect blocks of these shapes`,
  );
}
