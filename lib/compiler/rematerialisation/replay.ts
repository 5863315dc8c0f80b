import type { Operation, OperatorGraph, Value } from "../../ir/index.ts";
import type { Tape } from "./tape.ts";

/**
 * Executes a tape on paper: operations run in any order, values are forgotten, and whoever needs a forgotten value has
 * it made again from the nearest ones that are still there. What ran is an ordinary graph: a value that is made again is
 * a value of its own, so nothing is overwritten that somebody needs, and nothing with an effect (running statistics,
 * counters) has it twice, because effects are outputs and outputs come from the first run.
 */
export class Replay {
  readonly #tape: Tape;
  readonly #ran: Uint8Array;
  /** By value of the tape: what holds it now, or null where it was forgotten or not made yet. */
  readonly #current: (Value | null)[];
  readonly #operations: Operation[] = [];
  /** By value made again, less the number of values of the tape: the value of the tape that it is. */
  readonly #origins: number[] = [];
  #nextId: number;
  #extraFlops = 0;
  #recomputed = 0;

  /** @param given by value: what is there without having been made; the graph's inputs unless told */
  constructor(tape: Tape, given: readonly (Value | null)[] = inputsOf(tape)) {
    this.#tape = tape;
    this.#ran = new Uint8Array(tape.graph.operations.length);
    this.#nextId = tape.producer.length;
    this.#current = given.slice();
  }

  /** What ran so far, in order. */
  get operations(): readonly Operation[] {
    return this.#operations;
  }

  /** Arithmetic of what ran a second time or oftener. */
  get extraFlops(): number {
    return this.#extraFlops;
  }

  /** How many operations ran again. */
  get recomputed(): number {
    return this.#recomputed;
  }

  /** Runs an operation of the tape, and before it whatever makes an operand that is not there. */
  run(position: number): void {
    const operation = this.#tape.graph.operations[position];
    for (const { id } of operation.inputs) this.need(id);
    const inputs = operation.inputs.map(({ id }) => this.#current[id] as Value);
    const again = this.#ran[position] === 1;
    const outputs = operation.outputs.map((output): Value => {
      const value = again ? { id: this.#nextId++, type: output.type } : output;
      if (again) this.#origins.push(output.id);
      this.#current[output.id] = value;
      return value;
    });
    this.#ran[position] = 1;
    if (again) {
      this.#extraFlops += this.#tape.flops[position];
      this.#recomputed++;
      this.#operations.push({ ...operation, inputs, outputs, phase: "backward", recomputed: true });
    } else this.#operations.push({ ...operation, inputs, outputs });
  }

  /** Sees to it that a value is there. */
  need(id: number): void {
    if (this.#current[id] !== null) return;
    // A chain may be longer than the call stack is deep.
    const wanted = [id];
    while (wanted.length > 0) {
      const last = wanted[wanted.length - 1];
      const position = this.#tape.producer[last];
      if (position < 0) throw new Error(`internal: %${last} is neither given nor made`);
      const missing = this.#tape.graph.operations[position].inputs.filter((input) => this.#current[input.id] === null);
      if (missing.length > 0) {
        for (const input of [...missing].reverse()) wanted.push(input.id);
        continue;
      }
      wanted.pop();
      if (this.#current[last] === null) this.run(position);
    }
  }

  /** Whether a value is there. */
  has(id: number): boolean {
    return this.#current[id] !== null;
  }

  /** Lets values go, and with them the views of their bytes; what comes from outside stays. */
  forget(ids: Iterable<number>): void {
    const { root, views, producer } = this.#tape;
    for (const id of ids) {
      if (producer[root[id]] < 0) continue;
      this.#current[root[id]] = null;
      for (const view of views.get(root[id]) ?? []) this.#current[view] = null;
    }
  }

  /** Bytes of what was made here and is still to be read, during each operation that ran. Cost: linear. */
  liveBytes(): Float64Array {
    const { root, bytes } = this.#tape;
    const operations = this.#operations;
    const origin = (id: number): number => (id < root.length ? id : this.#origins[id - root.length]);
    // A view keeps alive the very version whose bytes it shows.
    const held = new Map<number, number>();
    const made = new Map<number, number>();
    const last = new Map<number, number>();
    for (const [position, { inputs, outputs }] of operations.entries()) {
      for (const { id } of inputs) {
        const version = held.get(id) ?? id;
        if (made.has(version)) last.set(version, position);
      }
      for (const { id } of outputs) {
        if (root[origin(id)] !== origin(id)) held.set(id, held.get(inputs[0].id) ?? inputs[0].id);
        else {
          made.set(id, position);
          last.set(id, position);
        }
      }
    }
    const live = new Float64Array(operations.length + 1);
    for (const [version, position] of made) {
      live[position] += bytes[origin(version)];
      live[(last.get(version) as number) + 1] -= bytes[origin(version)];
    }
    for (let position = 1; position < live.length; position++) live[position] += live[position - 1];
    return live.subarray(0, operations.length);
  }

  /** What ran, as a graph with the inputs and outputs of the tape's. */
  graph(): OperatorGraph {
    const { graph } = this.#tape;
    const missing = graph.operations.findIndex((_, position) => this.#ran[position] === 0);
    if (missing >= 0) throw new Error(`internal: operation ${missing} of ${graph.name} never ran`);
    // Outputs are those of the first run, which keeps the ids.
    return { ...graph, operations: [...this.#operations] };
  }
}

/** By value of a tape: itself where it comes from outside, null for all others. */
export function inputsOf({ graph, producer }: Tape): (Value | null)[] {
  const given = new Array<Value | null>(producer.length).fill(null);
  for (const { value } of graph.inputs) given[value.id] = value;
  return given;
}
