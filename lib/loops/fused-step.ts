import type { Operation, OperatorGraph, Phase, Value } from "../ir/index.ts";

/** A graph in the order of execution, and which of its values share storage. */
export interface Ordered {
  readonly graph: OperatorGraph;
  /** For a value that shares storage with earlier ones: the id of the first. */
  readonly storage: ReadonlyMap<number, number>;
  /** Whether steps that know each sample by itself run for a few samples at a time, one after the other. */
  readonly sampleBlocks?: SampleBlocks;
}

/** How a batch is taken in blocks. */
export interface SampleBlocks {
  /** Samples of all blocks together. */
  readonly batch: number;
  /** Samples of one block, of which the batch is a multiple. */
  readonly samples: number;
  /** Whether sums over samples may grow block by block, which adds in another order; not unless told. */
  readonly sums?: boolean;
}

/** Operations that are computed in one go. */
export interface FusedStep {
  readonly name: string;
  readonly phase: Phase;
  readonly layer: string;
  /** Constants that several steps use are computed in each of them. */
  readonly operations: readonly Operation[];
  /** Values that come from other steps or from outside. */
  readonly reads: readonly Value[];
  /** Values that other steps or the outside need; the others are never stored. */
  readonly writes: readonly Value[];
  /** What is done for one block of samples after the other, where that is how the step goes. */
  readonly run?: BlockedRun;
}

/** Steps that all run for one block of samples before they run for the next. */
export interface BlockedRun extends SampleBlocks {
  readonly steps: readonly FusedStep[];
  /** Elements of one sample by the id of a value that holds samples, views included. */
  readonly sampled: ReadonlyMap<number, number>;
  /** For a value that shares storage with earlier ones: the id of the first. */
  readonly storage: ReadonlyMap<number, number>;
}
