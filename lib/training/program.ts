import { type GraphReport, graphReport } from "../compiler/index.ts";
import type { CompiledProgram } from "../engine/index.ts";
import { type Dataset, sampleCount } from "../formats/index.ts";
import { printGraph } from "../ir/index.ts";
import type { MemoryReport } from "../memory/index.ts";
import type { Loss, Model, Optimizer } from "../nn/index.ts";
import {
  type DataOf,
  elementCount,
  type FloatDtype,
  formatShape,
  type HostTensor,
  random,
  tensor,
  zeros,
} from "../tensor/index.ts";
import type { Evaluation } from "./evaluation.ts";
import { type Carried, Executions } from "./executions.ts";
import { checkDataset, Feed } from "./feed.ts";
import { inferenceGraph, names, stateName, trainingGraph } from "./graphs.ts";
import type { EpochRecord, TrainingHistory } from "./history.ts";
import { host, InterruptedError, interruptRequested, pause } from "./host.ts";

/** How long to work before letting messages and pictures through, in milliseconds. */
const pauseEvery = 50;

/** Streams of random numbers for shuffling begin here; below are those of the parameters. */
const shuffleStream = 2 ** 20;

/** What `fit` may be told. */
export interface FitOptions {
  /** Passes over the data; 1 unless told otherwise. */
  readonly epochs?: number;
  /** Evaluated after each epoch. */
  readonly validation?: Dataset;
  /** Seed of the order of the samples; the model's unless told otherwise. */
  readonly seed?: number;
  /** Whether samples come in another order each epoch; true unless told otherwise. */
  readonly shuffle?: boolean;
}

/** What a program consists of; made by `compile`. */
export interface ProgramParts {
  readonly model: Model;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly batch: number;
  readonly dtype: FloatDtype;
  readonly executions: Executions;
}

/** A model compiled for training with a loss, an optimiser and a batch; it holds the weights. */
export class Program {
  readonly model: Model;
  readonly batch: number;
  readonly #parts: ProgramParts;
  #history: TrainingHistory | null = null;
  #runs = 0;

  constructor(parts: ProgramParts) {
    this.model = parts.model;
    this.batch = parts.batch;
    this.#parts = parts;
  }

  /** The compiled training step: its steps, arena and plan. */
  get training(): CompiledProgram {
    return this.#parts.executions.compiled("training", this.batch);
  }

  /** The compiled answer to one batch, without gradients. */
  get inference(): CompiledProgram {
    return this.#parts.executions.compiled("inference", this.batch);
  }

  /** Where every byte of a training step goes. */
  get memory(): MemoryReport {
    return this.training.report;
  }

  /** The operator graph of a training step. */
  get graph(): GraphReport {
    return graphReport(this.training.schedule);
  }

  /** The operator graph of a training step as text; `parseGraph` reads it back. */
  get text(): string {
    return printGraph(this.training.schedule.graph);
  }

  /** How the last `fit` went, also if it was interrupted; null before the first. */
  get history(): TrainingHistory | null {
    return this.#history;
  }

  /** A copy of the current weights by name, such as `dense1.weight`. */
  get parameters(): ReadonlyMap<string, HostTensor> {
    const weights = this.#parts.executions.weights();
    const { dtype } = this.#parts;
    return new Map(
      this.model.parameters.map(({ name, shape }) => {
        const data = (weights.get(name) as DataOf).slice();
        return [name, { shape, dtype, data } as HostTensor];
      }),
    );
  }

  /**
   * Begins anew: first weights from a seed, or weights that are given, and the optimiser's states zero.
   *
   * @param from a seed (the model's unless told otherwise), or tensors by name
   * @throws Error if a parameter is missing, unknown or of another shape
   */
  reset(from: number | ReadonlyMap<string, HostTensor> = this.model.seed): void {
    const { model, optimizer, executions } = this.#parts;
    executions.setWeights(
      typeof from === "number" ? firstWeights(model, optimizer, from) : givenWeights(model, optimizer, from),
    );
  }

