import { makeSchedule } from "../../lib/compiler/index.ts";
import { wasmEngine } from "../../lib/engine/index.ts";
import * as nn from "../../lib/nn/index.ts";
import { random } from "../../lib/tensor/index.ts";
import { trainingGraph } from "../../lib/training/index.ts";
import { type Effort, type Figures, medianSeconds } from "./benchmark.ts";

/** Samples in each step. */
export const batch = 64;

/** A training step that is ready to be run, and how to give back what it holds. */
interface LoadedStep {
  /** From the model to a module that the runtime has taken in. */
  readonly compileSeconds: number;
  /** The batch is copied in, then forward, backward and update, and the loss is read. */
  step(): void;
  dispose(): void;
}

interface StepOptions {
  readonly threads: number;
  readonly samples?: number;
  readonly rate?: number;
  /** How products are tiled; see `wasmEngine`. */
  readonly tiles?: string;
}

/** A model's training step on one batch of random numbers, by plain SGD. */
export async function loadedStep(
  model: nn.Model,
  { threads, samples = batch, rate = 0.1, tiles }: StepOptions,
): Promise<LoadedStep> {
  const before = performance.now();
  const graph = trainingGraph(model, nn.sgd({ rate }), { batch: samples, loss: nn.crossEntropy() });
  const engine = wasmEngine({ threads, tiles });
  const execution = await engine.load(engine.compile(makeSchedule(graph)));
  const compileSeconds = (performance.now() - before) / 1000;
  for (const [index, { data }] of model.initialise(1).entries()) {
    execution.input(model.parameters[index].name).set(data as Float32Array);
  }
  for (const [index, { data }] of model.initialStates().entries()) {
    execution.input(model.states[index].name).set(data as never);
  }
  execution.input("rate")[0] = rate;
  const inputs = random(7).uniform([samples, ...model.input]).data;
  const targets = Int32Array.from({ length: samples }, (_, sample) => sample % 10);
  const step = (): void => {
    execution.input("input").set(inputs);
    execution.input("target").set(targets);
    execution.run();
    if (!Number.isFinite(execution.output("loss")[0])) {
      throw new Error(`${model.name}: the loss must stay finite, got ${execution.output("loss")[0]}; lower the rate`);
    }
  };
  return { compileSeconds, step, dispose: () => execution.dispose() };
}

/** Median seconds of one training step. */
export async function stepSeconds(model: nn.Model, options: StepOptions, effort?: Effort): Promise<number> {
  const { step, dispose } = await loadedStep(model, options);
  const seconds = await medianSeconds(step, effort);
  dispose();
  return seconds;
}

/** Seconds per step and samples per second of some networks, on one thread and on two. */
export async function trainingFigures(models: Readonly<Record<string, nn.Model>>): Promise<Figures> {
  const figures: Record<string, number> = {};
  for (const [name, model] of Object.entries(models)) {
    for (const [threads, word] of [
      [1, "OneThread"],
      [2, "TwoThreads"],
    ] as const) {
      const seconds = await stepSeconds(model, { threads });
      figures[`${name}${word}StepSeconds`] = seconds;
      figures[`${name}${word}SamplesPerSecond`] = batch / seconds;
    }
  }
  return figures;
}
