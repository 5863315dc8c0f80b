import type { GraphBuilder, Value } from "../ir/index.ts";

/** What an optimiser gets for one parameter. */
export interface UpdateContext {
  readonly builder: GraphBuilder;
  readonly parameter: Value;
  readonly gradient: Value;
  /** Its states for this parameter, by name; each has the parameter's shape. */
  readonly states: Readonly<Record<string, Value>>;
  /** Numbers that may change from step to step, by name; scalars. */
  readonly hyperparameters: Readonly<Record<string, Value>>;
}

/** How gradients change parameters. */
export interface Optimizer {
  readonly name: string;
  /** Numbers that may change from step to step, with what they begin with. */
  readonly hyperparameters: Readonly<Record<string, number>>;
  /** Tensors kept for every parameter, each of the parameter's shape and beginning as zeros. */
  readonly states: readonly string[];
  /** Adds the operations that make the next parameter and the next states. */
  update(context: UpdateContext): { readonly parameter: Value; readonly states: Readonly<Record<string, Value>> };
}

/** Settings of gradient descent. */
export interface SgdOptions {
  /** How far to go against the gradient. */
  readonly rate: number;
  /** How much of the last step is kept, 0 (none) to below 1. */
  readonly momentum?: number;
}

/**
 * Stochastic gradient descent: w ← w − rate · g; with momentum v ← momentum · v + g, w ← w − rate · v
 * (Polyak 1964, in the form of Sutskever et al. 2013 with the rate outside).
 */
export function sgd({ rate, momentum = 0 }: SgdOptions): Optimizer {
  if (!Number.isFinite(rate) || rate <= 0) {
    throw new Error(`sgd: rate must be a number > 0, got ${rate}; try { rate: 0.1 }`);
  }
  if (!(momentum >= 0 && momentum < 1)) {
    throw new Error(`sgd: momentum must be from 0 to below 1, got ${momentum}; try { rate, momentum: 0.9 }`);
  }
  return {
    name: momentum === 0 ? "SGD" : "SGD with momentum",
    hyperparameters: { rate },
    states: momentum === 0 ? [] : ["velocity"],
    update({ builder, parameter, gradient, states, hyperparameters }) {
      const velocity =
        momentum === 0
          ? gradient
          : builder.apply("add", [builder.apply("scale", [states.velocity], { factor: momentum }), gradient]);
      const step = builder.apply("multiply", [velocity, hyperparameters.rate]);
      const next = builder.apply("subtract", [parameter, step]);
      const kept: Record<string, Value> = momentum === 0 ? {} : { velocity };
      return { parameter: next, states: kept };
    },
  };
}
