import type { Target, TilePrecision } from "../graph/index.ts";

/** Work of one operator as a box of equal items, which are cut along axes and given to vertices. */
export interface Work {
  /** The debug path, for errors and reports. */
  readonly name: string;
  /** The same for works that are the same but for their names. */
  readonly key: string;
  /** Names of the axes, in the order of `items`, such as samples, maps, rows, channels. */
  readonly axes: readonly string[];
  /** Items along each axis. Results of vertices that differ in the last ones alone are summed. */
  readonly items: readonly number[];
  /** How many of the last axes are summed over; 1 unless told otherwise. */
  readonly summed?: number;
  /** What a vertex with so many items along each axis costs; numbers of the largest vertex. */
  cost(items: readonly number[], pieces: readonly number[]): WorkCost;
}

/** What the largest vertex of a cut costs its tile. */
export interface WorkCost {
  readonly computeCycles: number;
  /** Bytes that arrive to be read. */
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** Cycles and bytes on a tile of adding up what the pieces of the last axis have left, if there are several. */
  readonly reduceCycles: number;
  readonly reduceBytes: number;
}

/** How finely work is cut into vertices. */
export interface Grain {
  readonly kind: "fine" | "planned";
  /** Channels, features and their like that lie together in a block. */
  readonly group: number;
  /** Samples that lie together in a block where there are no rows. */
  readonly samples: number;
  /** Whether what is done block by block is done by a vertex a tile, in place of one a block. */
  readonly byTile: boolean;
  cut(work: Work, target: Target): Cut;
}

/** How a work is cut: the pieces of each axis that run at once, and how often that is done along the first axis. */
export interface Cut {
  readonly pieces: readonly number[];
  /** Steps one after the other, each of which has a part of the first axis, cut into `pieces[0]` of its own. */
  readonly serial: number;
}

/** Settings of the fine grain. */
export interface FineOptions {
  /** Channels in a group; 8 unless told otherwise. */
  readonly group?: number;
  /** Whether repeated partitions are mapped once and called; false unless told otherwise. */
  readonly outline?: boolean;
  /** Half to hold tensors in half precision: sums, and tensors of no axis, stay single; single unless told otherwise. */
  readonly precision?: TilePrecision;
}

/**
 * The fine grain: every item is a vertex. Rule: a convolution partial is one vertex for each sample, row, group of maps
 * and group of channels; another adds up the groups of channels; gradients mirror both, with one vertex for each sample,
 * kernel row and pair of groups for filters, whose samples the update adds up. Dense layers fold the samples into the
 * row. Anything else is a vertex a block: a row of a group of channels.
 */
export function fineGrain({ group = 8 }: FineOptions = {}): Grain {
  if (!Number.isSafeInteger(group) || group < 1) {
    throw new Error(`fine grain: a group must be a whole number ≥ 1, got ${group}; try { group: 8 }`);
  }
  return {
    kind: "fine",
    group,
    samples: Number.MAX_SAFE_INTEGER,
    byTile: false,
    cut: ({ items }) => ({ pieces: items, serial: 1 }),
  };
}
