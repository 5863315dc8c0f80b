import { GraphBuilder, gradients, type OperatorGraph, type Value } from "../ir/index.ts";
import {
  type BegunStep,
  type Loss,
  type Mode,
  type Model,
  type Optimizer,
  type StepContext,
  sampleLosses,
} from "../nn/index.ts";
import { operatorTable } from "../ops/index.ts";
import type { FloatDtype } from "../tensor/index.ts";

/** Names under which graphs take data and give results. */
export const names = {
  input: "input",
  target: "target",
  loss: "loss",
  losses: "losses",
  output: "output",
  predictions: "predictions",
  lossScale: "lossScale",
  overflow: "overflow",
} as const;

/** The name of an optimiser's state for a parameter. */
export function stateName(parameter: string, state: string): string {
  return `${parameter}.${state}`;
}

/** The name of a state that an optimiser keeps for all parameters together. */
export function sharedName(state: string): string {
  return `optimizer.${state}`;
}

/** What a training or an inference graph is made of. */
export interface GraphOptions {
  readonly batch: number;
  readonly loss: Loss;
  readonly dtype?: FloatDtype;
}

/** What only a training graph is made of. */
export interface TrainingGraphOptions extends GraphOptions {
  /**
   * Whether the gradients are those of the loss times the input `lossScale`, divided by it before they are used, with an
   * output `overflow` that is 0 if all of them are finite and NaN otherwise (Micikevicius et al. 2018).
   */
  readonly lossScaling?: boolean;
}

/**
 * One step of training as a graph: forward, loss, gradients, update. It takes a batch of inputs and targets, the
 * parameters, the optimiser's states and its hyperparameters; it gives the mean loss and everything updated.
 */
export function trainingGraph(model: Model, optimizer: Optimizer, options: TrainingGraphOptions): OperatorGraph {
  const built = beginGraph(model, `${model.name}, training`, options, "training");
  const { builder, parameters, dtype } = built;
  const { batch, loss } = options;
  const target = builder.input(names.target, targetType(model, options), "data");
  const mean = builder.inLayer("loss", () => {
    const losses = sampleLosses(builder, loss, built, target);
    return builder.apply("scale", [builder.apply("sum", [losses], { axes: [0] })], { factor: 1 / batch });
  });
  builder.output(names.loss, mean);

  const hyperparameters = Object.fromEntries(
    Object.keys(optimizer.hyperparameters).map((name) => [
      name,
      builder.input(name, { shape: [], dtype }, "hyperparameter"),
    ]),
  );
  const { gradients: toParameters, shared } = beginUpdates(
    optimizer,
    builder,
    { gradients: gradientsOf(builder, mean, parameters, options), hyperparameters },
    dtype,
  );
  for (const [index, parameter] of parameters.entries()) {
    const { name, layer } = model.parameters[index];
    const states = Object.fromEntries(
      optimizer.states.map((state) => [state, builder.input(stateName(name, state), parameter.type, "state")]),
    );
    builder.inPhase("update", layer, () => {
      const next = optimizer.update({
        builder,
        parameter,
        gradient: toParameters[index],
        states,
        shared,
        hyperparameters,
      });
      builder.output(name, next.parameter, parameter);
      for (const state of optimizer.states) builder.output(stateName(name, state), next.states[state], states[state]);
    });
  }
  for (const { name, value, next } of built.states) if (next !== null) builder.output(name, next, value);
  return builder.build();
}

/** The gradients of the mean loss, by way of a scaled one where that is asked for. */
function gradientsOf(
  builder: GraphBuilder,
  mean: Value,
  parameters: readonly Value[],
  { lossScaling = false, dtype = "float32" }: TrainingGraphOptions,
): readonly Value[] {
  if (!lossScaling) return gradients(builder, mean, parameters);
  const scale = builder.input(names.lossScale, { shape: [], dtype }, "hyperparameter");
  const scaled = builder.inLayer("loss", () => builder.apply("multiply", [mean, scale]));
  const large = gradients(builder, scaled, parameters);
  return builder.inPhase("backward", "loss scaling", () => {
    // A finite number less itself is 0; NaN and infinities give NaN, which no sum loses.
    const checks = large.map((gradient) => {
      const axes = gradient.type.shape.map((_, axis) => axis);
      return builder.apply("sum", [builder.apply("subtract", [gradient, gradient])], { axes });
    });
    const zero = builder.apply("full", [], { shape: [], dtype, value: 0 });
    builder.output(
      names.overflow,
      checks.reduce((total, check) => builder.apply("add", [total, check]), zero),
    );
    return large.map((gradient) => builder.apply("divide", [gradient, scale]));
  });
}

/** What an optimiser does once a step, before it updates one parameter after the other. */
function beginUpdates(
  optimizer: Optimizer,
  builder: GraphBuilder,
  given: Pick<StepContext, "gradients" | "hyperparameters">,
  dtype: FloatDtype,
): BegunStep {
  const { begin } = optimizer;
  if (begin === undefined) return { gradients: given.gradients, shared: {} };
  const before = Object.fromEntries(
    optimizer.shared.map((name) => [name, builder.input(sharedName(name), { shape: [], dtype }, "state")]),
  );
  return builder.inPhase("update", "optimizer", () => {
    const begun = begin({ builder, shared: before, ...given });
    for (const name of optimizer.shared) builder.output(sharedName(name), begun.shared[name], before[name]);
    return begun;
  });
}

/**
 * One batch answered as a graph: outputs, with class targets the predicted classes, and each sample's loss.
 */
export function inferenceGraph(model: Model, options: GraphOptions): OperatorGraph {
  const built = beginGraph(model, `${model.name}, inference`, options, "inference");
  const { builder, output } = built;
  const { loss } = options;
  const target = builder.input(names.target, targetType(model, options), "data");
  builder.inLayer("loss", () => {
    builder.output(names.losses, sampleLosses(builder, loss, built, target));
    if (loss.classes) builder.output(names.predictions, builder.apply("argmax", [output]));
  });
  builder.output(names.output, output);
  return builder.build();
}

function targetType(model: Model, { loss, batch, dtype = "float32" }: GraphOptions): Value["type"] {
  const type = loss.target(batch, model.output);
  return type.dtype === "int32" ? type : { ...type, dtype };
}

function beginGraph(model: Model, name: string, { batch, dtype = "float32" }: GraphOptions, mode: Mode) {
  const builder = new GraphBuilder(operatorTable, name);
  const input = builder.input(names.input, { shape: [batch, ...model.input], dtype }, "data");
  return { builder, dtype, ...model.build(builder, input, mode) };
}
