import type { Operation, OperatorGraph, Value } from "../../ir/index.ts";
import type { Tape } from "./tape.ts";

/** Nothing holds the value. */
const absent = -1;

/**
 * Executes a tape on paper: operations run in any order, values are forgotten, and whoever needs a forgotten value has
 * it made again from the nearest ones that are still there. What ran is an ordinary graph: a value that is made again is
 * a value of its own, so nothing is overwritten that somebody needs, and nothing with an effect (running statistics,
 * counters) has it twice, because effects are outputs and outputs come from the first run.
 */
export class Replay {
  readonly #tape: Tape;
  readonly #ran: Uint8Array;
  /** By value of the tape: what holds it now; a value that is made first keeps its id. */
  readonly #current: Int32Array;
  /** What ran: positions of operations, and one after the other what they read and made. */
  readonly #operations: number[] = [];
  readonly #read: number[] = [];
  readonly #made: number[] = [];
  /** By value made again, less the number of values of the tape: the value of the tape that it is. */
  readonly #origins: number[] = [];
  #extraFlops = 0;

  /** @param given by value: its id where it is there without having been made, else −1; the graph's inputs unless told */
  constructor(tape: Tape, given: Int32Array = inputsOf(tape)) {
    this.#tape = tape;
    this.#ran = new Uint8Array(tape.graph.operations.length);
    this.#current = given.slice();
  }

  /** How many operations ran so far. */
  get length(): number {
    return this.#operations.length;
  }

  /** Arithmetic of what ran a second time or oftener. */
  get extraFlops(): number {
    return this.#extraFlops;
  }

  /** How often each value was made again, by value of the tape. */
  get repeats(): ReadonlyMap<number, number> {
    const counts = new Map<number, number>();
    for (const id of this.#origins) counts.set(id, (counts.get(id) ?? 0) + 1);
    return counts;
  }

  /** Runs an operation of the tape, and before it whatever makes an operand that is not there. */
  run(position: number): void {
    const { inputs, outputs, producer, flops } = this.#tape;
    for (const id of inputs[position]) this.need(id);
    for (const id of inputs[position]) this.#read.push(this.#current[id]);
    const again = this.#ran[position] === 1;
    for (const id of outputs[position]) {
      const version = again ? producer.length + this.#origins.push(id) - 1 : id;
      this.#current[id] = version;
      this.#made.push(version);
    }
    this.#operations.push(position);
    this.#ran[position] = 1;
    if (again) this.#extraFlops += flops[position];
  }

  /** Sees to it that a value is there. */
  need(id: number): void {
    if (this.#current[id] !== absent) return;
    const { producer, inputs } = this.#tape;
    // A chain may be longer than the call stack is deep.
    const wanted = [id];
    while (wanted.length > 0) {
      const last = wanted[wanted.length - 1];
      const position = producer[last];
      if (position < 0) throw new Error(`internal: %${last} is neither given nor made`);
      const before = wanted.length;
      for (let index = inputs[position].length - 1; index >= 0; index--) {
        const input = inputs[position][index];
        if (this.#current[input] === absent) wanted.push(input);
      }
      if (wanted.length > before) continue;
      wanted.pop();
      if (this.#current[last] === absent) this.run(position);
    }
  }

  /** Lets values go, and with them the views of their bytes; what comes from outside stays, and so do pieces of it. */
  forget(ids: Iterable<number>): void {
    const { root, views, producer, pieces } = this.#tape;
    for (const id of ids) {
      if (producer[root[id]] < 0 || pieces.has(root[id])) continue;
      this.#current[root[id]] = absent;
      for (const view of views.get(root[id]) ?? []) this.#current[view] = absent;
    }
  }

  /**
   * Bytes of what was made here and is still to be read, during each operation that ran. Cost: linear.
   *
   * @param arriving roots that are given and counted, too: from a place to their last use
   */
  liveBytes(arriving: Iterable<number> = [], from = 0): Float64Array {
    const { bytes } = this.#tape;
    const { made, last } = this.#lifetimes();
    const live = new Float64Array(this.#operations.length + 1);
    for (const version of this.#made) {
      if (made[version] === absent) continue;
      const size = bytes[this.#valueOf(version)];
      live[made[version]] += size;
      live[last[version] + 1] -= size;
    }
    for (const id of arriving) {
      live[from] += bytes[id];
      live[Math.max(from, last[id]) + 1] -= bytes[id];
    }
    for (let place = 1; place < live.length; place++) live[place] += live[place - 1];
    return live.subarray(0, this.#operations.length);
  }

  /** Values of the tape that were made here and are alive during the operation that ran at a place. */
  aliveAt(place: number): ReadonlySet<number> {
    const { made, last } = this.#lifetimes();
    const alive = this.#made.filter((version) => {
      return made[version] !== absent && made[version] <= place && last[version] >= place;
    });
    return new Set(alive.map((version) => this.#valueOf(version)));
  }

  /** By what was made: where it was, −1 for views, and where it is read for the last time, itself or by a view. */
  #lifetimes(): { readonly made: Int32Array; readonly last: Int32Array } {
    const { root, inputs, outputs, producer } = this.#tape;
    const count = producer.length + this.#origins.length;
    // A view keeps alive the very version whose bytes it shows.
    const held = new Int32Array(count).fill(absent);
    const made = new Int32Array(count).fill(absent);
    const last = new Int32Array(count);
    let read = 0;
    let written = 0;
    for (const [place, position] of this.#operations.entries()) {
      const first = read;
      for (let index = 0; index < inputs[position].length; index++) {
        const version = this.#read[read++];
        last[held[version] === absent ? version : held[version]] = place;
      }
      for (const id of outputs[position]) {
        const version = this.#made[written++];
        if (root[id] !== id)
          held[version] = held[this.#read[first]] === absent ? this.#read[first] : held[this.#read[first]];
        else made[version] = last[version] = place;
      }
    }
    return { made, last };
  }

  #valueOf(version: number): number {
    const values = this.#tape.producer.length;
    return version < values ? version : this.#origins[version - values];
  }

  /** What ran, as a graph with the inputs and outputs of the tape's. */
  graph(): OperatorGraph {
    const { graph, producer } = this.#tape;
    const missing = this.#ran.indexOf(0);
    if (missing >= 0) throw new Error(`internal: operation ${missing} of ${graph.name} never ran`);
    const values: Value[] = [];
    for (const { value } of graph.inputs) values[value.id] = value;
    let read = 0;
    let written = 0;
    const operations = this.#operations.map((position): Operation => {
      const operation = graph.operations[position];
      const inputs = operation.inputs.map(() => values[this.#read[read++]]);
      let again = false;
      const outputs = operation.outputs.map((output): Value => {
        const id = this.#made[written++];
        again = id >= producer.length;
        values[id] = again ? { id, type: output.type } : output;
        return values[id];
      });
      const same = { ...operation, inputs, outputs };
      return again ? { ...same, phase: "backward", recomputed: true } : same;
    });
    // Outputs are those of the first run, which keeps the ids.
    return { ...graph, operations };
  }
}

/** By value of a tape: its id where it comes from outside, −1 for all others. */
export function inputsOf({ graph, producer }: Tape): Int32Array {
  const given = new Int32Array(producer.length).fill(absent);
  for (const { value } of graph.inputs) given[value.id] = value.id;
  return given;
}

/** By value of a tape: −1 for what some operations make, its id for all others. */
export function givenWithout({ outputs, producer }: Tape, positions: Iterable<number>): Int32Array {
  const given = Int32Array.from(producer, (_, id) => id);
  for (const position of positions) for (const id of outputs[position]) given[id] = absent;
  return given;
}
