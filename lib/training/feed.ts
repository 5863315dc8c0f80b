import type { Execution } from "../engine/index.ts";
import type { Dataset, Samples } from "../formats/index.ts";
import { sampleCount } from "../formats/index.ts";
import type { Loss, Model } from "../nn/index.ts";
import { type DataOf, formatShape, formatType } from "../tensor/index.ts";
import { names } from "./graphs.ts";

/**
 * Checks that a data set fits a model and its loss, before anything is trained on it.
 *
 * @param subject who asks, such as `fit`
 * @throws Error naming the data set, what does not fit, and the first bad sample
 */
export function checkDataset(subject: string, dataset: Dataset, model: Model, loss: Loss): void {
  checkSamples(subject, dataset.name, dataset, model, loss);
}

/**
 * Checks that samples fit a model and its loss.
 *
 * @param subject who asks, such as `fit`
 * @param name what errors call the samples
 * @throws Error naming the samples, what does not fit, and the first bad one
 */
export function checkSamples(subject: string, name: string, samples: Samples, model: Model, loss: Loss): void {
  const fail = (rule: string, got: string, remedy: string): never => {
    throw new Error(`${subject}: ${rule}, got ${got} (in ${name}); ${remedy}`);
  };
  const { inputs, targets } = samples;
  const count = inputs?.shape[0] ?? 0;
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
  else if (loss.classes) {
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
  readonly #inputSize: number;
  readonly #targetSize: number;
  /** What `touchRows` has added up: kept, so that nothing that optimises the code finds its reads useless. */
  #touched = 0;

  constructor(dataset: Dataset) {
    this.#dataset = dataset;
    const count = sampleCount(dataset);
    this.#inputSize = dataset.inputs.data.length / count;
    this.#targetSize = dataset.targets.data.length / count;
  }

  /**
   * Fills a batch with the samples `order[from] … order[from + count − 1]`; positions past the end of `order` are
   * filled with its last sample.
   */
  fill(order: Uint32Array, from: number, count: number, execution: Execution): void {
    const { inputs, targets, scale } = this.#dataset;
    const chosen = { order, from, count };
    const { data } = inputs;
    this.#touched += touchRows(data, this.#inputSize, chosen);
    if (data instanceof Uint8Array) {
      execution.inputBytes(names.input, scale, (bytes) => copyRows(data, this.#inputSize, chosen, bytes));
    } else {
      const into = execution.input(names.input);
      copyRows(data, this.#inputSize, chosen, into);
      if (scale !== 1) for (let i = 0; i < into.length; i++) into[i] *= scale;
    }
    copyRows(targets.data, this.#targetSize, chosen, execution.input(names.target));
  }
}

/** Which rows to copy: `count` of them, from place `from` of an order on. */
interface Chosen {
  readonly order: Uint32Array;
  readonly from: number;
  readonly count: number;
}

/** Rows shorter than this are copied element by element, which needs no view of each. */
const fewElements = 16;

/** Bytes that memory gives at a time. */
const lineBytes = 64;

/**
 * Reads one number of every cache line of the rows, four rows side by side, and returns their sum, which means nothing.
 * Shuffled rows lie anywhere in memory; copied one after another each would be waited for by itself, but reads that do
 * not depend on each other wait together. For 64 of MNIST's pictures that is 16 instead of 29 µs, this pass included
 * (Xeon of 2023).
 */
function touchRows(data: DataOf, size: number, { order, from, count }: Chosen): number {
  const step = lineBytes / data.BYTES_PER_ELEMENT;
  const end = Math.min(from + count, order.length) - 3;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let row = from; row < end; row += 4) {
    const first = order[row] * size;
    const second = order[row + 1] * size;
    const third = order[row + 2] * size;
    const fourth = order[row + 3] * size;
    for (let at = 0; at < size; at += step) {
      a += data[first + at];
      b += data[second + at];
      c += data[third + at];
      d += data[fourth + at];
    }
  }
  return a + b + c + d;
}

function copyRows(data: DataOf, size: number, { order, from, count }: Chosen, into: DataOf): void {
  const last = order.length - 1;
  for (let row = 0; row < count; row++) {
    const start = order[Math.min(from + row, last)] * size;
    if (size >= fewElements) into.set(data.subarray(start, start + size) as never, row * size);
    else for (let i = 0; i < size; i++) into[row * size + i] = data[start + i];
  }
}
