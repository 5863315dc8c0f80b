import { codelet, input, output, state, type Target } from "../graph/index.ts";
import { allWorkers, type FloatType, vectorWidth } from "./support.ts";

// The matrix unit takes sixteen inputs to as many outputs as it has units: of the later devices sixteen for half inputs and
// eight for float, of the first half as many.
// PopLibs, estimators of the 1×1 convolution partial: for half inputs and one group of 16 × 16 channels 327 cycles and
// W · 4 a pixel, of which loading the 512 B of weights, at 8 B a cycle, is 64; W · 8 a pixel for float. These are the 128
// and 32 operations a cycle of the data sheets. The remaining 263 are charged once a vertex, which for several groups is
// our reading.
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
 * Cycles: 263 + g · (512 B of weights / 8 + W · (4 half or 8 float) · ⌈rows / W⌉) for g = ⌈inner / 16⌉ ·
 * ⌈columns / (16 half or 8 float; 8 and 4 on the first devices)⌉ blocks, after PopLibs' estimator of the 1×1 convolution, whose pixels are our rows.
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
    (fields, target) => {
      checkExtents(fields);
      return matrixUnitCycles([{ pixels: fields.rows, times: 1 }], fields.inner, fields.columns, type, target);
    },
    allWorkers,
  );
}

/**
 * What the matrix unit takes for products of `inner` inputs and `columns` outputs: so many `times` so many `pixels`, and
 * for each time every block of 16 × 16 weights, or 16 × 8 in float, is loaded.
 */
export function matrixUnitCycles(
  passes: readonly { readonly pixels: number; readonly times: number }[],
  inner: number,
  columns: number,
  type: FloatType,
  { workersPerTile, matrixUnits }: Target,
): number {
  const units = matrixUnits[type];
  const groups = Math.ceil(inner / channels) * Math.ceil(columns / units);
  const loading = (channels * units * bytesPerWeight[type]) / weightBytesPerCycle;
  let cycles = vertexCycles;
  for (const { pixels, times } of passes) {
    const each = Math.ceil(pixels / workersPerTile);
    cycles += times * groups * (loading + workersPerTile * cyclesPerPixel[type] * each);
  }
  return cycles;
}

// A worker multiplies and adds two floats or four halves a cycle; five cycles besides for each result, and twenty for the
// vertex, are an assumption.
const resultCycles = 5;
const workerCycles = 20;

/** The same products by multiply and accumulate, result by result, which each worker has its share of. */
function multiplyAccumulateCycles(
  passes: readonly { readonly pixels: number; readonly times: number }[],
  inner: number,
  columns: number,
  type: FloatType,
  { workersPerTile }: Target,
): number {
  let cycles = workerCycles;
  for (const { pixels, times } of passes) {
    const results = Math.ceil((pixels * columns) / workersPerTile);
    cycles += times * results * (resultCycles + Math.ceil(inner / vectorWidth[type]));
  }
  return workersPerTile * cycles;
}

/**
 * What products take in the cheaper of two forms: the matrix unit, whose blocks of weights have to be loaded, or multiply
 * and accumulate, which is cheaper where there are few inputs, few outputs or few pixels.
 */
export function productCycles(...product: Parameters<typeof matrixUnitCycles>): number {
  return Math.min(matrixUnitCycles(...product), multiplyAccumulateCycles(...product));
}

function checkExtents({ left, right, out, rows, inner, columns }: Extents): void {
  const fits = left.length === rows * inner && right.length === inner * columns && out.length === rows * columns;
  if (fits) return;
  throw new Error(
    `fields must be [${rows},${inner}], [${inner},${columns}] and [${rows},${columns}], got ${left.length}, ${right.length} and ${out.length} elements; connect blocks of these shapes`,
  );
}
