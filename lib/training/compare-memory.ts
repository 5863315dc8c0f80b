import {
  type Budget,
  type MemoryOption,
  microBatchesOf,
  rooflineSeconds,
  strategiesOf,
  strategyNames,
} from "../compiler/index.ts";
import { type Dataset, sliceDataset } from "../formats/index.ts";
import type { MemoryReport } from "../memory/index.ts";
import type { Loss, Model } from "../nn/index.ts";
import { crossEntropy } from "../nn/index.ts";
import { random, zeros } from "../tensor/index.ts";
import { type CompileOptions, compile } from "./compile.ts";
import { host, InterruptedError, interruptRequested, Pauses } from "./host.ts";
import type { Program } from "./program.ts";

/** What is compared, and on what. */
export interface CompareMemoryOptions extends Omit<CompileOptions, "memory"> {
  /** Strategies by the name to be shown; every one by name, micro-batches and combinations unless told. */
  readonly strategies?: Readonly<Record<string, MemoryOption>>;
  /** Also compared: whatever fits this budget with least work. */
  readonly budget?: Budget;
  /** Data to train on; numbers drawn at random unless told. */
  readonly data?: Dataset;
  /** Training steps with each strategy, for time and loss; 3 unless told, 0 to plan only. */
  readonly steps?: number;
  /** The largest batch is looked for that fits into so many bytes; what the first strategy takes unless told. */
  readonly fitBytes?: number;
  /** Makes the model of a depth; then the largest depth is looked for that fits into the same bytes, at the batch given. */
  readonly depth?: (depth: number) => Model;
}

/** One strategy's row in the comparison. */
export interface StrategyComparison {
  readonly name: string;
  readonly arenaBytes: number;
  /** What comes and goes: the arena without weights, states and hyperparameters. */
  readonly workingBytes: number;
  /** No placement of the same buffers is smaller. */
  readonly lowerBoundBytes: number;
  /** Arithmetic that is repeated, as a share of a step's. */
  readonly extraWork: number;
  /** Bytes of the host's memory that the strategy moves things to. */
  readonly hostBytes: number;
  /** Median milliseconds of a training step; null where none was executed. */
  readonly millisecondsPerStep: number | null;
  /**
   * What a step should take: as much longer or shorter than the first strategy's measured time as rooflines say of the two
   * schedules, on a device with memory of its own and a link to the host's (`rooflineSeconds`); null where the first
   * strategy was not executed.
   */
  readonly plannedMillisecondsPerStep: number | null;
  /** The largest difference from the first strategy's loss over all steps: 0 means the same bits. */
  readonly lossDifference: number | null;
  /** Samples in the largest batch that fits into the bytes that the report names. */
  readonly largestBatch: number;
  /** The largest depth that fits into those bytes; null where no models of several depths were given. */
  readonly largestDepth: number | null;
  readonly reason: string;
  readonly report: MemoryReport;
}

/** Memory strategies side by side on one network. */
export interface StrategiesReport {
  readonly kind: "memory-strategies";
  readonly title: string;
  readonly batch: number;
  readonly steps: number;
  /** Bytes that the largest batch had to fit. */
  readonly fitBytes: number;
  readonly rows: readonly StrategyComparison[];
}

/** Arenas above this are planned and not executed: one WebAssembly memory holds 4 GiB, and a notebook's machine less. */
const mostExecutedBytes = 2 ** 30;
let comparisons = 0;
/** Where the search for the largest depth begins. */
const firstDepth = 4;
/** Larger batches are not looked for. */
const mostSamples = 2 ** 20;

/**
 * Plans one training step with every memory strategy, trains a few steps with each from the same weights on the same
 * data, and looks for the largest batch that each fits into the same bytes.
 */
