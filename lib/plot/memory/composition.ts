import type { BufferLabel, MemoryCategory, MemoryReport } from "../../memory/index.ts";

/**
 * Categories from what always stays to what comes and goes: the order of stacking and of legends. A record, so that a
 * category added to the reports and forgotten here does not compile.
 */
const order: Readonly<Record<MemoryCategory, number>> = {
  weights: 0,
  optimizer: 1,
  inputs: 2,
  activations: 3,
  gradients: 4,
  workspace: 5,
};

export const stackedCategories = (Object.keys(order) as MemoryCategory[]).sort((a, b) => order[a] - order[b]);

/** What readers call the categories. */
export const categoryNames: Readonly<Record<MemoryCategory, string>> = {
  weights: "weights",
  optimizer: "optimiser state",
  inputs: "inputs",
  activations: "activations",
  gradients: "gradients",
  workspace: "workspace",
};

/** What memory consists of during one step. */
export interface Composition {
  readonly step: number;
  readonly totalBytes: number;
  /** Categories with at least one byte, in the order of stacking. */
  readonly categories: readonly { readonly category: MemoryCategory; readonly bytes: number }[];
  /** Live buffers, largest first. */
  readonly buffers: readonly BufferLabel[];
}

/** Adds up what is alive during a step. Cost: O(buffers log buffers). */
export function compositionAt(report: MemoryReport, step: number): Composition {
  const categories = stackedCategories
    .map((category) => ({ category, bytes: report.live[category][step] ?? 0 }))
    .filter(({ bytes }) => bytes > 0);
  return {
    step,
    totalBytes: categories.reduce((total, { bytes }) => total + bytes, 0),
    categories,
    buffers: report.buffers
      .filter(({ start, end }) => start <= step && step < end)
      .sort((a, b) => b.bytes - a.bytes || a.offset - b.offset),
  };
}

/** `step 17, backward of dense3`: how a step is named in captions; steps are counted from 0 as in the schedule. */
export function stepName(report: MemoryReport, step: number): string {
  const { phase, layer } = report.steps[step];
  return `step ${step}, ${phase}${layer === "" ? "" : ` of ${layer}`}`;
}
