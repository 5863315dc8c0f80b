import { type Engine, referenceEngine } from "../engine/index.ts";
import { crossEntropy, type Loss, type Model, type Optimizer, sgd } from "../nn/index.ts";
import type { FloatDtype } from "../tensor/index.ts";
import { makeExecutions, Program } from "./program.ts";

/** How a model is to be trained and on what it is to run. */
export interface CompileOptions {
  /** What is made small; cross-entropy unless told otherwise. */
  readonly loss?: Loss;
  /** How weights change; SGD at rate 0.1 unless told otherwise. */
  readonly optimizer?: Optimizer;
  /** Samples per step; 64 unless told otherwise. */
  readonly batch?: number;
  /** `reference` for the plain engine, or an engine of one's own making. */
  readonly engine?: "reference" | Engine;
  /** float32 unless told otherwise; float64 for the reference engine alone. */
  readonly dtype?: FloatDtype;
}

/**
 * Compiles a model's training step: builds the graph with its gradients, orders it, plans every byte.
 *
 * @throws Error if loss and model do not fit, or an option is unknown
 */
export function compile(model: Model, options: CompileOptions = {}): Program {
  const known = ["loss", "optimizer", "batch", "engine", "dtype"];
  for (const name of Object.keys(options)) {
    if (!known.includes(name))
      throw new Error(`compile: options must be known, got ${name}; there are ${known.join(", ")}`);
  }
  const { loss = crossEntropy(), optimizer = sgd({ rate: 0.1 }), batch = 64, dtype = "float32" } = options;
  if (!Number.isInteger(batch) || batch < 1) {
    throw new Error(`compile: batch must be a whole number ≥ 1, got ${batch}; give { batch: 64 }`);
  }
  const engine = options.engine === undefined || options.engine === "reference" ? referenceEngine() : options.engine;
  const parts = { model, loss, optimizer, batch, dtype };
  // A model that does not fit its loss should say so now, not when it is fitted.
  loss.target(batch, model.output);
  return new Program({ ...parts, executions: makeExecutions(parts, engine) });
}
