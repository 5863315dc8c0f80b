import type { Schedule } from "../../compiler/index.ts";
import type { Value } from "../../ir/index.ts";
import { fuse, productVariants, separate, standardProducts } from "../../loops/index.ts";
import { type DataOf, elementCount, formatType, viewOf } from "../../tensor/index.ts";
import { floatsOf } from "../byte-inputs.ts";
import type { Engine, Execution } from "../engine.ts";
import { findInput, findOutput } from "../names.ts";
import { planProgram } from "../plan.ts";
import type { CompiledProgram } from "../program.ts";
import { headerBytes } from "./barrier.ts";
import { ByteExpander } from "./byte-expander.ts";
import { compileModule } from "./compile-module.ts";
import { emitProgram } from "./emit-program.ts";
import { detectFeatures } from "./features.ts";
import { type KernelStep, kernelOf } from "./kernels.ts";
import { startNodeThread } from "./node-threads.ts";
import { ThreadPool } from "./pool.ts";
import { forceVariant, tuneSteps } from "./tuning.ts";
import { startWebThread, webThreadsAllowed } from "./web-threads.ts";

/** Settings of the WebAssembly engine. */
interface WasmEngineOptions {
  /**
   * Threads that share the work of each step, the calling one included; 1 unless told otherwise, and in a browser
   * wherever it allows no more: see `webThreadsAllowed`.
   */
  readonly threads?: number;
  /** Whether operations are fused into common steps; true unless told otherwise. */
  readonly fused?: boolean;
  /**
   * How sums of products are tiled, which changes no bit of any result: `standard` unless told otherwise, by a simple
   * account; `timed` for what is quickest on this machine, by timing for at most about 50 ms a program and remembering;
   * or the name of one of `productVariants`.
   */
  readonly tiles?: string;
}

/** A program's code at work. */
interface Running {
  readonly run: () => void;
  /** Waits until nobody writes to the arena, should an interruption have left a run. */
  readonly settle: () => void;
  /** Gives back what it holds. */
  readonly release: () => void;
}

const inNode = globalThis.process?.versions?.node !== undefined;

/** One pool for each number of threads, shared by all programs; it ends with the last of them. */
const pools = new Map<number, ThreadPool>();

/** Gives back what executions hold that nobody disposed of. */
const forgotten = new FinalizationRegistry((release: () => void) => release());

class WasmExecution implements Execution {
  readonly program: CompiledProgram;
  readonly #views = new Map<number, DataOf>();
  /** Where bytes for an input are put: the last quarter of its place. */
  readonly #bytes = new Map<Float32Array, Uint8Array>();
  readonly #expander: ByteExpander;
  #running: Running | null;

  constructor(program: CompiledProgram, memory: WebAssembly.Memory, expander: ByteExpander, running: Running) {
    this.program = program;
    this.#expander = expander;
    this.#running = running;
    forgotten.register(this, running.release, this);
    const { inputs, outputs } = program.schedule.graph;
    for (const { value } of [...inputs, ...outputs]) {
      const offset = program.offsets.get(value.id);
      if (offset === undefined) throw new Error(`internal: %${value.id} has no place in the arena`);
      const { dtype, shape } = value.type;
      this.#views.set(value.id, viewOf(dtype, memory.buffer, headerBytes + offset, elementCount(shape)));
    }
  }

  input(name: string): DataOf {
    this.#running?.settle();
    return this.#view(findInput(this.program, name).value.id);
  }

  inputBytes(name: string, scale: number, fill: (bytes: Uint8Array) => void): void {
    const numbers = floatsOf(this.program, name, this.input(name)) as Float32Array;
    let bytes = this.#bytes.get(numbers);
    if (bytes === undefined) {
      const { buffer, byteOffset, length } = numbers;
      this.#bytes.set(numbers, (bytes = new Uint8Array(buffer, byteOffset + 3 * length, length)));
    }
    fill(bytes);
    this.#expander.expand(bytes, scale, numbers);
  }

  output(name: string): DataOf {
    this.#running?.settle();
    return this.#view(findOutput(this.program, name).value.id);
  }

  run(): void {
    if (this.#running === null) throw disposed();
    this.#running.run();
  }

  dispose(): void {
    forgotten.unregister(this);
    this.#views.clear();
    this.#bytes.clear();
    this.#running?.release();
    this.#running = null;
  }

  #view(id: number): DataOf {
    const view = this.#views.get(id);
    if (view === undefined) throw disposed();
    return view;
  }
}

