import { type Axis, termOf } from "./affine.ts";
import { Dependencies, indicesIn } from "./analysis.ts";
import type { Expression, Reduction } from "./expression.ts";
import type { ProductVariant } from "./product-variants.ts";

// Sums of products, such as convolutions and their gradients: factors are loaded into registers and each is used for
// several sums. Here it is chosen how many of either side go together, so that few loads feed many multiplications.

/** Along which axis the lanes go, and the tiles of axes that have any. */
export interface Tiling {
  readonly vector: Axis | null;
  readonly tiles: Map<Axis, number>;
}

/** Numbers in a vector. */
const lanes = 4;
/**
 * Sums kept in registers. There is room for a few more beside the factors, but what compiles WebAssembly then moves
 * sums to memory and back: 9 reach 36 of 46 GF/s on a Xeon of 2023 with Node 20, 10 or 12 between 22 and 27.
 */
const mostSums = 9;
/** Sums that are needed to hide the latency of a multiply-add (4 cycles) behind others (2 a cycle). */
const latencySums = 8;
/** Numbers in a cache line. */
const lineNumbers = 16;
/**
 * Loads of numbers that are a line or more apart count as so many: between tiles that are alike otherwise it decides for
 * fewer of them. The gradient of 784 × 128 weights takes 302 µs with 2 × 16 sums and 317 with 4 × 8 (Xeon of 2023).
 */
const apartCost = 1.25;

/**
 * How to tile a sum of products of which each factor depends on axes of its own; null if that is not what it is. The
 * lanes go along an axis of the output, or along the last axis of the sum where its order may be interleaved.
 */
export function productTiling(
  axes: readonly Axis[],
  reduction: Reduction,
  { tile }: Pick<ProductVariant, "tile">,
): Tiling | null {
  const { body, contracted, interleaved } = reduction;
  const inner = reduction.axes.at(-1);
  if (!contracted || body.kind !== "binary" || body.name !== "multiply" || inner === undefined) return null;
  const dependencies = new Dependencies();
  const [left, right] = [dependencies.of(body.left), dependencies.of(body.right)];
  const indices = indicesIn([body]);
  const strides = (axis: Axis): readonly number[] => indices.map((index) => termOf(index, axis).inner);
  // Nearer axes first: what they make neighbours of is loaded from nearby.
  const near = [...axes].reverse();
  const leftOnly = near.filter((axis) => left.has(axis) && !right.has(axis));
  const rightOnly = near.filter((axis) => right.has(axis) && !left.has(axis));

  const outside = near.find((axis) => strides(axis).every((stride) => stride === 0 || stride === 1));
  const insideFits = interleaved && strides(inner).every((stride) => stride === 1) && inner.extent >= lanes;
  if (insideFits && (outside === undefined || outside.extent < inner.extent)) {
    return best(null, leftOnly, rightOnly);
  }
  if (outside === undefined || outside.extent < lanes) return null;
  const others = (all: readonly Axis[]): readonly Axis[] => all.filter((axis) => axis !== outside);
  /** What a number of a factor costs: more where each term of the sum is in another cache line. */
  const loadCost = (factor: Expression): number =>
    indicesIn([factor]).some((index) => termOf(index, inner).inner >= lineNumbers) ? apartCost : 1;
  const sides = (first: readonly Axis[], second: readonly Axis[], factor: Expression): Tiling | null =>
    tile === null
      ? best(outside, others(first), second, loadCost(factor))
      : {
          vector: outside,
          tiles: new Map([...(second.length > 0 ? [[second[0], tile.across] as const] : []), [outside, tile.along]]),
        };
  if (leftOnly.includes(outside)) return sides(leftOnly, rightOnly, body.right);
  if (rightOnly.includes(outside)) return sides(rightOnly, leftOnly, body.left);
  return null;
}

/** One way to tile an axis, with how many vectors or numbers of it all tiles take together. */
interface Candidate {
  readonly axis: Axis | null;
  readonly size: number;
}

