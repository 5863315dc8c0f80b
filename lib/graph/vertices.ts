import type { Codelet, Field } from "./codelet.ts";
import { Column } from "./column.ts";
import type { Run } from "./pieces.ts";

// What the variable column of an edge says where it names no variable.
const unconnected = 0xffffffff;
const severalRuns = 0xfffffffe;
const stateValue = 0xfffffffd;
const severalVectors = 0xfffffffc;

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
  // Fields of several vectors refer to a list of edges of the same three columns.
  readonly #vectors: { variable: Column; start: Column; count: Column } = {
    variable: new Column("uint32"),
    start: new Column("uint32"),
    count: new Column("uint32"),
  };
  readonly #states = new Column("float64");
  // Estimates that override a codelet's: few, if any.
  readonly #estimates = new Map<number, number>();
  // Fields that are not an edge: state, and lists of vectors, whose vectors are counted instead.
  #otherFields = 0;
  #vectorEdges = 0;

  /** Number of vertices. */
  get count(): number {
    return this.#codelet.length;
  }

  /** Number of tensors that fields are connected to, each vector of a list for itself: what the field calls edges. */
  get edgeCount(): number {
    return this.#variable.length - this.#otherFields + this.#vectorEdges;
  }

  /** Appends a vertex on no tile, with nothing connected; returns its number. */
  add(codelet: Codelet, computeSet: number, tile = -1): number {
    const index = this.codeletIndex(codelet);
    this.#firstEdge.push(this.#variable.length);
    for (const [, field] of this.#fields[index]) {
      this.#variable.push(unconnected);
      this.#start.push(0);
      this.#count.push(0);
      if (field.kind === "state" || field.extent === "vectors") this.#otherFields++;
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
    const [variable, start, count] = this.#store(runs);
    this.#setEdge(vertex, field, variable, start, count);
  }

  /** Connects a field to a list of vectors, each given by its runs. */
  connectVectors(vertex: number, field: number, vectors: readonly (readonly Run[])[]): void {
    this.#vectorEdges += vectors.length - this.vectorsOf(vertex, field);
    this.#setEdge(vertex, field, severalVectors, this.#vectors.variable.length, vectors.length);
    for (const runs of vectors) {
      const [variable, start, count] = this.#store(runs);
      this.#vectors.variable.push(variable);
      this.#vectors.start.push(start);
      this.#vectors.count.push(count);
    }
  }

  /** Vectors that a field of several is connected to. */
  vectorsOf(vertex: number, field: number): number {
    const edge = this.#firstEdge.at(vertex) + field;
    return this.#variable.at(edge) === severalVectors ? this.#count.at(edge) : 0;
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
    let length = 0;
    this.forEachRun(vertex, field, (_variable, _start, count) => {
      length += count;
    });
    return length;
  }

  /** Calls `visit` for the runs of a field that is connected to a tensor, in order; `vector` counts through a list. */
  forEachRun(
    vertex: number,
    field: number,
    visit: (variable: number, start: number, count: number, step: number, vector: number) => void,
  ): void {
    const edge = this.#firstEdge.at(vertex) + field;
    const variable = this.#variable.at(edge);
    const start = this.#start.at(edge);
    const count = this.#count.at(edge);
    if (variable !== severalVectors) {
      this.#visitRuns(variable, start, count, 0, visit);
      return;
    }
    const { variable: variables, start: starts, count: counts } = this.#vectors;
    for (let vector = 0; vector < count; vector++) {
      const place = start + vector;
      this.#visitRuns(variables.at(place), starts.at(place), counts.at(place), vector, visit);
    }
  }

  #visitRuns(
    variable: number,
    start: number,
    count: number,
    vector: number,
    visit: (variable: number, start: number, count: number, step: number, vector: number) => void,
  ): void {
    if (variable < severalVectors) visit(variable, start, count, 1, vector);
    else if (variable === severalRuns) {
      const { variable: variables, start: starts, count: counts, step } = this.#runs;
      for (let run = start; run < start + count; run++) {
        visit(variables.at(run), starts.at(run), counts.at(run), step.at(run), vector);
      }
    }
  }

  /** Keeps runs and returns the three numbers of an edge that stand for them. */
  #store(runs: readonly Run[]): readonly [variable: number, start: number, count: number] {
    const [run] = runs;
    if (runs.length === 1 && (run.step === 1 || run.count === 1)) return [run.variable, run.start, run.count];
    const first = this.#runs.variable.length;
    for (const { variable, start, count, step } of runs) {
      this.#runs.variable.push(variable);
      this.#runs.start.push(start);
      this.#runs.count.push(count);
      this.#runs.step.push(step);
    }
    return [severalRuns, first, runs.length];
  }

  #setEdge(vertex: number, field: number, variable: number, start: number, count: number): void {
    const edge = this.#firstEdge.at(vertex) + field;
    this.#variable.set(edge, variable);
    this.#start.set(edge, start);
    this.#count.set(edge, count);
  }
}
