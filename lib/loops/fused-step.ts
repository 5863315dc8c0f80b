import type { Operation, OperatorGraph, Phase, Value } from "../ir/index.ts";

/** A graph in the order of execution, and which of its values share storage. */
export interface Ordered {
  readonly graph: OperatorGraph;
  /** For a value that shares storage with earlier ones: the id of the first. */
  readonly storage: ReadonlyMap<number, number>;
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
}
