import type { Value } from "../../ir/index.ts";
import { type Buffer, buffersOf, type Nest, workOf } from "../../loops/index.ts";
import { bytesOf } from "../../tensor/index.ts";
import { allocatedBytes, type CompiledProgram } from "../program.ts";
import { barrierFunction, headerBytes } from "./barrier.ts";
import type { Features } from "./emit-expression.ts";
import { emitNest, type Split } from "./emit-nest.ts";
import { FunctionBuilder } from "./function-builder.ts";
import { kernelOf } from "./kernels.ts";
import { encodeModule, type ModuleFunction, pageBytes } from "./module.ts";

/** What 32-bit addresses reach. */
const mostPages = 65536;

/** A program as WebAssembly. */
export interface EmittedProgram {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Size of the memory that the module imports, in pages of 64 KiB. */
  readonly pages: number;
  /** Threads that have something to do: 1 where no nest is worth sharing. */
  readonly threads: number;
  /** The nests' work (see `workOf`) in one run. */
  readonly work: number;
  /** The nests in order: the step that each is of, by position, and its name. */
  readonly nests: readonly { readonly step: number; readonly name: string }[];
}

/** Work (see `workOf`) below which other threads are not worth waiting for: about a microsecond's. */
const workWorthSharing = 8192;

interface Range {
  readonly start: number;
  readonly end: number;
}

/** A nest with the bytes that it touches. */
interface Placed {
  readonly nest: Nest;
  readonly step: number;
  readonly work: number;
  readonly addressOf: (buffer: Buffer) => number;
  readonly split: Split | null;
  readonly reads: readonly Range[];
  readonly writes: readonly Range[];
}

/**
 * Turns the steps of a program into one module: a function for each nest, and `run(thread)`, which calls them in order
 * with barriers wherever a nest touches bytes that another thread may just be writing or still be reading.
 *
 * @param apart whether each nest's function is exported as well, as `nest0`, `nest1` and so on, to be timed
 */
export function emitProgram(
  program: CompiledProgram,
  threads: number,
  features: Features,
  apart = false,
): EmittedProgram {
  const pages = Math.max(1, Math.ceil((headerBytes + allocatedBytes(program)) / pageBytes));
  if (pages > mostPages) {
    throw new Error(
      `wasm engine: the arena must be smaller than 4 GiB, got ${allocatedBytes(program)} bytes (${program.schedule.graph.name}); make the batch smaller, or use the reference engine`,
    );
  }
  const placed = placeNests(program, threads);
  const used = placed.some(({ split }) => split !== null) ? threads : 1;
  const functions: ModuleFunction[] = placed.map(({ nest, addressOf, split }, index) => {
    const builder = new FunctionBuilder(1);
    emitNest(nest, builder, features, addressOf, split);
    return apart ? { builder, name: `nest${index}` } : { builder };
  });
  const run = new FunctionBuilder(1);
  if (used === 1) {
    for (const index of placed.keys()) run.get(0).call(index);
  } else {
    callInStep(run, placed, functions.length);
    functions.push({ builder: barrierFunction(used) });
  }
  functions.push({ builder: run, name: "run" });
  const nests = placed.map(({ nest, step }) => ({ step, name: nest.name }));
  const work = placed.reduce((sum, nest) => sum + nest.work, 0);
  return { bytes: encodeModule({ pages, shared: used > 1 }, functions), pages, threads: used, work, nests };
}

/** Calls each nest's function in turn, on all threads or on thread 0, and the barrier where one must wait. */
function callInStep(run: FunctionBuilder, placed: readonly Placed[], barrier: number): void {
  let sinceBarrier: Placed[] = [];
  for (const [index, nest] of placed.entries()) {
    if (sinceBarrier.some((earlier) => mustWait(earlier, nest))) {
      run.call(barrier);
      sinceBarrier = [];
    }
    sinceBarrier.push(nest);
    const call = (): void => void run.get(0).call(index);
    if (nest.split === null) run.get(0).op("i32.eqz").when(call);
    else call();
  }
  // Thread 0 returns to a caller who expects that all is done.
  if (sinceBarrier.some(({ split }) => split !== null)) run.call(barrier);
}

function placeNests(program: CompiledProgram, threads: number): Placed[] {
  const sizes = new Map<number, number>();
  const { graph } = program.schedule;
  const note = ({ id, type }: Value): void => void sizes.set(id, bytesOf(type));
  for (const { value } of graph.inputs) note(value);
  for (const { outputs } of graph.operations) outputs.forEach(note);

  const placed: Placed[] = [];
  for (const [position, step] of program.steps.entries()) {
    const kernel = kernelOf(step);
    const addressOf = (buffer: Buffer): number => {
      const offset =
        buffer.kind === "value" ? program.offsets.get(buffer.id) : program.scratchOffsets[position][buffer.index];
      if (offset === undefined) {
        const what = buffer.kind === "value" ? `%${buffer.id}` : `scratch ${buffer.index}`;
        throw new Error(`internal: ${what} of ${step.name} has no place in the arena`);
      }
      return headerBytes + offset;
    };
    const rangeOf = (buffer: Buffer): Range => {
      const start = addressOf(buffer);
      const size = buffer.kind === "value" ? sizes.get(buffer.id) : step.scratchBytes[buffer.index];
      return { start, end: start + (size as number) };
    };
    for (const nest of kernel.nests) {
      const { read, written } = buffersOf(nest);
      const work = workOf(nest);
      placed.push({
        nest,
        step: position,
        work,
        addressOf,
        split: work < workWorthSharing ? null : chooseSplit(nest, threads),
        reads: read.map(rangeOf),
        writes: written.map(rangeOf),
      });
    }
  }
  return placed;
}

/** The loop that is cut among threads: the one that can be cut most evenly, and outside rather than inside. */
function chooseSplit(nest: Nest, threads: number): Split | null {
  if (threads === 1) return null;
  let best: { depth: number; balance: number } | null = null;
  for (const [depth, { axis, tile, parallel }] of nest.loops.entries()) {
    const tiles = Math.ceil(axis.extent / tile);
    if (!parallel || tiles < 2) continue;
    const balance = tiles / (Math.ceil(tiles / threads) * threads);
    if (best === null || balance > best.balance) best = { depth, balance };
  }
  return best === null ? null : { depth: best.depth, threads, thread: 0 };
}

/** Whether a nest touches what an earlier one touches, at least one of them writing, and perhaps on another thread. */
function mustWait(earlier: Placed, later: Placed): boolean {
  if (earlier.split === null && later.split === null) return false;
  return (
    overlap(earlier.writes, later.reads) ||
    overlap(earlier.writes, later.writes) ||
    overlap(earlier.reads, later.writes)
  );
}

function overlap(a: readonly Range[], b: readonly Range[]): boolean {
  return a.some((one) => b.some((other) => one.start < other.end && other.start < one.end));
}
