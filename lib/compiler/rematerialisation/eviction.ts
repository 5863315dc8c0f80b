import { bytesOf } from "../../tensor/index.ts";
import { Replay } from "./replay.ts";
import type { Tape } from "./tape.ts";

/**
 * A cache of values run on paper, operation by operation as they come: whoever finds memory full drops the value of least
 * h = cost / (bytes · staleness), where the cost is its own operation's and that of everything dropped next to it which
 * would have to be made again with it (Kirisame et al. 2021, with the evicted neighbourhood e*). A value that no
 * operation of the step will read any more goes at once.
 */
export class Eviction {
  readonly replay: Replay;
  readonly #tape: Tape;
  readonly #limit: number;
  readonly #mostExtraFlops: number;
  /** By operation: what it costs to run again, in floating-point operations or elements, whichever are more. */
  readonly #cost: Float64Array;
  /** By root: the operation that makes it, and what its neighbours are, up and down. */
  readonly #parents: readonly (readonly number[])[];
  readonly #children: readonly number[][];
  readonly #resident = new Set<number>();
  /** By root: bytes that it takes; none for what replaces a weight or a state in its place. */
  readonly #size: Float64Array;
  readonly #evicted: Uint8Array;
  readonly #pins: Int32Array;
  readonly #usesLeft: Int32Array;
  readonly #lastUse: Float64Array;
  readonly #keeps: ReadonlySet<number>;
  #clock = 1;
  #bytes = 0;
  #peak = 0;
  #evictions = 0;

  /**
   * @param limitBytes of all values that are there at a time, but for what comes from outside; more where nothing can go
   * @param mostExtraFlops where to give up
   */
  constructor(tape: Tape, limitBytes: number, mostExtraFlops = Number.POSITIVE_INFINITY) {
    this.#tape = tape;
    this.#limit = limitBytes;
    this.#mostExtraFlops = mostExtraFlops;
    this.replay = new Replay(tape);
    const { graph, inputs, outputs, producer, root, flops } = tape;
    const count = producer.length;
    this.#cost = Float64Array.from(graph.operations, (operation, position) => {
      const elements = operation.outputs.reduce((sum, { type }) => sum + bytesOf(type) / 4, 0);
      return Math.max(flops[position], elements, 1);
    });
    this.#size = tape.bytes.slice();
    for (const { value, updates } of graph.outputs) if (updates !== null) this.#size[root[value.id]] = 0;
    this.#evicted = new Uint8Array(count);
    this.#pins = new Int32Array(count);
    this.#usesLeft = new Int32Array(count);
    this.#lastUse = new Float64Array(count);
    this.#keeps = new Set(graph.outputs.map(({ value }) => root[value.id]));
    const parents: number[][] = Array.from({ length: count }, () => []);
    this.#children = Array.from({ length: count }, () => []);
    for (const position of graph.operations.keys()) {
      const read = this.#rootsRead(position);
      for (const id of read) this.#usesLeft[id]++;
      for (const made of outputs[position]) {
        if (root[made] !== made) continue;
        for (const id of read) {
          parents[made].push(id);
          this.#children[id].push(made);
        }
      }
    }
    this.#parents = parents;
    for (const position of inputs.keys()) {
      this.#execute(position);
      if (this.isGivenUp) break;
      for (const id of this.#rootsRead(position)) {
        this.#usesLeft[id]--;
        this.#leaveIfDone(id);
      }
    }
  }

  /** Whether it stopped because too much was made again. */
  get isGivenUp(): boolean {
    return this.replay.extraFlops > this.#mostExtraFlops;
  }

  /** The most bytes that were there at a time. */
  get peakBytes(): number {
    return this.#peak;
  }

  /** How often a value was dropped that was needed again. */
  get evictions(): number {
    return this.#evictions;
  }

  /** The values, made here, whose bytes an operation reads. */
  #rootsRead(position: number): readonly number[] {
    const { inputs, root, producer } = this.#tape;
    return [...new Set(Array.from(inputs[position], (id) => root[id]))].filter((id) => producer[id] >= 0);
  }

  /** Runs an operation, and before it whatever makes what it needs; what is waited with is pinned. */
  #execute(wanted: number): void {
    const { producer, root } = this.#tape;
    const waiting = [wanted];
    for (const id of this.#rootsRead(wanted)) this.#pins[id]++;
    while (waiting.length > 0 && !this.isGivenUp) {
      const position = waiting[waiting.length - 1];
      const read = this.#rootsRead(position);
      const missing = read.find((id) => this.#evicted[id] === 1);
      if (missing !== undefined) {
        const maker = producer[missing];
        for (const id of this.#rootsRead(maker)) this.#pins[id]++;
        waiting.push(maker);
        continue;
      }
      waiting.pop();
      const made = this.#tape.outputs[position].filter((id) => root[id] === id);
      this.#makeRoom(made.reduce((sum, id) => sum + (this.#resident.has(id) ? 0 : this.#size[id]), 0));
      this.replay.run(position);
      this.#clock += this.#cost[position];
      for (const id of made) this.#enter(id);
      for (const id of [...read, ...made]) this.#lastUse[id] = this.#clock;
      for (const id of read) this.#pins[id]--;
      for (const id of [...read, ...made]) this.#leaveIfDone(id);
    }
  }

  #enter(id: number): void {
    this.#evicted[id] = 0;
    if (this.#resident.has(id)) return;
    this.#resident.add(id);
    this.#bytes += this.#size[id];
    this.#peak = Math.max(this.#peak, this.#bytes);
  }

  /** Lets a value go that no operation of the step reads any more. */
  #leaveIfDone(id: number): void {
    const isWanted = this.#usesLeft[id] > 0 || this.#pins[id] > 0 || this.#keeps.has(id);
    if (!isWanted && this.#resident.has(id)) this.#drop(id);
  }

  #drop(id: number): void {
    this.#resident.delete(id);
    this.#bytes -= this.#size[id];
    this.#evicted[id] = 1;
    this.replay.forget([id]);
  }

  #makeRoom(bytes: number): void {
    while (this.#bytes + bytes > this.#limit) {
      let victim = -1;
      let least = Number.POSITIVE_INFINITY;
      for (const id of this.#resident) {
        if (this.#pins[id] > 0 || this.#keeps.has(id) || this.#size[id] === 0) continue;
        const score = this.#costToMakeAgain(id) / (this.#size[id] * (this.#clock - this.#lastUse[id] + 1));
        if (score < least) [victim, least] = [id, score];
      }
      if (victim < 0) return;
      this.#evictions++;
      this.#drop(victim);
    }
  }

  /** The cost of a value and of its dropped neighbourhood: ancestors that it would need, descendants that need it. */
  #costToMakeAgain(id: number): number {
    const { producer } = this.#tape;
    let cost = this.#cost[producer[id]];
    for (const neighbours of [this.#parents, this.#children]) {
      // What is dropped for good would not be made again for its own sake.
      const isDead = (other: number): boolean => neighbours === this.#children && this.#usesLeft[other] === 0;
      const seen = new Set([id]);
      const open = [id];
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        for (const other of neighbours[next]) {
          if (this.#evicted[other] === 0 || seen.has(other) || isDead(other)) continue;
          seen.add(other);
          cost += this.#cost[producer[other]];
          open.push(other);
        }
      }
    }
    return cost;
  }
}