function disposed(): Error {
  return new Error("wasm engine: an execution must not be used once disposed, got a call; load the program again");
}

function loadAlone(module: WebAssembly.Module, memory: WebAssembly.Memory): Running {
  const run = new WebAssembly.Instance(module, { host: { memory } }).exports.run as (thread: number) => void;
  return { run: () => run(0), settle: () => {}, release: () => {} };
}

async function loadShared(module: WebAssembly.Module, memory: WebAssembly.Memory, threads: number): Promise<Running> {
  const known = pools.get(threads);
  const pool =
    known === undefined || known.isBroken ? new ThreadPool(threads, inNode ? startNodeThread : startWebThread) : known;
  pools.set(threads, pool);
  const drop = (): void => {
    if (pools.get(threads) === pool) pools.delete(threads);
    pool.close();
  };
  try {
    const program = await pool.load(module, memory);
    return {
      run: () => pool.run(program),
      settle: () => pool.settle(),
      release: () => {
        pool.unload(program);
        if (!pool.isUsed) drop();
      },
    };
  } catch (error) {
    // Whoever tries again should not meet the same dead threads.
    drop();
    throw error;
  }
}

/**
 * Executes programs as generated WebAssembly: float32 with int32 labels, four lanes at a time, in one arena. Every
 * element is computed by one thread in one order, so that results do not depend on the number of threads.
 *
 * @throws Error (on compile) if a tensor has a dtype other than float32 and int32
 */
export function wasmEngine({ threads = 1, fused = true, tiles = "standard" }: WasmEngineOptions = {}): Engine {
  if (!Number.isInteger(threads) || threads < 1) {
    throw new Error(`wasm engine: threads must be a whole number ≥ 1, got ${threads}; give { threads: 2 }`);
  }
  const chooseTiles = tilesChooser(tiles);
  const allowed = inNode || webThreadsAllowed() ? threads : 1;
  return {
    name: "wasm",
    compile(schedule) {
      checkDtypes(schedule);
      const groups = fused ? fuse(schedule) : separate(schedule);
      const chosen = chooseTiles(groups);
      const steps = groups.map((step) => ({
        ...step,
        ...(chosen.has(step) ? { tiles: chosen.get(step) } : {}),
        scratchBytes: kernelOf(step).scratch.map(({ bytes, perThread }) => (perThread ? allowed * bytes : bytes)),
      }));
      return planProgram(schedule, steps);
    },
    load(program) {
      const emitted = emitProgram(program, allowed, detectFeatures());
      const module = compileModule(emitted);
      const { pages } = emitted;
      if (emitted.threads === 1) {
        const memory = new WebAssembly.Memory({ initial: pages });
        return new WasmExecution(program, memory, new ByteExpander(memory, pages, false), loadAlone(module, memory));
      }
      const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
      const expander = new ByteExpander(memory, pages, true);
      return loadShared(module, memory, allowed).then(
        (running) => new WasmExecution(program, memory, expander, running),
      );
    },
  };
}

type ChooseTiles = (steps: readonly KernelStep[]) => ReadonlyMap<KernelStep, string>;

/** How steps' products come to be tiled; it returns the names of variants that are not the standard one. */
function tilesChooser(tiles: string): ChooseTiles {
  if (tiles === "timed") return (steps) => tuneSteps(steps, detectFeatures());
  const variant = productVariants.find(({ name }) => name === tiles);
  if (variant === undefined) {
    const names = productVariants.map(({ name }) => `"${name}"`).join(", ");
    throw new Error(`wasm engine: tiles must be known, got "${tiles}"; there are "timed" and ${names}`);
  }
  return variant === standardProducts ? () => new Map() : (steps) => forceVariant(steps, variant);
}

function checkDtypes({ graph }: Schedule): void {
  const check = ({ id, type }: Value, where: string): void => {
    if (type.dtype === "float32" || type.dtype === "int32") return;
    throw new Error(
      `wasm engine: tensors must be float32 or int32, got ${formatType(type)} (%${id}, ${where}); build the graph in float32 or use the reference engine`,
    );
  };
  for (const { value, name } of graph.inputs) check(value, `input "${name}"`);
  for (const { operator, outputs, layer } of graph.operations) {
    for (const output of outputs) check(output, layer === "" ? operator : `${operator} in layer ${layer}`);
  }
}
