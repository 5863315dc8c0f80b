import type { TensorType } from "../tensor/index.ts";

/** A tensor that flows through a graph: known by its number, made by one operation or given from outside. */
export interface Value {
  readonly id: number;
  readonly type: TensorType;
}

/** The part of a training step to which an operation belongs. */
export type Phase = "forward" | "backward" | "update";

/** Constants that belong to an operation, not to the data. */
export type Attribute = number | boolean | string | readonly number[];
export type Attributes = Readonly<Record<string, Attribute>>;

/** One application of an operator. */
export interface Operation {
  readonly operator: string;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
  readonly phase: Phase;
  /** The path of the layer that asked for it, such as `block2/conv1`; empty outside layers. */
  readonly layer: string;
  /** True where it computes again what was computed before, so that it need not be kept in between. */
  readonly recomputed?: boolean;
}

/** What an input is for. Parameters and states keep their value from step to step. */
export type InputRole = "data" | "parameter" | "state" | "hyperparameter";

/** A tensor that comes from outside. */
export interface GraphInput {
  readonly value: Value;
  readonly name: string;
  readonly role: InputRole;
}

/** A tensor that goes outside; with `updates` it becomes the value of that input for the next step. */
export interface GraphOutput {
  readonly value: Value;
  readonly name: string;
  readonly updates: Value | null;
}

/**
 * Operators applied to values, in an order in which every value is made before it is used.
 * Plain and immutable: whoever changes a graph makes another one.
 */
export interface OperatorGraph {
  readonly name: string;
  readonly inputs: readonly GraphInput[];
  readonly operations: readonly Operation[];
  readonly outputs: readonly GraphOutput[];
}
