import { elementCount, type Shape } from "../../../tensor/index.ts";

/** An extent of a graph that takes any batch: the same for all, or so many for each sample. */
export type Extent = number | { readonly perSample: number };

/** A shape that takes any batch. */
export type OpenShape = readonly Extent[];

/**
 * What extents follow from the batch, seen from the same graph built for two batches.
 *
 * @returns null if they follow from it in another way than in proportion
 */
export function openShape(first: Shape, second: Shape, batches: readonly [number, number]): OpenShape | null {
  const open: Extent[] = [];
  for (const [axis, extent] of first.entries()) {
    const perSample = extent / batches[0];
    if (extent === second[axis]) open.push(extent);
    else if (Number.isInteger(perSample) && perSample * batches[1] === second[axis]) open.push({ perSample });
    else return null;
  }
  return first.length === second.length ? open : null;
}

export const isOpen = (extent: Extent): extent is { readonly perSample: number } => typeof extent !== "number";

/** The extents as the target of a `Reshape`, with −1 for the only one that follows from the batch; null if several do. */
export function reshapeTarget(shape: OpenShape): readonly number[] | null {
  if (shape.filter(isOpen).length > 1) return null;
  // With an extent of 0 nothing tells what −1 stands for.
  const closed = shape.filter((extent): extent is number => !isOpen(extent));
  if (closed.length < shape.length && elementCount(closed) === 0) return null;
  return shape.map((extent) => (isOpen(extent) ? -1 : extent));
}
