import type { Affine, Axis } from "./affine.ts";
import type { Buffer } from "./buffer.ts";
import type { Expression } from "./expression.ts";

/** A loop of a nest. */
export interface Loop {
  readonly axis: Axis;
  /** How many values of the axis are computed together: unrolled, and jammed into the innermost reduction. */
  readonly tile: number;
  /** Whether iterations may run in any order and on any thread: every store depends on the axis. */
  readonly parallel: boolean;
}

/** Writes a number for every point of the outermost `depth` loops. */
export interface Store {
  readonly buffer: Buffer;
  readonly index: Affine;
  readonly value: Expression;
  readonly depth: number;
}

/**
 * Loops, outermost first, around stores. At each point all values are computed before any is stored, and stores of
 * outer loops come before the inner loops. What one point stores no other point may load.
 */
export interface Nest {
  readonly name: string;
  readonly loops: readonly Loop[];
  /** The axis of which neighbouring values are computed as lanes of one vector; its tile counts elements. */
  readonly vector: Axis | null;
  readonly stores: readonly Store[];
  /** Nests that run one after the other inside all loops, which then have tiles of 1 and no stores of their own. */
  readonly inside?: readonly Nest[];
}

/** The number of the thread, from 0: scratch memory of a thread's own is indexed along it. */
export const threadAxis: Axis = { name: "thread", extent: Number.POSITIVE_INFINITY };

/** Scratch memory that lives during one kernel. */
export interface Scratch {
  readonly bytes: number;
  /** Whether each thread needs so many bytes for itself. */
  readonly perThread: boolean;
  /** Where sums over samples grow from block to block: how many there are, of which each part of the batch has its own. */
  readonly sums?: number;
}

/** Nests that run one after the other: each sees all that those before it have stored. */
export interface Kernel {
  readonly name: string;
  readonly nests: readonly Nest[];
  /** Scratch buffers by their index. */
  readonly scratch: readonly Scratch[];
}
