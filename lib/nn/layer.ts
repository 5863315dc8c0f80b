import type { GraphBuilder, Value } from "../ir/index.ts";
import type { Shape } from "../tensor/index.ts";
import type { Initialiser } from "./initialisers.ts";

/** What a layer may use while it adds itself to a graph. */
export interface LayerContext {
  readonly builder: GraphBuilder;
  /** Declares a trainable tensor of this layer, such as `weight`. */
  parameter(name: string, shape: Shape, initialiser: Initialiser): Value;
  /** Adds an inner layer below this one. */
  apply(layer: Layer, input: Value): Value;
}

/** One piece of a model: plain data and a function that adds its operations to a graph. */
export interface Layer {
  /** What it is, such as `dense`; layers of a model are numbered by it: `dense1`, `dense2`. */
  readonly type: string;
  /** What it is in a word or two, for summaries: `dense(128)`. */
  readonly label: string;
  /**
   * Adds the layer's operations.
   *
   * @param input a batch: shape [batch, …]
   * @returns the layer's output: shape [batch, …]
   * @throws Error naming what the layer needs of its input
   */
  build(context: LayerContext, input: Value): Value;
}

/**
 * Checks a size that a layer was given.
 *
 * @throws Error naming layer and size
 */
export function checkSize(layer: string, name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`${layer}: ${name} must be a whole number ≥ 1, got ${value}; give a size such as 10`);
  }
}
