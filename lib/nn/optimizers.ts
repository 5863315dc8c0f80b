import type { GraphBuilder, Value } from "../ir/index.ts";

/** What an optimiser gets for one parameter. */
export interface UpdateContext {
  readonly builder: GraphBuilder;
  readonly parameter: Value;
  readonly gradient: Value;
  /** Its states for this parameter, by name; each has the parameter's shape. */
  readonly states: Readonly<Record<string, Value>>;
  /** Numbers kept for all parameters together, as they are after this step, by name; scalars. */
  readonly shared: Readonly<Record<string, Value>>;
  /** Numbers that may change from step to step, by name; scalars. */
  readonly hyperparameters: Readonly<Record<string, Value>>;
}

/** What an optimiser gets once a step. */
export interface StepContext {
  readonly builder: GraphBuilder;
  /** The gradients of all parameters, in their order. */
  readonly gradients: readonly Value[];
  /** Numbers kept for all parameters together, as they are before this step. */
  readonly shared: Readonly<Record<string, Value>>;
  readonly hyperparameters: Readonly<Record<string, Value>>;
}

/** What an optimiser makes of a step as a whole. */
export interface BegunStep {
  /** The gradients that the updates get, in the same order. */
  readonly gradients: readonly Value[];
  /** The next values of the shared numbers. */
  readonly shared: Readonly<Record<string, Value>>;
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
  /** Numbers kept for all parameters together, each a scalar that begins as zero. */
  readonly shared: readonly string[];
  /** Adds what is done once a step, before the updates; needed only where gradients or shared numbers change. */
  readonly begin?: (context: StepContext) => BegunStep;
  /** Adds the operations that make the next parameter and the next states. */
  update(context: UpdateContext): { readonly parameter: Value; readonly states: Readonly<Record<string, Value>> };
}

/** Checks a rate that an optimiser was given; schedules are checked where they are used. */
export function checkRate(optimizer: string, rate: number | Schedule): void {
  if (typeof rate !== "function" && !(Number.isFinite(rate) && rate > 0)) {
    throw new Error(`${optimizer}: rate must be a number > 0, got ${rate}; try { rate: 0.1 }`);
  }
}

/** Checks a share that is kept from step to step. */
export function checkShare(optimizer: string, name: string, value: number): void {
  if (!(value >= 0 && value < 1)) {
    throw new Error(`${optimizer}: ${name} must be from 0 to below 1, got ${value}; try { rate, ${name}: 0.9 }`);
  }
}

/** Checks how strongly weights are drawn to zero. */
export function checkDecay(optimizer: string, decay: number): void {
  if (!(Number.isFinite(decay) && decay >= 0)) {
    throw new Error(`${optimizer}: decay must be a number ≥ 0, got ${decay}; try { rate, decay: 0.0005 }`);
  }
}

/** Settings of gradient descent. */
export interface SgdOptions {
  /** How far to go against the gradient; a number or a schedule such as `exponentialDecay(0.1, 0.8)`. */
  readonly rate: number | Schedule;
  /** How much of the last step is kept, 0 (none) to below 1. */
  readonly momentum?: number;
  /** Whether the gradient is taken ahead, where momentum carries to (Nesterov 1983). */
  readonly nesterov?: boolean;
  /** How strongly weights are drawn to zero: this times the weight is added to its gradient; 0 unless told otherwise. */
  readonly decay?: number;
}

/**
 * Stochastic gradient descent: w ← w − rate · g; with momentum v ← momentum · v + g, w ← w − rate · v
 * (Polyak 1964, in the form of Sutskever et al. 2013 with the rate outside), with nesterov w ← w − rate · (g + momentum · v).
 */
export function sgd({ rate, momentum = 0, nesterov = false, decay = 0 }: SgdOptions): Optimizer {
  checkRate("sgd", rate);
  checkShare("sgd", "momentum", momentum);
  checkDecay("sgd", decay);
  if (nesterov && momentum === 0) {
    throw new Error("sgd: nesterov needs momentum, got 0; try { rate, momentum: 0.9, nesterov: true }");
  }
  const plain = nesterov ? "SGD with Nesterov momentum" : "SGD with momentum";
  return {
    name: momentum === 0 ? "SGD" : plain,
    hyperparameters: { rate },
    states: momentum === 0 ? [] : ["velocity"],
    shared: [],
    update({ builder, parameter, gradient: given, states, hyperparameters }) {
      const scaled = (value: Value, factor: number): Value => builder.apply("scale", [value], { factor });
      const gradient = decay === 0 ? given : builder.apply("add", [given, scaled(parameter, decay)]);
      const sum = (): Value => builder.apply("add", [scaled(states.velocity, momentum), gradient]);
      // Without gradients, as at pixels that are never grey, a velocity would decay into subnormal numbers.
      const velocity = momentum === 0 ? gradient : builder.apply("flush", [sum()], { below: 1e-30 });
      const direction = nesterov ? builder.apply("add", [gradient, scaled(velocity, momentum)]) : velocity;
      const step = builder.apply("multiply", [direction, hyperparameters.rate]);
      const next = builder.apply("subtract", [parameter, step]);
      const kept: Record<string, Value> = momentum === 0 ? {} : { velocity };
      return { parameter: next, states: kept };
    },
  };
}