function candidates(axis: Axis | undefined, sizes: readonly number[]): readonly Candidate[] {
  if (axis === undefined) return [{ axis: null, size: 1 }];
  return sizes.filter((_, index) => index === 0 || sizes[index - 1] < axis.extent).map((size) => ({ axis, size }));
}

/** The sizes into which an axis falls, as pairs of size and how often. */
function parts(extent: number, size: number): readonly (readonly [size: number, count: number])[] {
  const whole = Math.floor(extent / size);
  const rest = extent % size;
  return rest === 0
    ? [[size, whole]]
    : [
        [size, whole],
        [rest, 1],
      ];
}

/**
 * The tiling that takes the least time by a simple account: multiply-adds two a cycle if there are enough of them, loads
 * of both factors three a cycle, and a little for going on.
 *
 * @param vector the axis of the output along which lanes go, if any; the first side depends on it
 * @param secondCost what a load of the second side costs, if one of the first costs 1
 */
function best(vector: Axis | null, first: readonly Axis[], second: readonly Axis[], secondCost = 1): Tiling | null {
  let found: { readonly cost: number; readonly tiling: Tiling } | null = null;
  const near = candidates(vector ?? undefined, [lanes, 2 * lanes, 3 * lanes, 4 * lanes]);
  for (const along of near) {
    for (const beside of candidates(first[0], [1, 2, 3, 4, 5, 6])) {
      for (const across of candidates(second[0], [1, 2, 3, 4, 5, 6])) {
        const cost = costOf(along, beside, across, secondCost);
        if (cost === null || (found !== null && cost >= found.cost)) continue;
        const tiles = new Map<Axis, number>();
        for (const { axis, size } of [along, beside, across]) if (axis !== null) tiles.set(axis, size);
        found = { cost, tiling: { vector, tiles } };
      }
    }
  }
  return found?.tiling ?? null;
}

function costOf(along: Candidate, beside: Candidate, across: Candidate, secondCost: number): number | null {
  const vectors = Math.ceil(along.size / lanes);
  if ((along.axis === null ? 1 : vectors) * beside.size * across.size > mostSums) return null;
  let cost = 0;
  for (const [a, countA] of parts(along.axis?.extent ?? 1, along.size)) {
    for (const [b, countB] of parts(beside.axis?.extent ?? 1, beside.size)) {
      for (const [c, countC] of parts(across.axis?.extent ?? 1, across.size)) {
        const firstLoads = Math.ceil(a / lanes) * b;
        const sums = firstLoads * c;
        const cycles = Math.max(latencySums, sums) / 2 + (firstLoads + secondCost * c) / 3 + 1;
        cost += countA * countB * countC * cycles;
      }
    }
  }
  return cost;
}

/** How many rows and columns of a product are computed together, in registers. */
export interface ProductTile {
  readonly rows: number;
  readonly columns: number;
}

/**
 * A tile with enough independent sums to keep the multipliers busy, few enough for 16 registers: 4 × 8 where the product
 * is large (measured: 41 of 46 GF/s on a Xeon of 2023 with Node 20; unrolled, or with more rows, no better), 2 × 16 where
 * columns fall into sixteens (43), and wider where there are few rows, taller where there are few columns.
 */
export function productTile(rows: number, columns: number, { tile }: Pick<ProductVariant, "tile">): ProductTile {
  if (tile !== null) return { rows: tile.across, columns: tile.along };
  if (columns <= 4) return { rows: 8, columns: 4 };
  if (rows === 1) return { rows: 1, columns: 32 };
  if (rows <= 3) return { rows, columns: 16 };
  // A little more than one tile is less work as one wider tile.
  if (columns > 8 && columns <= 12) return { rows: 4, columns: 12 };
  return columns % 16 === 0 ? { rows: 2, columns: 16 } : { rows: 4, columns: 8 };
}