export async function compareMemory(model: Model, options: CompareMemoryOptions = {}): Promise<StrategiesReport> {
  const { strategies, budget, data, steps = 3, fitBytes: asked, depth, ...compileOptions } = options;
  const { batch = 64, loss = crossEntropy() } = compileOptions;
  const named: Record<string, MemoryOption> = { ...(strategies ?? allStrategies(model, batch)) };
  if (budget !== undefined) named[`budget ${budget}`] = { budget };
  const samples = steps === 0 ? null : takeSamples(model, loss, batch * steps, data);
  const rows: StrategyComparison[] = [];
  let fitBytes = asked;
  let expected: readonly number[] | undefined;
  /** Of the first strategy: milliseconds of a step, and its seconds by rooflines. */
  let first: { readonly milliseconds: number | null; readonly seconds: number } | undefined;
  const id = `compare-memory-${++comparisons}`;
  const report = (note: string, finished = false): void =>
    host().report({
      id,
      title: `comparing ${model.name}`,
      done: rows.length,
      total: Object.keys(named).length,
      note,
      finished,
    });
  const pauses = new Pauses();
  for (const [name, memory] of Object.entries(named)) {
    report(name);
    if (interruptRequested()) throw new InterruptedError(`${model.name}: interrupted before ${name}`);
    if (pauses.due()) await pauses.take();
    const program = compile(model, { ...compileOptions, memory });
    const { memory: planned } = program;
    fitBytes ??= planned.arenaBytes;
    const ran = samples !== null && planned.arenaBytes <= mostExecutedBytes ? await train(program, samples) : null;
    expected ??= ran?.losses;
    const seconds = rooflineSeconds(program.training.schedule.graph);
    first ??= { milliseconds: ran?.milliseconds ?? null, seconds };
    const limit = fitBytes;
    rows.push({
      name,
      arenaBytes: planned.arenaBytes,
      workingBytes: planned.arenaBytes - residentBytes(planned),
      lowerBoundBytes: planned.peak.bytes,
      extraWork: planned.strategy === undefined ? 0 : planned.strategy.extraFlops / planned.strategy.flops,
      hostBytes: planned.hostBytes ?? 0,
      millisecondsPerStep: ran?.milliseconds ?? null,
      plannedMillisecondsPerStep: first.milliseconds === null ? null : first.milliseconds * (seconds / first.seconds),
      lossDifference: ran === null || expected === undefined ? null : largestDifference(ran.losses, expected),
      largestBatch: largestBatch(batch, microBatchesOf(strategiesOf(memory)), limit, (size) =>
        size === batch
          ? planned.arenaBytes
          : compile(model, { ...compileOptions, batch: size, memory }).memory.arenaBytes,
      ),
      largestDepth:
        depth === undefined
          ? null
          : largestThatFits(
              (layers) => compile(depth(layers), { ...compileOptions, memory }).memory.arenaBytes,
              firstDepth,
              limit,
            ),
      reason: planned.strategy?.reason ?? "",
      report: planned,
    });
    program.dispose();
  }
  report("", true);
  const title = `Memory strategies: ${model.name}, batch ${batch}`;
  return { kind: "memory-strategies", title, batch, steps, fitBytes: fitBytes ?? 0, rows };
}

/**
 * The largest size, such as a batch or a depth, whose bytes are within a limit; 0 if none is. Bytes must grow with it.
 *
 * @param start where to begin to look
 */
export function largestThatFits(bytesOf: (size: number) => number, start: number, limitBytes: number): number {
  const fits = (size: number): boolean => {
    try {
      return bytesOf(size) <= limitBytes;
    } catch (error) {
      // A budget that nothing fits is an answer, too.
      if (error instanceof Error && error.message.startsWith("memory: the budget must hold")) return false;
      throw error;
    }
  };
  let low = fits(start) ? start : 0;
  let high = low === 0 ? start : start * 2;
  while (low > 0 && high <= mostSamples && fits(high)) [low, high] = [high, high * 2];
  // An answer to a hundredth is enough.
  while (high - low > Math.max(1, low / 100)) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** The largest batch whose bytes are within a limit, among multiples of the micro-batches. */
function largestBatch(start: number, pieces: number, limitBytes: number, bytesOf: (batch: number) => number): number {
  return pieces * largestThatFits((samples) => bytesOf(pieces * samples), start / pieces, limitBytes);
}

/** Every strategy by name, micro-batches, and combinations that are worth a look. */
function allStrategies(model: Model, batch: number): Readonly<Record<string, MemoryOption>> {
  // Without reversible blocks the strategy does nothing.
  const hasBlocks = model.layers.some(({ label }) => label === "reversible");
  const names = strategyNames.filter((name) => name !== "reversible" || hasBlocks);
  const micro = batch % 4 === 0 && batch > 4 ? ({ accumulate: 4 } as const) : null;
  return {
    ...Object.fromEntries(names.map((name) => [name, name])),
    "checkpoint, float16": ["checkpoint", "float16"],
    ...(micro === null ? {} : { "accumulate 4": micro, "accumulate 4, checkpoint": [micro, "checkpoint"] }),
  };
}

function residentBytes({ buffers }: MemoryReport): number {
  const resident = buffers.filter(({ category }) => category === "weights" || category === "optimizer");
  return resident.reduce((sum, { bytes }) => sum + bytes, 0);
}

async function train(
  program: Program,
  data: Dataset,
): Promise<{ readonly losses: readonly number[]; readonly milliseconds: number }> {
  const quietly = { shuffle: false, progress: false };
  // The first run loads code; it is not timed.
  const { stepLosses } = await program.fit(data, quietly);
  program.reset();
  const times: number[] = [];
  for (let from = 0; from < data.inputs.shape[0]; from += program.batch) {
    const before = performance.now();
    await program.fit(sliceDataset(data, from, from + program.batch), quietly);
    times.push(performance.now() - before);
  }
  return { losses: stepLosses, milliseconds: times.sort((a, b) => a - b)[times.length >> 1] };
}

function largestDifference(losses: readonly number[], expected: readonly number[]): number {
  return losses.reduce((most, loss, step) => Math.max(most, Math.abs(loss - expected[step])), 0);
}

/** The first samples of some data, or samples drawn by seed. */
function takeSamples(model: Model, loss: Loss, count: number, data: Dataset | undefined): Dataset {
  if (data !== undefined) return sliceDataset(data, 0, count);
  const { shape, dtype } = loss.target(count, model.output);
  const targets = zeros(shape, dtype as "int32");
  if (loss.classes)
    for (let index = 0; index < targets.data.length; index++) targets.data[index] = index % model.output[0];
  const inputs = random(model.seed, 2 ** 21).uniform([count, ...model.input]);
  return { kind: "dataset", name: "random numbers", inputs, scale: 1, targets, classes: [] };
}
