/** Something that takes `size` bytes while it is alive. */
export interface TensorBuffer {
  readonly id: number;
  /** Bytes, ≥ 0. */
  readonly size: number;
  /** The offset must be a multiple of this many bytes; ≥ 1. */
  readonly alignment: number;
  /** First step at which it is alive. */
  readonly start: number;
  /** First step at which it is no longer alive: lifespans are half-open. */
  readonly end: number;
}

/** Buffers that are to share one stretch of memory. */
export interface MemoryProblem {
  readonly buffers: readonly TensorBuffer[];
}

/** Where each buffer lies. */
export interface MemoryPlan {
  /** Byte offset by position in the problem's list of buffers. */
  readonly offsets: readonly number[];
  /** Bytes from 0 to the end of the highest buffer. */
  readonly height: number;
}
