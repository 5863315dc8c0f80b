import type { Schedule } from "../../compiler/index.ts";
import type { Value } from "../../ir/index.ts";
import { fuse, lowerGroup } from "../../loops/index.ts";
import { type DataOf, elementCount, formatType, viewOf } from "../../tensor/index.ts";
import type { Engine, Execution } from "../engine.ts";
import { findInput, findOutput } from "../names.ts";
import { planProgram } from "../plan.ts";
import type { CompiledProgram } from "../program.ts";
import { headerBytes } from "./barrier.ts";
import { emitProgram } from "./emit-program.ts";
import { detectFeatures } from "./features.ts";

/** Settings of the WebAssembly engine. */
export interface WasmEngineOptions {
  /** Threads that share the work of each step, the calling one included; 1 unless told otherwise. */
  readonly threads?: number;
}

class WasmExecution implements Execution {
  readonly program: CompiledProgram;
  readonly #run: (thread: number) => void;
  readonly #views = new Map<number, DataOf>();

  constructor(program: CompiledProgram, memory: WebAssembly.Memory, run: (thread: number) => void) {
    this.program = program;
    this.#run = run;
    const { inputs, outputs } = program.schedule.graph;
    for (const { value } of [...inputs, ...outputs]) {
      const offset = program.offsets.get(value.id);
      if (offset === undefined) throw new Error(`internal: %${value.id} has no place in the arena`);
      const { dtype, shape } = value.type;
      this.#views.set(value.id, viewOf(dtype, memory.buffer, headerBytes + offset, elementCount(shape)));
    }
  }

  input(name: string): DataOf {
    return this.#view(findInput(this.program, name).value.id);
  }

  output(name: string): DataOf {
    return this.#view(findOutput(this.program, name).value.id);
  }

  run(): void {
    this.#run(0);
  }

  dispose(): void {
    this.#views.clear();
  }

  #view(id: number): DataOf {
    const view = this.#views.get(id);
    if (view === undefined) throw new Error("wasm engine: an execution must not be used once disposed; load it again");
    return view;
  }
}

/**
 * Executes programs as generated WebAssembly: float32 with int32 labels, four lanes at a time, in one arena. Every
 * element is computed by one thread in one order, so that results do not depend on the number of threads.
 *
 * @throws Error (on compile) if a tensor has a dtype other than float32 and int32
 */
export function wasmEngine({ threads = 1 }: WasmEngineOptions = {}): Engine {
  if (!Number.isInteger(threads) || threads < 1) {
    throw new Error(`wasm engine: threads must be a whole number ≥ 1, got ${threads}; give { threads: 2 }`);
  }
  return {
    name: "wasm",
    compile(schedule) {
      checkDtypes(schedule);
      const steps = fuse(schedule).map((step) => ({ ...step, scratchBytes: lowerGroup(step).scratchBytes }));
      return planProgram(schedule, steps);
    },
    load(program) {
      const emitted = emitProgram(program, threads, detectFeatures());
      const memory = new WebAssembly.Memory({ initial: emitted.pages });
      const instance = new WebAssembly.Instance(new WebAssembly.Module(emitted.bytes), { host: { memory } });
      return new WasmExecution(program, memory, instance.exports.run as (thread: number) => void);
    },
  };
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
