import { type Dataset, sampleCount } from "../formats/index.ts";
import { type Batches, datasetBatches, type SampleStream, StreamBatches } from "./batches.ts";
import { checkEarlyStopping } from "./early-stopping.ts";
import { checkDataset } from "./feed.ts";
import type { FitOptions } from "./fit-options.ts";
import { FitRun } from "./fit-run.ts";
import type { TrainingHistory } from "./history.ts";
import type { ProgramParts } from "./parts.ts";

/**
 * Trains a program; see `Program.fit`.
 *
 * @param remember is given the history after every epoch and before every error
 */
export async function fit(
  parts: ProgramParts,
  data: Dataset | SampleStream,
  options: FitOptions,
  remember: (history: TrainingHistory) => void,
): Promise<TrainingHistory> {
  const { epochs = 1, validation, earlyStopping, checkpoint } = options;
  checkCount("epochs", epochs, "give { epochs: 5 }");
  if (checkpoint?.every !== undefined) checkCount("checkpoint.every", checkpoint.every, "give steps such as 500");
  if (validation !== undefined) checkDataset("fit (validation)", validation, parts.model, parts.loss);
  if (earlyStopping !== undefined) {
    const answers = parts.loss.classes ? "classes" : "values";
    checkEarlyStopping(earlyStopping, validation === undefined ? "no" : answers);
  }
  const batches = chooseBatches(parts, data, options);
  // An earlier run may have been cut off: its last step is undone, and its steps are none of ours.
  const { safekeeping } = parts.executions;
  safekeeping.recover();
  safekeeping.forget();
  const run = new FitRun(parts, batches, { ...options, epochs, seed: options.seed ?? parts.model.seed });
  try {
    await run.train(remember);
    return run.history();
  } finally {
    safekeeping.forget();
    await batches.close();
  }
}

function chooseBatches(parts: ProgramParts, data: Dataset | SampleStream, options: FitOptions): Batches {
  const { model, loss, batch } = parts;
  const { seed = model.seed, shuffle = true, samplesPerEpoch } = options;
  if (samplesPerEpoch !== undefined) checkCount("samplesPerEpoch", samplesPerEpoch, "leave it out or give a number");
  if (!isDataset(data))
    return new StreamBatches(data, { model, loss, batch, samplesPerEpoch: samplesPerEpoch ?? null });
  checkDataset("fit", data, model, loss);
  const count = sampleCount(data);
  if (samplesPerEpoch !== undefined) {
    throw new Error(
      `fit: samplesPerEpoch is for streams, got ${samplesPerEpoch} with a data set (${data.name}); cut it with sliceDataset`,
    );
  }
  if (batch > count) {
    throw new Error(
      `fit: a batch must not be larger than the data set, got ${batch} and ${count} samples (in ${data.name}); compile with { batch: ${count} } or less`,
    );
  }
  return datasetBatches(data, batch, { seed, shuffle });
}

function isDataset(data: Dataset | SampleStream): data is Dataset {
  return (data as Partial<Dataset> | null)?.kind === "dataset";
}

function checkCount(name: string, value: number, remedy: string): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`fit: ${name} must be a whole number ≥ 1, got ${value}; ${remedy}`);
  }
}
