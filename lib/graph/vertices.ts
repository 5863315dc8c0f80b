import type { Codelet, Field } from "./codelet.ts";
import { Column } from "./column.ts";
import type { Run } from "./pieces.ts";

// What the variable column of an edge says where it names no variable.
const unconnected = 0xffffffff;
const severalRuns = 0xfffffffe;
const stateValue = 0xfffffffd;

/**
 * Vertices and their edges as columns of numbers. A vertex has one edge a field, in the order of its codelet's fields;
 * an edge that is one run of consecutive elements takes twelve bytes, any other refers to a list of runs.
 */
export class VertexTable {
  readonly codelets: Codelet[] = [];
  readonly #fields: (readonly [string, Field])[][] = [];
  readonly #codeletIndex = new Map<Codelet, number>();
  readonly #codelet = new Column("uint32");
  readonly #computeSet = new Column("uint32");
  readonly #tile = new Column("int32");
  readonly #firstEdge = new Column("uint32");
  // An edge: a variable with start and count; or a code above with a place in `#runs` and a count, or in `#states`.
  readonly #variable = new Column("uint32");
  readonly #start = new Column("uint32");
  readonly #count = new Column("uint32");
  readonly #runs: { variable: Column; start: Column; count: Column; step: Column } = {
    variable: new Column("uint32"),
    start: new Column("uint32"),
    count: new Column("uint32"),
    step: new Column("int32"),
  };
  readonly #states = new Column("float64");
  // Estimates that override a codelet's: few, if any.
  readonly #estimates = new Map<number, number>();
  #stateEdges = 0;

  /** Number of vertices. */
  get count(): number {
    return this.#codelet.length;
  }

  /** Number of fields that tensors are connected to: what the field calls edges. */
  get edgeCount(): number {
    return this.#variable.length - this.#stateEdges;
  }

  /** Appends a vertex on no tile, with nothing connected; returns its number. */
  add(codelet: Codelet, computeSet: number, tile = -1): number {
    const index = this.codeletIndex(codelet);
    this.#firstEdge.push(this.#variable.length);
    for (const [, field] of this.#fields[index]) {
      this.#variable.push(unconnected);
      this.#start.push(0);
      this.#count.push(0);
      if (field.kind === "state") this.#stateEdges++;
    }
    this.#computeSet.push(computeSet);
    this.#tile.push(tile);
    return this.#codelet.push(index);
  }

  /** The number of a codelet in `codelets`, which it joins if it is new. */
  codeletIndex(codelet: Codelet): number {
    const known = this.#codeletIndex.get(codelet);
    if (known !== undefined) return known;
    const index = this.codelets.push(codelet) - 1;
    this.#codeletIndex.set(codelet, index);
    this.#fields.push(Object.entries(codelet.fields));
    return index;
  }

  codeletOf(vertex: number): Codelet {
    return this.codelets[this.#codelet.at(vertex)];
  }

  /** Names and kinds of the vertex's fields, in the order of its edges. */
  fieldsOf(vertex: number): readonly (readonly [string, Field])[] {
    return this.#fields[this.#codelet.at(vertex)];
  }

  computeSetOf(vertex: number): number {
    return this.#computeSet.at(vertex);
  }

  /** The vertex's tile, or -1. */
  tileOf(vertex: number): number {
    return this.#tile.at(vertex);
  }

  setTile(vertex: number, tile: number): void {
    this.#tile.set(vertex, tile);
  }

  /** The cycles that replace the codelet's estimate for this vertex, if any. */
  estimateOf(vertex: number): number | undefined {
    return this.#estimates.get(vertex);
  }

  setEstimate(vertex: number, cycles: number): void {
    this.#estimates.set(vertex, cycles);
  }

  isConnected(vertex: number, field: number): boolean {
    return this.#variable.at(this.#firstEdge.at(vertex) + field) !== unconnected;
  }

  /** Connects a field to consecutive elements of one variable. */
  connectInterval(vertex: number, field: number, variable: number, start: number, count: number): void {
    this.#setEdge(vertex, field, variable, start, count);
  }

  connectRuns(vertex: number, field: number, runs: readonly Run[]): void {
    const [run] = runs;
    if (runs.length === 1 && (run.step === 1 || run.count === 1)) {
      this.connectInterval(vertex, field, run.variable, run.start, run.count);
      return;
    }
    this.#setEdge(vertex, field, severalRuns, this.#runs.variable.length, runs.length);
    for (const { variable, start, count, step } of runs) {
      this.#runs.variable.push(variable);
      this.#runs.start.push(start);
      this.#runs.count.push(count);
      this.#runs.step.push(step);
    }
  }

  setState(vertex: number, field: number, value: number): void {
    this.#setEdge(vertex, field, stateValue, this.#states.push(value), 0);
  }

  /** The number that a state field holds. */
  stateOf(vertex: number, field: number): number {
    return this.#states.at(this.#start.at(this.#firstEdge.at(vertex) + field));
  }

  /** Elements connected to a field. */
  lengthOf(vertex: number, field: number): number {
    const edge = this.#firstEdge.at(vertex) + field;
    if (this.#variable.at(edge) !== severalRuns) return this.#count.at(edge);
    let length = 0;
    for (let run = 0; run < this.#count.at(edge); run++) length += this.#runs.count.at(this.#start.at(edge) + run);
    return length;
  }

  /** Calls `visit` for the runs of a field that is connected to a tensor, in order. */
  forEachRun(
    vertex: number,
    field: number,
    visit: (variable: number, start: number, count: number, step: number) => void,
  ): void {
    const edge = this.#firstEdge.at(vertex) + field;
    const variable = this.#variable.at(edge);
    const start = this.#start.at(edge);
    const count = this.#count.at(edge);
    if (variable < stateValue) visit(variable, start, count, 1);
    else if (variable === severalRuns) {
      const { variable: variables, start: starts, count: counts, step } = this.#runs;
      for (let run = start; run < start + count; run++) {
        visit(variables.at(run), starts.at(run), counts.at(run), step.at(run));
      }
    }
  }

  #setEdge(vertex: number, field: number, variable: number, start: number, count: number): void {
    const edge = this.#firstEdge.at(vertex) + field;
    this.#variable.set(edge, variable);
    this.#start.set(edge, start);
    this.#count.set(edge, count);
  }
}
