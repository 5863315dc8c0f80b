import { reductionsIn } from "./analysis.ts";
import type { Kernel, Nest } from "./nest.ts";

/**
 * A way to tile sums of products whose lanes go along an axis of the output. Each element is then the same sum, added in
 * the same order, whatever the tile: machines differ in which is quickest, results do not.
 */
export interface ProductVariant {
  readonly name: string;
  /** Numbers along the lanes, and how many of the other side go with them; null for what a simple account says is best. */
  readonly tile: { readonly along: number; readonly across: number } | null;
  /** The most columns of a panel; null for what the account says. */
  readonly mostColumns: number | null;
}

/** What is taken unless somebody has timed the others. */
export const standardProducts: ProductVariant = { name: "standard", tile: null, mostColumns: null };

const tile = (across: number, along: number): ProductVariant => ({
  name: `${across} × ${along}`,
  tile: { along, across },
  mostColumns: null,
});

/**
 * The variants that are worth timing: eight sums as near as possible to a square and as wide as a cache line, nine and
 * twelve sums for machines and compilers that keep them in registers, and panels that fit into the nearest cache.
 */
export const productVariants: readonly ProductVariant[] = [
  standardProducts,
  tile(4, 8),
  tile(2, 16),
  tile(3, 12),
  tile(6, 8),
  { name: "narrow panels", tile: null, mostColumns: 16 },
];

/** Whether a kernel holds a sum of products that variants may tile in different ways. */
export function hasProductVariants({ nests }: Pick<Kernel, "nests">): boolean {
  return nests.some(hasTile);
}

function hasTile({ vector, stores, inside = [] }: Nest): boolean {
  const products = (): boolean => reductionsIn(stores.map(({ value }) => value)).some(({ contracted }) => contracted);
  return inside.some(hasTile) || (vector !== null && products());
}
