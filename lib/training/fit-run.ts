import type { Optimizer } from "../nn/index.ts";
import { evaluate } from "./answer.ts";
import type { Batch, Batches } from "./batches.ts";
import { type FitState, type Identity, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { type Patience, patienceAfter } from "./early-stopping.ts";
import type { Carried } from "./executions.ts";
import type { FitOptions } from "./fit-options.ts";
import { describeEpoch, FitProgress } from "./fit-progress.ts";
import { names } from "./graphs.ts";
import type { EpochRecord, TrainingHistory } from "./history.ts";
import { InterruptedError, interruptRequested, Pauses } from "./host.ts";
import { LossScale } from "./loss-scaling.ts";
import { describeFirstNonFinite, findFirstNonFinite } from "./non-finite.ts";
import type { ProgramParts } from "./parts.ts";
import type { TakenStep } from "./safekeeping.ts";

const stepsPerCheckpoint = 1000;

type RunOptions = FitOptions & { readonly epochs: number; readonly seed: number };

/** One call of `fit`: where it is, and how it goes on. */
export class FitRun {
  readonly #parts: ProgramParts;
  readonly #batches: Batches;
  readonly #options: RunOptions;
  readonly #progress: FitProgress;
  readonly #pauses = new Pauses();
  readonly #lossScale: LossScale | null;
  #records: EpochRecord[] = [];
  #stepLosses: number[] = [];
  /** The epoch that is being trained, its samples used so far, their losses' sum, and seconds. */
  #epoch = 1;
  #done = 0;
  #total = 0;
  #seconds = 0;
  /** Samples of all epochs before. */
  #before = 0;
  #samplesPerEpoch: number | null;
  #best: Carried | null = null;

  constructor(parts: ProgramParts, batches: Batches, options: RunOptions) {
    this.#parts = parts;
    this.#batches = batches;
    this.#options = options;
    this.#samplesPerEpoch = batches.samplesPerEpoch;
    this.#lossScale = parts.lossScaling === null ? null : new LossScale(parts.lossScaling);
    this.#progress = new FitProgress(
      `${parts.model.name}, seed ${options.seed}`,
      () => (this.#samplesPerEpoch === null ? null : Math.ceil(this.#samplesPerEpoch / parts.batch) * options.epochs),
      options.progress,
    );
  }

  /** How it went so far. */
  history(interrupted = false): TrainingHistory {
    const { model, batch } = this.#parts;
    const { earlyStopping } = this.#options;
    const best = earlyStopping === undefined || this.#records.length === 0 ? null : this.#patience().bestEpoch;
    return {
      kind: "training-history",
      title: model.name,
      seed: this.#options.seed,
      batch,
      samplesPerEpoch: this.#samplesPerEpoch ?? this.#done,
      epochs: [...this.#records],
      stepLosses: [...this.#stepLosses],
      interrupted,
      ...(best === null ? {} : { bestEpoch: best }),
      ...(this.#lossScale === null ? {} : { skippedSteps: this.#lossScale.skippedSteps }),
    };
  }

  /**
   * Trains from where the run is to its end.
   *
   * @param remember is given the history after every epoch and before every error
   */
  async train(remember: (history: TrainingHistory) => void): Promise<void> {
    const { epochs, checkpoint } = this.#options;
    if (checkpoint?.resume) await this.#resume(checkpoint.file);
    try {
      while (this.#epoch <= epochs && !this.#isEnough) {
        await this.#trainEpoch();
        // The last step has no loss behind it that would tell.
        await this.#keepWeights();
        await this.#endEpoch();
        remember(this.history());
      }
      await this.#save();
      if (this.#best !== null) this.#parts.executions.setWeights(this.#best);
    } catch (error) {
      const interrupted = error instanceof InterruptedError;
      if (interrupted) await this.#save();
      remember(this.history(interrupted));
      this.#progress.finish(interrupted ? "interrupted" : "stopped");
      throw error;
    }
    this.#progress.finish();
  }

  async #trainEpoch(): Promise<void> {
    const { epochs, checkpoint } = this.#options;
    const every = checkpoint?.every ?? stepsPerCheckpoint;
    await this.#batches.begin(this.#epoch, this.#done, this.#before);
    const before = this.#seconds;
    const started = performance.now();
    for (let batch = await this.#batches.next(); batch !== null; batch = await this.#batches.next()) {
      await this.#step(batch);
      this.#seconds = before + (performance.now() - started) / 1000;
      const steps = this.#stepLosses.length;
      if (this.#pauses.due()) {
        const speed = Math.round(this.#done / this.#seconds).toLocaleString("en");
        const note = `epoch ${this.#epoch}/${epochs} · loss ${(this.#total / this.#done).toFixed(4)} · ${speed} samples/s`;
        this.#progress.advance(steps, note);
        await this.#pauses.take();
      }
      if (interruptRequested()) {
        throw new InterruptedError(
          `fit: interrupted after step ${steps} (epoch ${this.#epoch} of ${epochs}); the weights are those of that step, and .history tells how it went so far`,
        );
      }
      if (checkpoint !== undefined && steps % every === 0) {
        await this.#keepWeights();
        await this.#save();
      }
    }
  }

  /** One step of training: finished, or undone and an error. */
  async #step(batch: Batch): Promise<void> {
    const { executions, optimizer } = this.#parts;
    const { safekeeping } = executions;
    const execution = await executions.acquire("training", batch.size, true);
    if (safekeeping.isDue) await this.#keepWeights();
    const numbers = this.#hyperparameters(optimizer);
    safekeeping.take({
      epoch: this.#epoch,
      number: this.#stepLosses.length + 1,
      execution,
      fill() {
        for (const [name, value] of numbers) execution.input(name)[0] = value;
        batch.fill(execution);
      },
    });
    const loss = execution.output(names.loss)[0];
    if (!Number.isFinite(loss)) await this.#blame(`the loss must stay finite, got ${loss}`);
    const overflowed = this.#lossScale !== null && execution.output(names.overflow)[0] !== 0;
    if (overflowed) safekeeping.undo();
    this.#lossScale?.note(overflowed);
    this.#stepLosses.push(loss);
    this.#total += loss * batch.size;
    this.#done += batch.size;
  }

  /** Makes the weights as they are now those to go back to, unless some of them are not finite. */
  async #keepWeights(): Promise<void> {
    const bad = this.#parts.executions.safekeeping.keep();
    if (bad !== null) await this.#blame(`weights must stay finite, got others in ${bad}`);
  }

  #hyperparameters({ hyperparameters }: Optimizer): [name: string, value: number][] {
    // How far into an epoch a step is nobody knows before its length is.
    const share = this.#samplesPerEpoch === null ? 0 : this.#done / this.#samplesPerEpoch;
    const epochs = this.#epoch - 1 + Math.min(share, 1);
    const numbers: [string, number][] = Object.entries(hyperparameters).map(([name, value]) => [
      name,
      typeof value === "number" ? value : value(epochs),
    ]);
    if (this.#lossScale !== null) numbers.push([names.lossScale, this.#lossScale.factor]);
    return numbers;
  }

  /**
   * Finds the step and the operation where numbers first stopped being finite, and says so.
   *
   * @param broken what has been noticed
   */
  async #blame(broken: string): Promise<never> {
    const { executions, model } = this.#parts;
    const lossOf = ({ execution }: TakenStep): number => execution.output(names.loss)[0];
    const step = executions.safekeeping.rewind((taken) => !Number.isFinite(lossOf(taken)));
    if (step === null) throw new Error("internal: a step that was not finite is finite when it is taken again");
    this.#progress.advance(step.number, "looking for the first number that is not finite");
    const found = describeFirstNonFinite(await findFirstNonFinite(step.execution));
    this.#stepLosses = this.#stepLosses.slice(0, step.number - 1);
    throw new Error(
      `fit: ${broken} (epoch ${step.epoch}, step ${step.number}, ${model.name}): ${found}; lower the rate or check the data. The weights are those before that step`,
    );
  }

  async #endEpoch(): Promise<void> {
    const { epochs, validation, earlyStopping } = this.#options;
    const epoch = this.#epoch;
    const checked = validation === undefined ? undefined : await evaluate(this.#parts, validation);
    const record: EpochRecord = {
      epoch,
      loss: this.#total / this.#done,
      ...(checked === undefined ? {} : { validationLoss: checked.loss }),
      ...(checked?.error === undefined ? {} : { validationError: checked.error }),
      seconds: this.#seconds,
    };
    this.#records.push(record);
    this.#samplesPerEpoch = this.#batches.samplesPerEpoch;
    this.#before += this.#done;
    this.#epoch++;
    [this.#done, this.#total, this.#seconds] = [0, 0, 0];
    if (earlyStopping !== undefined && earlyStopping.restoreBest !== false && this.#patience().bestEpoch === epoch) {
      this.#best = new Map([...this.#parts.executions.weights()].map(([name, data]) => [name, data.slice()]));
    }
    this.#progress.advance(this.#stepLosses.length, `epoch ${epoch}/${epochs} · ${describeEpoch(record)}`);
  }

  #patience(): Patience {
    const { earlyStopping, validation } = this.#options;
    if (earlyStopping === undefined) throw new Error("internal: there is no rule of early stopping");
    return patienceAfter(earlyStopping, this.#records, validation !== undefined);
  }

  /** Whether early stopping says that it is enough. */
  get #isEnough(): boolean {
    const { earlyStopping } = this.#options;
    return earlyStopping !== undefined && this.#records.length > 0 && this.#patience().waited >= earlyStopping.patience;
  }

  /** What must be the same for a checkpoint to be this run's. */
  get #identity(): Identity {
    const { model, loss, optimizer, batch, dtype, lossScaling } = this.#parts;
    const { seed, shuffle = true, samplesPerEpoch = null } = this.#options;
    return {
      model: model.name,
      parameters: model.parameterCount,
      loss: loss.name,
      optimizer: optimizer.name,
      batch,
      dtype,
      lossScaling: lossScaling !== null,
      data: this.#batches.name,
      seed,
      shuffle,
      samplesPerEpoch,
    };
  }

  async #save(): Promise<void> {
    const { checkpoint } = this.#options;
    if (checkpoint === undefined) return;
    const state: FitState = {
      epoch: this.#epoch,
      done: this.#done,
      before: this.#before,
      total: this.#total,
      seconds: this.#seconds,
      samplesPerEpoch: this.#samplesPerEpoch,
      records: this.#records,
      stepLosses: this.#stepLosses,
      lossScale: this.#lossScale?.state ?? null,
      weights: this.#parts.executions.weights(),
      best: this.#best,
    };
    await writeCheckpoint(checkpoint.file, this.#identity, state);
  }

  async #resume(file: string): Promise<void> {
    const { executions } = this.#parts;
    const state = await readCheckpoint(file, this.#identity, executions.weights());
    if (state === null) return;
    executions.setWeights(state.weights);
    this.#epoch = state.epoch;
    this.#done = state.done;
    this.#before = state.before;
    this.#total = state.total;
    this.#seconds = state.seconds;
    this.#samplesPerEpoch = state.samplesPerEpoch;
    this.#records = [...state.records];
    this.#stepLosses = [...state.stepLosses];
    this.#best = state.best;
    if (this.#lossScale !== null && state.lossScale !== null) this.#lossScale.state = state.lossScale;
  }
}
