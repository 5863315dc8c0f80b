import type { Execution } from "../engine/index.ts";
import { type Dataset, type Samples, sampleCount } from "../formats/index.ts";
import type { Loss, Model } from "../nn/index.ts";
import { allocate, elementCount, random } from "../tensor/index.ts";
import { checkSamples, Feed } from "./feed.ts";
import { names } from "./graphs.ts";

/** Streams of random numbers for shuffling begin here; below are those of the parameters. */
const shuffleStream = 2 ** 20;

/** A batch that can be put into a program's places as often as is asked. */
export interface Batch {
  readonly size: number;
  fill(execution: Execution): void;
}

/** Where batches come from, epoch by epoch. */
export interface Batches {
  readonly name: string;
  /** Samples in an epoch; null while nobody knows. */
  readonly samplesPerEpoch: number | null;
  /**
   * Begins an epoch, without its first samples.
   *
   * @param epoch from 1
   * @param skip samples of this epoch that have been used already
   * @param before samples of all epochs before it
   */
  begin(epoch: number, skip: number, before: number): Promise<void>;
  /** The next batch; null at the end of the epoch. The last one may be smaller. */
  next(): Promise<Batch | null>;
  /** Says that no more will be asked for. */
  close(): Promise<void>;
}

/** Batches of a data set in memory, in an order that seed and epoch determine. */
export function datasetBatches(
  data: Dataset,
  batch: number,
  { seed, shuffle }: { seed: number; shuffle: boolean },
): Batches {
  const count = sampleCount(data);
  const feed = new Feed(data);
  let order: Uint32Array = new Uint32Array();
  let at = 0;
  return {
    name: data.name,
    samplesPerEpoch: count,
    async begin(epoch, skip) {
      order = shuffle
        ? random(seed, shuffleStream + epoch).permutation(count)
        : Uint32Array.from({ length: count }, (_, index) => index);
      at = skip;
    },
    async next() {
      if (at >= count) return null;
      const [from, own] = [at, order];
      const size = Math.min(batch, count - from);
      at += size;
      return { size, fill: (execution) => feed.fill(own, from, size, execution) };
    },
    async close() {},
  };
}

/** Samples that come piece by piece, of any size, for data that does not fit into memory. */
export type SampleIterable = Iterable<Samples> | AsyncIterable<Samples>;

/** A stream of samples: something to iterate over, or a function that gives it for an epoch (from 1). */
export type SampleStream = SampleIterable | ((epoch: number) => SampleIterable);

type SampleIterator = Iterator<Samples> | AsyncIterator<Samples>;

/** What the samples of a stream must fit. */
export interface StreamOptions {
  readonly model: Model;
  readonly loss: Loss;
  readonly batch: number;
  /** How many samples make an epoch; all that come unless told otherwise. */
  readonly samplesPerEpoch: number | null;
}

/** Cuts a stream of samples into batches, however large the pieces are in which they come. */
export class StreamBatches implements Batches {
  readonly name = "stream";
  readonly #stream: SampleStream;
  readonly #options: StreamOptions;
  readonly #inputSize: number;
  #samplesPerEpoch: number | null;
  #iterator: SampleIterator | null = null;
  /** The piece that is being used, and how many of its samples have been. */
  #piece: Samples | null = null;
  #used = 0;
  #epoch = 0;
  #taken = 0;

  constructor(stream: SampleStream, options: StreamOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#inputSize = elementCount(options.model.input);
    this.#samplesPerEpoch = options.samplesPerEpoch;
  }

  get samplesPerEpoch(): number | null {
    return this.#samplesPerEpoch;
  }

  async begin(epoch: number, skip: number, before: number): Promise<void> {
    const stream = this.#stream;
    const iterator = iterate(typeof stream === "function" ? stream(epoch) : stream);
    // Generator objects and the like go on where they were.
    const goesOn = iterator === this.#iterator;
    if (!goesOn) {
      await this.close();
      this.#iterator = iterator;
    }
    const isFirst = this.#epoch === 0;
    this.#epoch = epoch;
    this.#taken = 0;
    if (!isFirst) return;
    // Whoever takes up training again gives a new stream: what was used of it is left out.
    const isOnlyOne = typeof stream !== "function" && iterate(stream) === iterator;
    for (let missing = skip + (isOnlyOne ? before : 0); missing > 0; ) {
      const piece = await this.#available();
      if (piece === null) break;
      const count = Math.min(missing, piece.inputs.shape[0] - this.#used);
      this.#used += count;
      missing -= count;
    }
    this.#taken = skip;
  }

  async next(): Promise<Batch | null> {
    const { batch, model, loss } = this.#options;
    const limit = this.#options.samplesPerEpoch ?? Number.POSITIVE_INFINITY;
    const wanted = Math.min(batch, limit - this.#taken);
    const type = loss.target(Math.max(1, wanted), model.output);
    const targetSize = elementCount(type.shape.slice(1));
    const inputs = new Float32Array(wanted * this.#inputSize);
    const targets = allocate(type.dtype, wanted * targetSize);
    let size = 0;
    while (size < wanted) {
      const piece = await this.#available();
      if (piece === null) break;
      const count = Math.min(wanted - size, piece.inputs.shape[0] - this.#used);
      const { scale = 1 } = piece;
      const [from, to] = [this.#used * this.#inputSize, (this.#used + count) * this.#inputSize];
      const place = inputs.subarray(size * this.#inputSize);
      for (let i = from; i < to; i++) place[i - from] = piece.inputs.data[i] * scale;
      const answers = piece.targets.data.subarray(this.#used * targetSize, (this.#used + count) * targetSize);
      targets.set(answers as never, size * targetSize);
      this.#used += count;
      size += count;
    }
    this.#taken += size;
    if (size === 0) return this.#end();
    const given = inputs.subarray(0, size * this.#inputSize);
    const asked = targets.subarray(0, size * targetSize);
    return {
      size,
      fill(execution) {
        execution.input(names.input).set(given as never);
        execution.input(names.target).set(asked as never);
      },
    };
  }

  async close(): Promise<void> {
    const iterator = this.#iterator;
    this.#iterator = null;
    this.#piece = null;
    await iterator?.return?.();
  }

  #end(): null {
    if (this.#taken === 0) {
      throw new Error(
        `fit: a stream must give samples in every epoch, got none in epoch ${this.#epoch}; an iterator is used up once it has ended: give a function (epoch) => samples`,
      );
    }
    this.#samplesPerEpoch = this.#taken;
    return null;
  }

  /** The piece that still has samples; null at the stream's end. */
  async #available(): Promise<Samples | null> {
    while (this.#piece === null || this.#used === this.#piece.inputs.shape[0]) {
      const { value, done } = (await this.#iterator?.next()) ?? { value: undefined, done: true };
      if (done) return null;
      const piece = value as Samples;
      checkSamples(
        "fit",
        `a piece of the stream, epoch ${this.#epoch}`,
        piece,
        this.#options.model,
        this.#options.loss,
      );
      this.#piece = piece;
      this.#used = 0;
    }
    return this.#piece;
  }
}

function iterate(samples: SampleIterable): SampleIterator {
  const asynchronous = (samples as Partial<AsyncIterable<Samples>> | null)?.[Symbol.asyncIterator];
  if (asynchronous !== undefined) return asynchronous.call(samples);
  const synchronous = (samples as Partial<Iterable<Samples>> | null)?.[Symbol.iterator];
  if (synchronous !== undefined) return synchronous.call(samples);
  throw new Error(
    `fit: data must be a data set, an iterable of samples, or a function that gives one, got ${typeof samples}; write async function* () { yield { inputs, targets } }`,
  );
}