  /**
   * Trains on every sample, `epochs` times, in batches; what is left at the end of an epoch makes a smaller batch.
   * Shows progress, and stops between two steps when interrupted.
   *
   * @returns the history
   * @throws Error if the data does not fit the model, or the loss is no longer finite; InterruptedError, with weights
   * and `history` as of the last finished step
   */
  async fit(data: Dataset, options: FitOptions = {}): Promise<TrainingHistory> {
    const { model, loss, executions, optimizer, batch } = this.#parts;
    const { epochs = 1, validation, seed = model.seed, shuffle = true } = options;
    if (!Number.isInteger(epochs) || epochs < 1) {
      throw new Error(`fit: epochs must be a whole number ≥ 1, got ${epochs}; give { epochs: 5 }`);
    }
    checkDataset("fit", data, model, loss);
    if (validation !== undefined) checkDataset("fit (validation)", validation, model, loss);
    const count = sampleCount(data);
    if (batch > count) {
      throw new Error(
        `fit: a batch must not be larger than the data set, got ${batch} and ${count} samples (in ${data.name}); compile with { batch: ${count} } or less`,
      );
    }
    const feed = new Feed(data);
    const progress = this.#progress("training", Math.ceil(count / batch) * epochs);
    const records: EpochRecord[] = [];
    const stepLosses: number[] = [];
    const remember = (interrupted: boolean): TrainingHistory => {
      this.#history = {
        kind: "training-history",
        title: model.name,
        seed,
        batch,
        samplesPerEpoch: count,
        epochs: [...records],
        stepLosses: [...stepLosses],
        interrupted,
      };
      return this.#history;
    };
    let note = "";
    let lastPause = performance.now();
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const order = shuffle
        ? random(seed, shuffleStream + epoch).permutation(count)
        : Uint32Array.from({ length: count }, (_, index) => index);
      let total = 0;
      const started = performance.now();
      for (let from = 0; from < count; from += batch) {
        const size = Math.min(batch, count - from);
        const execution = await executions.acquire("training", size, true);
        for (const [name, value] of Object.entries(optimizer.hyperparameters)) {
          execution.input(name)[0] = typeof value === "number" ? value : value(epoch - 1 + from / count);
        }
        feed.fill(order, from, size, execution.input(names.input), execution.input(names.target));
        execution.run();
        const stepLoss = execution.output(names.loss)[0];
        if (!Number.isFinite(stepLoss)) {
          remember(false);
          progress("stopped", true);
          throw new Error(
            `fit: the loss must stay finite, got ${stepLoss} (epoch ${epoch}, step ${stepLosses.length + 1}, ${model.name}); lower the rate or check the data`,
          );
        }
        stepLosses.push(stepLoss);
        total += stepLoss * size;
        if (performance.now() - lastPause > pauseEvery) {
          const speed = (from + size) / ((performance.now() - started) / 1000);
          note = `epoch ${epoch}/${epochs} · loss ${(total / (from + size)).toFixed(4)} · ${Math.round(speed).toLocaleString("en")} samples/s`;
          progress.advance(stepLosses.length, note);
          await pause();
          lastPause = performance.now();
        }
        if (interruptRequested()) {
          remember(true);
          progress(`interrupted · ${note}`, true);
          throw new InterruptedError(
            `fit: interrupted after step ${stepLosses.length} (epoch ${epoch} of ${epochs}); the weights are those of that step, and .history tells how it went so far`,
          );
        }
      }
      const seconds = (performance.now() - started) / 1000;
      const record = { epoch, loss: total / count, seconds };
      const checked = validation === undefined ? undefined : await this.#evaluate(validation);
      records.push(
        checked === undefined ? record : { ...record, validationLoss: checked.loss, validationError: checked.error },
      );
      note = `epoch ${epoch}/${epochs} · ${describe(records[records.length - 1])}`;
      progress.advance(stepLosses.length, note);
      remember(false);
    }
    progress(note, true);
    return remember(false);
  }

  /**
   * Answers every sample and compares with the targets.
   *
   * @throws Error if the data does not fit the model
   */
  async evaluate(data: Dataset): Promise<Evaluation> {
    checkDataset("evaluate", data, this.model, this.#parts.loss);
    return this.#evaluate(data);
  }

  /**
   * The model's outputs for inputs of shape [samples, …input]; bytes are taken as they are, so scale them first or give
   * a data set.
   *
   * @returns shape [samples, …output]
   */
  async predict(inputs: HostTensor | Dataset): Promise<HostTensor<"float32">> {
    const { model, loss } = this.#parts;
    const given = "kind" in inputs;
    const source = given ? inputs.inputs : inputs;
    if (formatShape(source.shape.slice(1)) !== formatShape(model.input)) {
      throw new Error(
        `predict: inputs must be [samples, ...${formatShape(model.input)}], got ${formatShape(source.shape)}; add a batch axis or reshape them`,
      );
    }
    const count = source.shape[0];
    const type = loss.target(count, model.output);
    const data: Dataset = {
      kind: "dataset",
      name: "inputs",
      inputs: source.dtype === "uint8" ? (source as HostTensor<"uint8">) : tensor(source.data, { shape: source.shape }),
      scale: given ? inputs.scale : 1,
      targets: zeros(type.shape, type.dtype as "int32"),
      classes: [],
    };
    const size = elementCount(model.output);
    const result = zeros([count, ...model.output]);
    if (count === 0) return result;
    await this.#answer(data, (from, rows, execution) => {
      result.data.set(execution.output(names.output).subarray(0, rows * size) as Float32Array, from * size);
    });
    return result;
  }

  /** Gives back the arenas of all compiled programs; the weights stay, and the next call loads again. */
  dispose(): void {
    this.#parts.executions.dispose();
  }

  async #evaluate(data: Dataset): Promise<Evaluation> {
    const { model, loss } = this.#parts;
    const count = sampleCount(data);
    const classes = loss.classes ? model.output[0] : 0;
    const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
    let total = 0;
    let wrong = 0;
    await this.#answer(data, (from, rows, execution) => {
      const losses = execution.output(names.losses);
      for (let row = 0; row < rows; row++) total += losses[row];
      if (!loss.classes) return;
      const predictions = execution.output(names.predictions);
      for (let row = 0; row < rows; row++) {
        const label = data.targets.data[from + row];
        confusion[label][predictions[row]]++;
        if (predictions[row] !== label) wrong++;
      }
    });
    const result = {
      kind: "evaluation",
      title: model.name,
      dataset: data.name,
      samples: count,
      loss: total / count,
    } as const;
    return loss.classes ? { ...result, error: wrong / count, confusion } : result;
  }

  async #answer(
    data: Dataset,
    take: (from: number, rows: number, execution: Awaited<ReturnType<Executions["acquire"]>>) => void,
  ): Promise<void> {
    const count = sampleCount(data);
    const execution = await this.#parts.executions.acquire("inference", this.batch, false);
    const feed = new Feed(data);
    const order = Uint32Array.from({ length: count }, (_, index) => index);
    let lastPause = performance.now();
    for (let from = 0; from < count; from += this.batch) {
      feed.fill(order, from, this.batch, execution.input(names.input), execution.input(names.target));
      execution.run();
      take(from, Math.min(this.batch, count - from), execution);
      if (interruptRequested())
        throw new InterruptedError(`${this.model.name}: interrupted after sample ${from} of ${count}`);
      if (performance.now() - lastPause > pauseEvery) {
        await pause();
        lastPause = performance.now();
      }
    }
  }

  /** A function that reports the end, with `advance` for what comes before it. */
  #progress(
    title: string,
    total: number,
  ): { (note: string, finished: boolean): void; advance(done: number, note: string): void } {
    const id = `${this.model.name}-${title}-${++this.#runs}-${Math.round(performance.timeOrigin + performance.now())}`;
    let last = 0;
    const report = (done: number, note: string, finished: boolean): void => {
      last = done;
      host().report({ id, title: `${title} ${this.model.name}`, done, total, note, finished });
    };
    return Object.assign((note: string, finished: boolean) => report(last, note, finished), {
      advance: (done: number, note: string) => report(done, note, false),
    });
  }
}

