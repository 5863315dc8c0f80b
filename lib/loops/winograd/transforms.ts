import { add, constant, type Expression, multiply, subtract } from "../expression.ts";

// F(2×2, 3×3) of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015): four neighbouring outputs
// of a 3 × 3 convolution come of 16 products instead of 36,
//
//   Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A,
//
// with a tile d of 4 × 4 elements of the picture and the kernel g. Each of the three transforms goes along columns and
// rows in the same way; here stands what it does to one line. The sign of the last product is turned on both sides, so
// that nothing needs to be negated. As gradients go through the same bilinear form, theirs are the transforms' adjoints.

/** Rows and columns of a transformed tile. */
export const transformedSize = 4;

/** A line of numbers, and what becomes of it. */
type Line = readonly Expression[];

/** Bᵀ d: four elements of a picture. */
const picture = ([d0, d1, d2, d3]: Line): Line => [subtract(d0, d2), add(d1, d2), subtract(d2, d1), subtract(d3, d1)];

/** G g: three elements of a kernel. */
function kernel([g0, g1, g2]: Line): Line {
  const even = multiply(constant(0.5), add(g0, g2));
  const odd = multiply(constant(0.5), g1);
  return [g0, add(even, odd), subtract(even, odd), g2];
}

/** Aᵀ m: four sums, of which two outputs come. */
const output = ([m0, m1, m2, m3]: Line): Line => [add(add(m0, m1), m2), add(subtract(m1, m2), m3)];

/** A y: gradients of two outputs. */
const outputAdjoint = ([y0, y1]: Line): Line => [y0, add(y0, y1), subtract(y0, y1), y1];

/** Gᵀ u: four sums, of which the gradients of three elements of a kernel come. */
function kernelAdjoint([u0, u1, u2, u3]: Line): Line {
  const even = multiply(constant(0.5), add(u1, u2));
  const odd = multiply(constant(0.5), subtract(u1, u2));
  return [add(u0, even), odd, add(even, u3)];
}

/** A matrix of expressions by rows. */
export type Tile = readonly Line[];

const transposed = (tile: Tile): Tile => tile[0].map((_, column) => tile.map((row) => row[column]));

/** T d Tᵀ for a transform T of lines. */
const bothWays =
  (transform: (line: Line) => Line) =>
  (tile: Tile): Tile => {
    const columns = transposed(tile).map(transform);
    return transposed(columns).map(transform);
  };

/** 4 × 4 elements of a picture, transformed. */
export const transformPicture = bothWays(picture);
/** 3 × 3 elements of a kernel as 4 × 4. */
export const transformKernel = bothWays(kernel);
/** 4 × 4 sums of products as 2 × 2 outputs. */
export const transformOutput = bothWays(output);
/** Gradients of 2 × 2 outputs as 4 × 4. */
export const transformOutputGradient = bothWays(outputAdjoint);
/** 4 × 4 sums of products as the gradients of 3 × 3 elements of a kernel. */
export const transformKernelGradient = bothWays(kernelAdjoint);

/** A tile of so many rows and columns. */
export function tileOf(rows: number, columns: number, element: (row: number, column: number) => Expression): Tile {
  return Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (_, column) => element(row, column)));
}
