import { type GraphReport, graphReport } from "../compiler/index.ts";
import type { CompiledProgram } from "../engine/index.ts";
import type { Dataset } from "../formats/index.ts";
import { printGraph } from "../ir/index.ts";
import { explainPeak, type MemoryReport, type PeakExplanation } from "../memory/index.ts";
import type { Model } from "../nn/index.ts";
import { allocate, type DataOf, type Dtype, type HostTensor, type Shape } from "../tensor/index.ts";
import { activations } from "./activations.ts";
import { evaluate, predict } from "./answer.ts";
import type { SampleStream } from "./batches.ts";
import type { Evaluation } from "./evaluation.ts";
import { checkDataset } from "./feed.ts";
import { fit } from "./fit.ts";
import type { FitOptions } from "./fit-options.ts";
import type { TrainingHistory } from "./history.ts";
import { type InputGradient, type InputGradientOptions, inputGradient } from "./input-gradient.ts";
import type { ProgramParts } from "./parts.ts";
import { firstWeights, givenWeights } from "./weights.ts";

/** A model compiled for training with a loss, an optimiser and a batch; it holds the weights. */
export class Program {
  readonly model: Model;
  readonly batch: number;
  readonly #parts: ProgramParts;
  #history: TrainingHistory | null = null;

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

  /** What the peak of a training step is made of, who still needs each buffer, and what would free it. */
  get peak(): PeakExplanation {
    return explainPeak(this.memory);
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
      this.model.parameters.map(({ name, shape }) => [name, copyAs(dtype, shape, weights.get(name) as DataOf)]),
    );
  }

  /** A copy of what the model keeps besides its weights by name, such as `batchNorm1.mean`. */
  get states(): ReadonlyMap<string, HostTensor> {
    const carried = this.#parts.executions.weights();
    return new Map(
      this.model.states.map(({ name, shape, dtype }) => {
        const kept = dtype === "int32" ? dtype : this.#parts.dtype;
        return [name, copyAs(kept, shape, carried.get(name) as DataOf)];
      }),
    );
  }

  /**
   * Begins anew: first weights from a seed, or weights that are given, and the optimiser's states zero.
   *
   * @param from a seed (the model's unless told otherwise), or tensors by name: every parameter, and states if they are
   * not to begin anew
   * @throws Error if a parameter is missing, unknown or of another shape
   */
  reset(from: number | ReadonlyMap<string, HostTensor> = this.model.seed): void {
    const { model, optimizer, executions } = this.#parts;
    executions.setWeights(
      typeof from === "number" ? firstWeights(model, optimizer, from) : givenWeights(model, optimizer, from),
    );
  }

  /**
   * Trains on every sample, `epochs` times, in batches; what is left at the end of an epoch makes a smaller batch. Shows
   * progress, and stops between two steps when interrupted; a step that is cut off in its middle is undone.
   *
   * @param data a data set, or a stream for what does not fit into memory: an (async) iterable of samples in pieces of
   * any size, or a function that gives one for each epoch. A schedule sees whole epochs only until the stream's length is
   * known.
   * @returns the history
   * @throws Error if the data does not fit the model; if the loss is no longer finite, naming the layer and the operator
   * that made the first such number, with the weights as before that step; InterruptedError, with weights and `history`
   * as of the last finished step
   */
  fit(data: Dataset | SampleStream, options: FitOptions = {}): Promise<TrainingHistory> {
    return fit(this.#parts, data, options, (history) => {
      this.#history = history;
    });
  }

  /**
   * Answers every sample and compares with the targets.
   *
   * @throws Error if the data does not fit the model
   */
  async evaluate(data: Dataset): Promise<Evaluation> {
    checkDataset("evaluate", data, this.model, this.#parts.loss);
    return evaluate(this.#parts, data);
  }

  /**
   * The model's outputs for inputs of shape [samples, …input]; bytes are taken as they are, so scale them first or give
   * a data set.
   *
   * @returns shape [samples, …output]
   * @throws Error if the inputs do not have the model's shape
   */
  predict(inputs: HostTensor | Dataset): Promise<HostTensor<"float32">> {
    return predict(this.#parts, inputs);
  }

  /**
   * How the loss, an output or a layer's activity changes with the inputs, sample by sample, in the model as it answers:
   * what adversarial pictures (Goodfellow et al. 2015), saliency maps and dreams are made from.
   *
   * @param inputs floats [samples, …input], as the network sees them; all are computed in one go
   * @throws Error if inputs or targets do not fit, or there is no such output or layer
   */
  inputGradient(inputs: HostTensor, options: InputGradientOptions = {}): Promise<InputGradient> {
    return inputGradient(this.#parts, inputs, options);
  }

  /**
   * What a layer gives for these samples, in the model as it answers: its feature maps, or the states of its units.
   *
   * @param inputs floats [samples, …input], as the network sees them; all are computed in one go
   * @param layer the layer's path, such as `convolution2`
   * @returns shape [samples, …layer]
   * @throws Error if the inputs do not fit, or there is no such layer
   */
  activations(inputs: HostTensor, layer: string): Promise<HostTensor<"float32">> {
    return activations(this.#parts, inputs, layer);
  }

  /** What `console.log` prints. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  toString(): string {
    const { loss, optimizer, batch, dtype } = this.#parts;
    const count = this.model.parameterCount.toLocaleString("en");
    return `program of ${this.model.name}: ${count} parameters, ${loss.name}, ${optimizer.name}, batch ${batch}, ${dtype}`;
  }

  /** Gives back the arenas of all compiled programs; the weights stay, and the next call loads again. */
  dispose(): void {
    this.#parts.executions.dispose();
  }
}

/** A copy of what is carried: as it came, perhaps wider or narrower, until an execution has taken it over. */
function copyAs(dtype: Dtype, shape: Shape, carried: DataOf): HostTensor {
  const data = allocate(dtype, carried.length);
  data.set(carried as never);
  return { shape, dtype, data };
}
