import type { Dataset } from "../formats/index.ts";
import { sampleCount } from "../formats/index.ts";
import type { Loss, Model } from "../nn/index.ts";
import { type DataOf, formatShape, formatType } from "../tensor/index.ts";

/**
 * Checks that a data set fits a model and its loss, before anything is trained on it.
 *
 * @param subject who asks, such as `fit`
 * @throws Error naming the data set, what does not fit, and the first bad sample
 */
export function checkDataset(subject: string, dataset: Dataset, model: Model, loss: Loss): void {
  const fail = (rule: string, got: string, remedy: string): never => {
    throw new Error(`${subject}: ${rule}, got ${got} (in ${dataset.name}); ${remedy}`);
  };
  const { inputs, targets } = dataset;
  const count = sampleCount(dataset);
  if (count === 0) fail("there must be at least one sample", "an empty data set", "check the file or the range");
  const sample = formatShape(inputs.shape.slice(1));
  if (sample !== formatShape(model.input)) {
    fail(
      "samples must have the model's input shape",
      `${sample} for ${formatShape(model.input)}`,
      "reshape the data or change { input }",
    );
  }
  const type = loss.target(count, model.output);
  if (formatType(targets) !== formatType(type)) {
    const hint = loss.classes ? "give one class number per sample" : "give values, or use a loss for classes";
    fail(`targets must be ${formatType(type)} for ${loss.name}`, formatType(targets), hint);
  }
  if (inputs.dtype === "float32") checkFinite("inputs", inputs.data, inputs.data.length / count, fail);
  if (targets.dtype === "float32") checkFinite("targets", targets.data, targets.data.length / count, fail);
  else {
    const classes = model.output[0];
    const bad = targets.data.findIndex((label) => label < 0 || label >= classes);
    if (bad >= 0) {
      fail(
        `labels must be from 0 to ${classes - 1}`,
        `${targets.data[bad]} at sample ${bad}`,
        "correct it, or give the model more outputs",
      );
    }
  }
}

function checkFinite(
  what: string,
  data: DataOf,
  perSample: number,
  fail: (rule: string, got: string, remedy: string) => never,
): void {
  const bad = (data as Float32Array).findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const place = `sample ${Math.floor(bad / perSample)}, element ${bad % perSample}`;
    fail(`${what} must be finite numbers`, `${data[bad]} at ${place}`, "drop or repair such samples");
  }
}

/** Copies chosen samples into the places where a program takes its batch. */
export class Feed {
  readonly #dataset: Dataset;
  readonly #sampleSize: number;
  readonly #targetSize: number;
  /** What each byte becomes, for data sets of bytes. */
  readonly #table: Float32Array | null;

  constructor(dataset: Dataset) {
    this.#dataset = dataset;
    const count = sampleCount(dataset);
    this.#sampleSize = dataset.inputs.data.length / count;
    this.#targetSize = dataset.targets.data.length / count;
    const bytes = dataset.inputs.dtype === "uint8";
    this.#table = bytes ? Float32Array.from({ length: 256 }, (_, byte) => byte * dataset.scale) : null;
  }

  /**
   * Fills a batch with the samples `order[from] … order[from + count − 1]`; positions past the end of `order` are
   * filled with its last sample.
   */
  fill(order: Uint32Array, from: number, count: number, input: DataOf, target: DataOf): void {
    const { inputs, targets, scale } = this.#dataset;
    const size = this.#sampleSize;
    for (let row = 0; row < count; row++) {
      const sample = order[Math.min(from + row, order.length - 1)];
      const start = sample * size;
      if (this.#table !== null) {
        for (let i = 0, to = row * size; i < size; i++) input[to++] = this.#table[inputs.data[start + i]];
      } else if (scale === 1) {
        input.set(inputs.data.subarray(start, start + size), row * size);
      } else {
        for (let i = 0, to = row * size; i < size; i++) input[to++] = inputs.data[start + i] * scale;
      }
      if (this.#targetSize === 1) target[row] = targets.data[sample];
      else {
        const at = sample * this.#targetSize;
        target.set(targets.data.subarray(at, at + this.#targetSize), row * this.#targetSize);
      }
    }
  }
}
