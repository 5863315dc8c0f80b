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

/** A number that changes while training goes on: a function of the epochs done so far, fractions included, from 0. */
export type Schedule = (epochs: number) => number;

/** Multiplied by `factor` after every epoch: `initial` · factor^⌊epochs⌋. */
export function exponentialDecay(initial: number, factor: number): Schedule {
  if (!(Number.isFinite(initial) && initial > 0 && factor > 0 && factor <= 1)) {
    throw new Error(
      `exponentialDecay: the first value must be > 0 and the factor above 0 to 1, got ${initial} and ${factor}; try exponentialDecay(0.1, 0.8)`,
    );
  }
  return (epochs) => initial * factor ** Math.floor(epochs);
}

/** How gradients change parameters. */
export interface Optimizer {
  readonly name: string;
  /** Numbers that may change from step to step. */
  readonly hyperparameters: Readonly<Record<string, number | Schedule>>;
  /** Tensors kept for every parameter, each of the parameter's shape and beginning as zeros. */
  readonly states: readonly string[];
  /** Adds the operations that make the next parameter and the next states. */
  update(context: UpdateContext): { readonly parameter: Value; readonly states: Readonly<Record<string, Value>> };
}

/** Settings of gradient descent. */
export interface SgdOptions {
  /** How far to go against the gradient; a number or a schedule such as `exponentialDecay(0.1, 0.8)`. */
  readonly rate: number | Schedule;
  /** How much of the last step is kept, 0 (none) to below 1. */
  readonly momentum?: number;
}

/**
 * Stochastic gradient descent: w ← w − rate · g; with momentum v ← momentum · v + g, w ← w − rate · v
 * (Polyak 1964, in the form of Sutskever et al. 2013 with the rate outside).
 */
export function sgd({ rate, momentum = 0 }: SgdOptions): Optimizer {
  if (typeof rate !== "function" && !(Number.isFinite(rate) && rate > 0)) {
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
