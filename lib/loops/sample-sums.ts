import { type Affine, type Axis, along, at, plus, rowMajor, substituted, termOf } from "./affine.ts";
import { reductionsIn, visitAll } from "./analysis.ts";
import type { Buffer } from "./buffer.ts";
import { add, type Expression, load, type Reduction } from "./expression.ts";
import { mergeReductions, rewrittenAll, type Space } from "./merge.ts";

// Sums over all samples, such as weights' gradients, grow block by block: what a block adds is computed with the block, and
// what becomes of the whole sum afterwards. Each of a few equal parts of the batch has sums of its own, so that parts can
// go to threads and the order of addition does not depend on how many threads there are.

/** What must be known to cut sums over samples into those of blocks. */
export interface SumCut {
  /** Counts blocks of samples. */
  readonly block: Axis;
  readonly samples: number;
  /** Into how many parts with sums of their own the batch falls. */
  readonly parts: number;
  /** Elements of one sample in a buffer that holds samples; undefined for others. */
  perSample(buffer: Buffer): number | undefined;
}

/** A space with a sum over samples in two. */
export interface SplitSum {
  /** Adds what a block contributes to the sums of its part of the batch. */
  readonly ofBlock: Space;
  /** What the space computes, from the sums of all parts. */
  readonly ofParts: Space;
  /** How many sums there are for each part. */
  readonly elements: number;
}

/**
 * Cuts the one sum over samples in a space; null if there is none, or more than that.
 *
 * @param space without axes of extent 1
 * @param sums the scratch buffer for the sums, of one part after the other
 */
export function splitSum(space: Space, cut: SumCut, sums: Buffer): SplitSum | null {
  const values = space.stores.map((store) => store.value);
  const [reduction, ...others] = reductionsIn(values);
  if (reduction === undefined || others.length > 0 || reduction.combine !== "sum" || reduction.type !== "float")
    return null;
  const overSamples = reduction.axes.find((axis) => countsSamples(axis, reduction, cut));
  if (overSamples === undefined) return null;
  const perBlock = overSamples.extent / cut.block.extent;
  const within: Axis = { name: overSamples.name, extent: perBlock };
  const by = new Map([[overSamples, plus(along(cut.block, perBlock), along(within))]]);
  const [body] = rewrittenAll([reduction.body], { index: (index) => substituted(index, by) });
  const axes = reduction.axes.map((axis) => (axis === overSamples ? within : axis));
  const place = rowMajor(space.axes);
  const grown = add(load(sums, place), mergeReductions({ ...reduction, axes, body }));
  const elements = space.axes.reduce((product, { extent }) => product * extent, 1);
  const ofPart = (part: number): Expression => load(sums, plus(place, at(part * elements)));
  const total = Array.from({ length: cut.parts }, (_, part) => ofPart(part)).reduce(add);
  const finished = rewrittenAll(values, {
    index: (index: Affine) => index,
    replace: (expression) => (expression === reduction ? total : null),
  });
  return {
    ofBlock: { axes: space.axes, stores: [{ buffer: sums, index: place, value: grown, depth: space.axes.length }] },
    ofParts: { axes: space.axes, stores: space.stores.map((store, index) => ({ ...store, value: finished[index] })) },
    elements,
  };
}

/** Whether all that holds samples is gone through by an axis sample by sample, or by parts of samples in order. */
function countsSamples(axis: Axis, { body }: Reduction, { block, samples, perSample }: SumCut): boolean {
  const perStep = axis.extent / (block.extent * samples);
  if (!Number.isInteger(perStep)) return false;
  const strides: boolean[] = [];
  visitAll([body], (expression) => {
    if (expression.kind !== "load") return;
    const elements = perSample(expression.buffer);
    if (elements !== undefined) strides.push(termOf(expression.index, axis).stride * perStep === elements);
  });
  return strides.length > 0 && strides.every((fits) => fits);
}
