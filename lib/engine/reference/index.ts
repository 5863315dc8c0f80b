import { isSharedView, type Schedule } from "../../compiler/index.ts";
import { operatorTable } from "../../ops/index.ts";
import { type DataOf, elementCount, type HostTensor, viewOf } from "../../tensor/index.ts";
import { expandBytes, floatsOf } from "../byte-inputs.ts";
import type { Engine, Execution } from "../engine.ts";
import { findInput, findOutput } from "../names.ts";
import { planProgram } from "../plan.ts";
import { allocatedBytes, type CompiledProgram, type Step } from "../program.ts";

/** One step an operation, except views, of which the bytes are there already. */
function singleSteps(schedule: Schedule): Step[] {
  return schedule.graph.operations
    .filter((operation) => !isSharedView(schedule, operation))
    .map((operation) => ({
      name: operation.operator,
      phase: operation.phase,
      layer: operation.layer,
      operations: [operation],
      reads: operation.inputs,
      writes: operation.outputs,
      scratchBytes: [],
    }));
}

class ReferenceExecution implements Execution {
  readonly program: CompiledProgram;
  readonly #arena: ArrayBuffer;
  readonly #views = new Map<number, HostTensor>();
  readonly #calls: readonly (() => void)[];

  constructor(program: CompiledProgram) {
    this.program = program;
    this.#arena = new ArrayBuffer(allocatedBytes(program));
    const { graph } = program.schedule;
    for (const { value } of [
      ...graph.inputs,
      ...graph.operations.flatMap((o) => o.outputs.map((value) => ({ value }))),
    ]) {
      const offset = program.offsets.get(value.id);
      if (offset === undefined) continue;
      const data = viewOf(value.type.dtype, this.#arena, offset, elementCount(value.type.shape));
      this.#views.set(value.id, { ...value.type, data });
    }
    this.#calls = program.steps.map(({ operations: [{ operator, inputs, outputs, attributes }] }) => {
      const { compute } = operatorTable[operator as keyof typeof operatorTable];
      const from = inputs.map((value) => this.#view(value.id));
      const to = outputs.map((value) => this.#view(value.id));
      return () => compute(from, to, attributes);
    });
  }

  input(name: string): DataOf {
    return this.#view(findInput(this.program, name).value.id).data;
  }

  inputBytes(name: string, scale: number, fill: (bytes: Uint8Array) => void): void {
    const numbers = floatsOf(this.program, name, this.input(name));
    const bytes = new Uint8Array(numbers.length);
    fill(bytes);
    expandBytes(bytes, scale, numbers);
  }

  output(name: string): DataOf {
    return this.#view(findOutput(this.program, name).value.id).data;
  }

  run(): void {
    for (const call of this.#calls) call();
  }

  dispose(): void {
    this.#views.clear();
  }

  #view(id: number): HostTensor {
    const view = this.#views.get(id);
    if (view === undefined) throw new Error(`internal: %${id} has no place in the arena`);
    return view;
  }
}

/** The oracle: each operation as its declaration defines it, in plain TypeScript, any dtype, one thread. */
export function referenceEngine(): Engine {
  return {
    name: "reference",
    compile: (schedule) => planProgram(schedule, singleSteps(schedule)),
    load: (program) => new ReferenceExecution(program),
  };
}
