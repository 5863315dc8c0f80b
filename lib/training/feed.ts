import type { Dataset, Samples } from "../formats/index.ts";
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

/** Bytes of grey as numbers, for data sets that are in use; forgotten with the data set. */
const scaledInputs = new WeakMap<ArrayBufferView, { readonly scale: number; readonly numbers: Float32Array }>();

/** Larger data sets are converted batch by batch: as numbers these would take more than 256 MiB. */
const mostConverted = 2 ** 26;

/**
 * The inputs as the numbers that a network sees, converted once for as long as the data set is in use. Converting 64
 * pictures of MNIST takes about 120 µs, copying them 20 to 50 µs, beside a step of a small network of 400 µs (measured
 * with Node 20 on two cores of a server).
 */
function numbersOf({ inputs, scale }: Dataset): Float32Array | null {
  const { data } = inputs;
  if (data instanceof Float32Array && scale === 1) return data;
  if (data.length > mostConverted) return null;
  let known = scaledInputs.get(data);
  if (known?.scale !== scale) {
    const numbers = new Float32Array(data.length);
    for (let i = 0; i < numbers.length; i++) numbers[i] = data[i] * scale;
    known = { scale, numbers };
    scaledInputs.set(data, known);
  }
  return known.numbers;
}

/** Copies chosen samples into the places where a program takes its batch. */
export class Feed {
  readonly #dataset: Dataset;
  readonly #numbers: Float32Array | null;
  readonly #inputSize: number;
  readonly #targetSize: number;

  constructor(dataset: Dataset) {
    this.#dataset = dataset;
    this.#numbers = numbersOf(dataset);
    const count = sampleCount(dataset);
    this.#inputSize = dataset.inputs.data.length / count;
    this.#targetSize = dataset.targets.data.length / count;
  }

  /**
   * Fills a batch with the samples `order[from] … order[from + count − 1]`; positions past the end of `order` are
   * filled with its last sample.
   */
  fill(order: Uint32Array, from: number, count: number, input: DataOf, target: DataOf): void {
    const { inputs, targets, scale } = this.#dataset;
    for (let row = 0; row < count; row++) {
      const sample = order[Math.min(from + row, order.length - 1)];
      const start = sample * this.#inputSize;
      const at = row * this.#inputSize;
      if (this.#numbers !== null) input.set(this.#numbers.subarray(start, start + this.#inputSize) as never, at);
      else for (let i = 0; i < this.#inputSize; i++) input[at + i] = inputs.data[start + i] * scale;
      const first = sample * this.#targetSize;
      for (let i = 0; i < this.#targetSize; i++) target[row * this.#targetSize + i] = targets.data[first + i];
    }
  }
}