function describe({ loss, validationLoss, validationError }: EpochRecord): string {
  const parts = [`loss ${loss.toFixed(4)}`];
  if (validationError !== undefined) parts.push(`test error ${(validationError * 100).toFixed(2)} %`);
  else if (validationLoss !== undefined) parts.push(`test loss ${validationLoss.toFixed(4)}`);
  return parts.join(" · ");
}

/** The weights that a seed gives, and the optimiser's states at zero. */
export function firstWeights(model: Model, optimizer: Optimizer, seed: number): Carried {
  const values = model.initialise(seed);
  return withStates(model, optimizer, new Map(model.parameters.map(({ name }, index) => [name, values[index]])));
}

function givenWeights(model: Model, optimizer: Optimizer, given: ReadonlyMap<string, HostTensor>): Carried {
  for (const name of given.keys()) {
    if (!model.parameters.some((parameter) => parameter.name === name)) {
      const known = model.parameters.map((parameter) => parameter.name).join(", ");
      throw new Error(`reset: parameters must be the model's, got "${name}" (in ${model.name}); it has ${known}`);
    }
  }
  for (const { name, shape } of model.parameters) {
    const value = given.get(name);
    if (value === undefined || formatShape(value.shape) !== formatShape(shape)) {
      const got = value === undefined ? "none" : formatShape(value.shape);
      throw new Error(
        `reset: ${name} must be ${formatShape(shape)}, got ${got} (in ${model.name}); give every parameter`,
      );
    }
  }
  return withStates(model, optimizer, given);
}

function withStates(model: Model, optimizer: Optimizer, values: ReadonlyMap<string, HostTensor>): Carried {
  const carried = new Map<string, DataOf>();
  for (const { name, elements } of model.parameters) {
    carried.set(name, (values.get(name) as HostTensor).data.slice());
    for (const state of optimizer.states) carried.set(stateName(name, state), new Float32Array(elements));
  }
  return carried;
}

/** Compiles and executes through one engine; see `compile`. */
export function makeExecutions(
  parts: Omit<ProgramParts, "executions">,
  engine: ConstructorParameters<typeof Executions>[0],
): Executions {
  const { model, loss, optimizer, dtype } = parts;
  return new Executions(
    engine,
    (purpose, batch) =>
      purpose === "training"
        ? trainingGraph(model, optimizer, { batch, loss, dtype })
        : inferenceGraph(model, { batch, loss, dtype }),
    firstWeights(model, optimizer, model.seed),
  );
}
