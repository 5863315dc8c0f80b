import { type Affine, type Axis, termOf } from "./affine.ts";
import { indicesOfNest, visitAll } from "./analysis.ts";
import type { Buffer } from "./buffer.ts";
import type { Nest } from "./nest.ts";

/** One place in a nest where numbers are loaded or stored. */
export interface Access {
  readonly buffer: Buffer;
  readonly index: Affine;
}

/** Every load and every store of a nest. */
export function accessesOf(nest: Nest): readonly Access[] {
  const found: Access[] = [...nest.stores, ...(nest.inside ?? []).flatMap(accessesOf)];
  visitAll(
    nest.stores.map((store) => store.value),
    (expression) => {
      if (expression.kind === "load") found.push(expression);
    },
  );
  return found;
}

/** Whether an index goes on by so many elements from one block of samples to the next. */
export function followsBlocks(index: Affine, block: Axis, elementsPerBlock: number): boolean {
  return termOf(index, block).stride === elementsPerBlock;
}

/**
 * Whether an index never leaves the elements of its own block of samples, whatever the loops inside the block do: then
 * no block sees what another one does.
 */
export function staysInBlock(index: Affine, block: Axis, elementsPerBlock: number): boolean {
  if (!followsBlocks(index, block, elementsPerBlock)) return false;
  let least = index.constant;
  let most = index.constant;
  for (const { axis, stride, inner } of index.terms) {
    if (axis === block) continue;
    if (stride !== inner) return false;
    const reach = stride * (axis.extent - 1);
    least += Math.min(0, reach);
    most += Math.max(0, reach);
  }
  return least >= 0 && most < elementsPerBlock;
}

/** Whether a nest depends on which block it is in. */
export function dependsOnBlock(nest: Nest, block: Axis): boolean {
  return indicesOfNest(nest).some((index) => termOf(index, block).stride !== 0);
}
