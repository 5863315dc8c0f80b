import type { GraphBuilder, Value } from "../ir/index.ts";
import type { FloatDtype, Shape, TensorType } from "../tensor/index.ts";
import type { Initialiser } from "./initialisers.ts";

/** What a graph is for: some layers do other things while a model is trained than when it answers. */
export type Mode = "training" | "inference";

/** What a layer may use while it adds itself to a graph. */
export interface LayerContext {
  readonly builder: GraphBuilder;
  /** Declares a trainable tensor of this layer, such as `weight`. */
  parameter(name: string, shape: Shape, initialiser: Initialiser): Value;
  /** What the graph is for. */
  readonly mode: Mode;
  /** The dtype in which the graph computes. */
  readonly dtype: FloatDtype;
  /** The model's seed: all randomness of a layer should follow from it. */
  readonly seed: number;
  /** A number for each layer's random numbers, another one every time; the same for the same model. */
  randomStream(): number;
  /**
   * Declares a tensor that is kept from step to step and not trained, such as a running mean. Every state must be
   * declared in both modes, or in training alone.
   *
   * @param initial what all of its elements begin with
   */
  state(name: string, type: TensorType, initial: number): Value;
  /** Says what a state becomes after a step of training; an answer changes no state. */
  update(state: Value, next: Value): void;
  /**
   * Asks for something to be made small besides the model's loss, such as a penalty.
   *
   * @param perSample shape [batch]
   */
  objective(perSample: Value): void;
  /** Adds an inner layer below this one. */
  apply(layer: Layer, input: Value): Value;
}

/** One piece of a model: plain data and a function that adds its operations to a graph. */
export interface Layer {
  /** What it is, such as `dense`; layers of a model are numbered by it: `dense1`, `dense2`. */
  readonly type: string;
  /** What it is in a word or two, for summaries: `dense(128)`. */
  readonly label: string;
  /** The name under which it stands instead of its type and a number; the only one among its siblings. */
  readonly name?: string;
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
 * The number of the training step, from 0, kept as a state of the layer: what random numbers of a layer go by, so that
 * they are others at every step and the same when a step is computed again.
 */
export function stepNumber({ builder, state, update }: LayerContext): Value {
  const step = state("step", { shape: [], dtype: "int32" }, 0);
  update(step, builder.apply("increment", [step]));
  return step;
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
