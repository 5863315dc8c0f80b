import { type Dataset, sampleCount } from "../formats/index.ts";
import type { Optimizer } from "../nn/index.ts";
import { random } from "../tensor/index.ts";
import { evaluate } from "./answer.ts";
import { checkDataset, Feed } from "./feed.ts";
import { names } from "./graphs.ts";
import type { EpochRecord, TrainingHistory } from "./history.ts";
import { host, InterruptedError, interruptRequested, Pauses } from "./host.ts";
import type { ProgramParts } from "./parts.ts";

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

/**
 * Trains a program; see `Program.fit`.
 *
 * @param remember is given the history after every epoch and before every error
 */
export async function fit(
  parts: ProgramParts,
  data: Dataset,
  options: FitOptions,
  remember: (history: TrainingHistory) => void,
): Promise<TrainingHistory> {
  const { model, executions, optimizer, batch } = parts;
  const { epochs = 1, validation, seed = model.seed, shuffle = true } = options;
  check(parts, data, options);
  const count = sampleCount(data);
  const feed = new Feed(data);
  const records: EpochRecord[] = [];
  const stepLosses: number[] = [];
  const progress = new FitProgress(`${model.name}, seed ${seed}`, Math.ceil(count / batch) * epochs);
  const history = (interrupted = false): TrainingHistory => ({
    kind: "training-history",
    title: model.name,
    seed,
    batch,
    samplesPerEpoch: count,
    epochs: [...records],
    stepLosses: [...stepLosses],
    interrupted,
  });
  const pauses = new Pauses();
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const order = shuffle
      ? random(seed, shuffleStream + epoch).permutation(count)
      : Uint32Array.from({ length: count }, (_, index) => index);
    let total = 0;
    const started = performance.now();
    for (let from = 0; from < count; from += batch) {
      const size = Math.min(batch, count - from);
      const execution = await executions.acquire("training", size, true);
      for (const [name, value] of hyperparametersAt(optimizer, epoch - 1 + from / count)) {
        execution.input(name)[0] = value;
      }
      feed.fill(order, from, size, execution.input(names.input), execution.input(names.target));
      execution.run();
      const stepLoss = execution.output(names.loss)[0];
      if (!Number.isFinite(stepLoss)) {
        remember(history());
        progress.finish("stopped");
        throw new Error(
          `fit: the loss must stay finite, got ${stepLoss} (epoch ${epoch}, step ${stepLosses.length + 1}, ${model.name}); lower the rate or check the data`,
        );
      }
      stepLosses.push(stepLoss);
      total += stepLoss * size;
      const done = from + size;
      if (pauses.due()) {
        const speed = Math.round(done / ((performance.now() - started) / 1000)).toLocaleString("en");
        const note = `epoch ${epoch}/${epochs} · loss ${(total / done).toFixed(4)} · ${speed} samples/s`;
        progress.advance(stepLosses.length, note);
        await pauses.take();
      }
      if (interruptRequested()) {
        remember(history(true));
        progress.finish("interrupted");
        throw new InterruptedError(
          `fit: interrupted after step ${stepLosses.length} (epoch ${epoch} of ${epochs}); the weights are those of that step, and .history tells how it went so far`,
        );
      }
    }
    const record = { epoch, loss: total / count, seconds: (performance.now() - started) / 1000 };
    const checked = validation === undefined ? undefined : await evaluate(parts, validation);
    records.push(
      checked === undefined ? record : { ...record, validationLoss: checked.loss, validationError: checked.error },
    );
    progress.advance(stepLosses.length, `epoch ${epoch}/${epochs} · ${describe(records[records.length - 1])}`);
    remember(history());
  }
  progress.finish();
  return history();
}

function check({ model, loss, batch }: ProgramParts, data: Dataset, { epochs = 1, validation }: FitOptions): void {
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
}

function hyperparametersAt({ hyperparameters }: Optimizer, epochs: number): [name: string, value: number][] {
  return Object.entries(hyperparameters).map(([name, value]) => [
    name,
    typeof value === "number" ? value : value(epochs),
  ]);
}

function describe({ loss, validationLoss, validationError }: EpochRecord): string {
  const parts = [`loss ${loss.toFixed(4)}`];
  if (validationError !== undefined) parts.push(`test error ${(validationError * 100).toFixed(2)} %`);
  else if (validationLoss !== undefined) parts.push(`test loss ${validationLoss.toFixed(4)}`);
  return parts.join(" · ");
}

let fits = 0;

/** Tells the host how far one `fit` has come. */
class FitProgress {
  readonly #id = `fit-${++fits}`;
  readonly #title: string;
  readonly #total: number;
  #done = 0;
  #note = "";

  constructor(model: string, total: number) {
    this.#title = `training ${model}`;
    this.#total = total;
  }

  advance(done: number, note: string): void {
    this.#done = done;
    this.#note = note;
    this.#report(note, false);
  }

  /** Says that nothing more will come, and why if it is not the regular end. */
  finish(reason?: string): void {
    this.#report(reason === undefined ? this.#note : `${reason} · ${this.#note}`, true);
  }

  #report(note: string, finished: boolean): void {
    host().report({ id: this.#id, title: this.#title, done: this.#done, total: this.#total, note, finished });
  }
}
