import type { BufferLabel, MemoryCategory, StepLabel } from "../../memory/index.ts";
import { formatCount } from "../look/format.ts";
import type { MemoryColumn, MemoryWindow } from "./window-data.ts";

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
  /** The largest live buffers, the largest first: all of them where they are few. */
  readonly buffers: readonly BufferLabel[];
  /** How many are alive. */
  readonly alive: number;
}

/** What is alive at the fullest step of a column of a window. Cost: O(buffers log buffers). */
export function compositionOf({ buffers }: Pick<MemoryWindow, "buffers">, column: MemoryColumn): Composition {
  const { step, live, alive } = column;
  const categories = stackedCategories
    .map((category) => ({ category, bytes: live[category] }))
    .filter(({ bytes }) => bytes > 0);
  return {
    step,
    totalBytes: totalOf(column),
    categories,
    buffers: buffers
      .filter(({ start, end }) => start <= step && step < end)
      .sort((a, b) => b.bytes - a.bytes || a.offset - b.offset),
    alive,
  };
}

/** Live bytes of all categories. */
export function totalOf({ live }: Pick<MemoryColumn, "live">): number {
  return stackedCategories.reduce((total, category) => total + live[category], 0);
}

/** The column that holds a step; the nearest where none does. */
export function columnAt({ columns }: Pick<MemoryWindow, "columns">, step: number): number {
  let low = 0;
  let high = columns.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (columns[middle].start <= step) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** `step 17, backward of dense3`: how a step is named in captions; steps are counted from 0 as in the schedule. */
export function nameStep(step: number, { phase, layer }: StepLabel): string {
  return `step ${formatCount(step)}, ${phase}${layer === "" ? "" : ` of ${layer}`}`;
}
