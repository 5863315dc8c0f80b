import { checkShape, elementCount, formatShape, type Shape } from "../tensor/index.ts";
import type { Codelet, Direction, EdgeField, Field, Fields, StateField } from "./codelet.ts";
import type { ComputeSet, VertexReference } from "./compute-set.ts";
import { type ElementType, elementBytes } from "./element-type.ts";
import { checkWritable } from "./program.ts";
import type { Target } from "./target.ts";
import { TensorView, wholeVariable } from "./tensor-view.ts";
import { flatValues } from "./values.ts";
import { type Values, VariableTable } from "./variables.ts";
import { VertexTable } from "./vertices.ts";

/** What a field is connected to: a tensor, a list of tensors, or a number if it is state. */
type Connection<F extends Field> = F extends StateField
  ? number
  : F extends EdgeField<Direction, "vectors">
    ? readonly TensorView[]
    : TensorView;

type AnyConnection = number | TensorView | readonly TensorView[];

/** What the fields of a codelet are connected to; those left out are to be connected later. */
export type Connections<F extends Fields> = { readonly [K in keyof F]?: Connection<F[K]> };

/**
 * One field of many vertices: vertex `i` is connected to `length` elements of the flattened tensor from `starts[i]`.
 * A single number stands for the same start, or the same length, of all.
 */
export interface EdgeColumn {
  readonly tensor: TensorView;
  readonly starts: number | ArrayLike<number>;
  readonly lengths?: number | ArrayLike<number>;
}

/** A field's column: where each vertex is connected, or the number that each holds if the field is state. */
type FieldColumn<F extends Field> = F extends StateField ? number | ArrayLike<number> : EdgeColumn;

/** The columns of all fields of a codelet. */
export type Columns<F extends Fields> = { readonly [K in keyof F]: FieldColumn<F[K]> };

/**
 * A graph for a target: variables in the memory of tiles, and vertices that read and write them. Everything given is
 * checked at once; what only the whole graph can tell, `verify` does.
 */
export class Graph {
  readonly target: Target;
  /** The variables, for those who walk through graphs. */
  readonly variables = new VariableTable();
  /** The vertices and edges, for those who walk through graphs. */
  readonly vertices = new VertexTable();
  readonly #computeSets: ComputeSet[] = [];
  readonly #initialValues: { readonly tensor: TensorView; readonly values: ArrayLike<number> }[] = [];

  constructor(target: Target) {
    this.target = target;
  }

  get computeSets(): readonly ComputeSet[] {
    return this.#computeSets;
  }

  /** What variables hold when a program is loaded, in the order in which it was said; the rest is 0. */
  get initialValues(): readonly { readonly tensor: TensorView; readonly values: ArrayLike<number> }[] {
    return this.#initialValues;
  }

  /** Adds memory for a tensor, which is on no tile yet. */
  addVariable(type: ElementType, shape: Shape, name = ""): TensorView {
    return this.#add(type, shape, name, false);
  }

  /** Adds a tensor that nothing may write. */
  addConstant(type: ElementType, shape: Shape, values: Values, name = ""): TensorView {
    const tensor = this.#add(type, shape, name, true);
    this.#initialValues.push({ tensor, values: flatValues("addConstant", tensor, values) });
    return tensor;
  }

  /** Gives a tensor values that it holds when a program is loaded. */
  setInitialValue(tensor: TensorView, values: Values): this {
    this.#checkOwn("setInitialValue", tensor);
    checkWritable("setInitialValue", tensor);
    this.#initialValues.push({ tensor, values: flatValues("setInitialValue", tensor, values) });
    return this;
  }

  /**
   * Puts the elements of a tensor, or a vertex, on a tile.
   *
   * @throws Error if the target has no such tile
   */
  setTileMapping(what: TensorView | VertexReference, tile: number): this {
    const called = what.kind === "tensor" ? what.describe() : this.describeVertex(what.id);
    this.#checkTile("setTileMapping", tile, called);
    if (what.kind === "vertex") {
      this.vertices.setTile(what.id, tile);
      return this;
    }
    this.#checkOwn("setTileMapping", what);
    for (const { variable, start, count, step } of what.runs) {
      const { mapping } = this.variables.all[variable];
      if (step === 1) mapping.set(start, start + count, tile);
      else for (let i = 0; i < count; i++) mapping.set(start + i * step, start + i * step + 1, tile);
    }
    return this;
  }

  /**
   * Spreads a tensor's elements over the tiles in order, as evenly as groups of `grain` elements allow.
   *
   * @param grain elements that stay together, such as the length of a row
   */
  mapLinearly(tensor: TensorView, grain = 1): this {
    this.#checkOwn("mapLinearly", tensor);
    if (!Number.isSafeInteger(grain) || grain < 1) {
      throw new Error(
        `mapLinearly: the grain must be a whole number ≥ 1, got ${grain}; give elements that stay together`,
      );
    }
    const flat = tensor.flatten();
    const groups = Math.ceil(flat.elements / grain);
    const { tileCount } = this.target;
    for (let tile = 0; tile < tileCount; tile++) {
      const start = Math.min(flat.elements, Math.floor((groups * tile) / tileCount) * grain);
      const end = Math.min(flat.elements, Math.floor((groups * (tile + 1)) / tileCount) * grain);
      if (start < end) this.setTileMapping(flat.slice(start, end), tile);
    }
    return this;
  }

  /** Adds an empty compute set. */
  addComputeSet(name = ""): ComputeSet {
    const id = this.#computeSets.length;
    const computeSet: ComputeSet = { kind: "computeSet", id, name: name === "" ? `compute set ${id}` : name };
    this.#computeSets.push(computeSet);
    return computeSet;
  }

  /**
   * Adds a vertex, which is on no tile yet. Fields may also be connected later.
   *
   * @throws Error if a connection does not fit its field
   */
  addVertex<F extends Fields>(
    computeSet: ComputeSet,
    codelet: Codelet<F>,
    connections: Connections<F> = {},
  ): VertexReference {
    this.#checkComputeSet("addVertex", computeSet);
    const given: [string, AnyConnection][] = [];
    for (const [name, value] of Object.entries<unknown>(connections)) {
      if (value === undefined) continue;
      const called = `${computeSet.name}/${codelet.name}`;
      this.#checkConnection(called, codelet.fields[name], name, codelet, value);
      given.push([name, value as AnyConnection]);
    }
    const vertex = this.vertices.add(codelet as Codelet, computeSet.id);
    for (const [name, value] of given) this.#connect(vertex, name, value);
    return { kind: "vertex", id: vertex };
  }

  /** Connects a field of a vertex, in place of what was connected before. */
  connect(vertex: VertexReference, field: string, value: AnyConnection): this {
    const codelet = this.vertices.codeletOf(vertex.id);
    this.#checkConnection(this.describeVertex(vertex.id), codelet.fields[field], field, codelet, value);
    this.#connect(vertex.id, field, value);
    return this;
  }

  /** Charges a vertex these cycles in place of its codelet's estimate. */
  setPerfEstimate(vertex: VertexReference, cycles: number): this {
    if (!Number.isSafeInteger(cycles) || cycles < 0) {
      throw new Error(
        `setPerfEstimate: cycles must be a whole number ≥ 0, got ${cycles} (${this.describeVertex(vertex.id)}); round it`,
      );
    }
    this.vertices.setEstimate(vertex.id, cycles);
    return this;
  }

  /**
   * Adds many vertices of one codelet: the same vertices, with the same checks, as that many calls of `addVertex`.
   *
   * @param columns a column of `count` places for every field
   * @param tiles the tile of every vertex, or one for all
   * @returns the number of the first; the others follow it
   */
  addVertices<F extends Fields>(
    computeSet: ComputeSet,
    codelet: Codelet<F>,
    count: number,
    columns: Columns<F>,
    tiles?: number | ArrayLike<number>,
  ): number {
    this.#checkComputeSet("addVertices", computeSet);
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new Error(
        `addVertices: the count must be a whole number ≥ 0, got ${count} (${computeSet.name}/${codelet.name}); give the length of the columns`,
      );
    }
    const called = `${computeSet.name}/${codelet.name}`;
    const fill: ((vertex: number, index: number) => void)[] = [];
    for (const [place, [name, field]] of Object.entries(codelet.fields).entries()) {
      const column = columns[name] as number | ArrayLike<number> | EdgeColumn | undefined;
      if (column === undefined) throw unconnectedColumn(called, name);
      fill.push(this.#columnFiller(called, codelet, field, name, place, column, count));
    }
    const tileAt = tiles === undefined ? () => -1 : reader(called, "tiles", tiles, count);
    if (tiles !== undefined)
      for (let i = 0; i < count; i++) this.#checkTile("addVertices", tileAt(i), `${called}, index ${i}`);
    const first = this.vertices.count;
    for (let index = 0; index < count; index++) {
      const vertex = this.vertices.add(codelet as Codelet, computeSet.id, tileAt(index));
      for (const connect of fill) connect(vertex, index);
    }
    return first;
  }

  /** How errors and reports call a vertex: its number, and its debug path. */
  describeVertex(vertex: number): string {
    const path = this.#computeSets[this.vertices.computeSetOf(vertex)].name;
    return `vertex ${vertex}, ${path}/${this.vertices.codeletOf(vertex).name}`;
  }

  #add(type: ElementType, shape: Shape, name: string, constant: boolean): TensorView {
    const subject = constant ? "addConstant" : "addVariable";
    if (!Object.hasOwn(elementBytes, type)) {
      throw new Error(
        `${subject}: the type must be one of ${Object.keys(elementBytes).join(", ")}, got "${type}" ("${name}"); choose one`,
      );
    }
    checkShape(subject, shape);
    if (elementCount(shape) >= 2 ** 32) {
      throw new Error(
        `${subject}: a variable must have less than 2^32 elements, got ${formatShape(shape)} ("${name}"); split it`,
      );
    }
    return wholeVariable(this.variables, this.variables.add(type, shape, name, constant));
  }

  #connect(vertex: number, name: string, value: AnyConnection): void {
    const place = this.vertices.fieldsOf(vertex).findIndex(([field]) => field === name);
    if (typeof value === "number") this.vertices.setState(vertex, place, value);
    else if (value instanceof TensorView) this.vertices.connectRuns(vertex, place, value.runs);
    else {
      this.vertices.connectVectors(
        vertex,
        place,
        value.map(({ runs }) => runs),
      );
    }
  }

  /** Checks a column once and returns what fills a vertex's field from it. */
  #columnFiller(
    called: string,
    codelet: Codelet,
    field: Field,
    name: string,
    place: number,
    column: number | ArrayLike<number> | EdgeColumn,
    count: number,
  ): (vertex: number, index: number) => void {
    const isEdgeColumn = typeof column === "object" && "tensor" in column;
    if (field.kind === "state") {
      if (isEdgeColumn) throw stateExpected(called, name, column.tensor.describe());
      const valueAt = reader(called, name, column, count);
      return (vertex, index) => this.vertices.setState(vertex, place, valueAt(index));
    }
    if (!isEdgeColumn) throw tensorExpected(called, name, "numbers");
    if (field.extent === "vectors") throw listExpected(called, name, "a column");
    const flat = column.tensor.flatten();
    const startAt = reader(called, name, column.starts, count);
    const lengthAt = reader(called, name, column.lengths ?? 1, count);
    // What does not depend on the place is checked on one element; then every place.
    this.#checkConnection(
      called,
      field,
      name,
      codelet,
      flat.slice(0, Math.min(1, flat.elements)).reshape(flat.elements > 0 ? [] : [0]),
    );
    for (let index = 0; index < count; index++) {
      const start = startAt(index);
      const length = lengthAt(index);
      const whole = Number.isSafeInteger(start) && Number.isSafeInteger(length);
      if (
        !whole ||
        start < 0 ||
        length < 0 ||
        start + length > flat.elements ||
        (field.extent === "scalar" && length !== 1)
      ) {
        const rule = field.extent === "scalar" ? "one element" : "elements";
        throw new Error(
          `${called}: field "${name}" must lie on ${rule} 0 to ${flat.elements} of its tensor, got ${length} from ${start} (index ${index}, ${column.tensor.describe()}); correct the column`,
        );
      }
    }
    const { runs } = flat;
    if (runs.length === 1 && runs[0].step === 1) {
      const [{ variable, start }] = runs;
      return (vertex, index) => {
        this.vertices.connectInterval(vertex, place, variable, start + startAt(index), lengthAt(index));
      };
    }
    return (vertex, index) => {
      const begin = startAt(index);
      this.vertices.connectRuns(vertex, place, flat.slice(begin, begin + lengthAt(index)).runs);
    };
  }

  #checkConnection(called: string, field: Field | undefined, name: string, codelet: Codelet, value: unknown): void {
    if (field === undefined) {
      const known = Object.keys(codelet.fields).join(", ");
      throw new Error(`${called}: a field must be one of ${known}, got "${name}"; correct the name`);
    }
    if (field.kind === "state") {
      if (typeof value !== "number") throw stateExpected(called, name, "a tensor");
      return;
    }
    if (field.extent === "vectors") {
      if (!Array.isArray(value)) throw listExpected(called, name, value);
      for (const vector of value) this.#checkTensor(called, field, name, vector);
    } else this.#checkTensor(called, field, name, value);
  }

  #checkTensor(called: string, field: EdgeField, name: string, value: unknown): void {
    if (!(value instanceof TensorView)) throw tensorExpected(called, name, String(value));
    this.#checkOwn(called, value);
    if (value.type !== field.type) {
      throw new Error(
        `${called}: field "${name}" must be connected to ${field.type}, got ${value.describe()}; cast the tensor or change the codelet's field`,
      );
    }
    if (field.extent === "scalar" && value.elements !== 1) {
      throw new Error(
        `${called}: field "${name}" must be connected to one element, got ${value.describe()}; index the tensor or make the field a vector`,
      );
    }
    if (field.direction !== "input") checkWritable(`${called}, field "${name}"`, value);
  }

  #checkOwn(subject: string, tensor: TensorView): void {
    if (tensor.variables !== this.variables) {
      throw new Error(
        `${subject}: a tensor must be of this graph, got ${tensor.describe()} of another; add the variable here`,
      );
    }
  }

  #checkComputeSet(subject: string, computeSet: ComputeSet): void {
    if (this.#computeSets[computeSet.id] !== computeSet) {
      throw new Error(
        `${subject}: a compute set must be of this graph, got "${computeSet.name}" of another; add it here`,
      );
    }
  }

  #checkTile(subject: string, tile: number, called: string): void {
    const { tileCount, name } = this.target;
    if (!Number.isSafeInteger(tile) || tile < 0 || tile >= tileCount) {
      throw new Error(
        `${subject}: tiles of ${name} run from 0 to ${tileCount - 1}, got ${tile} (${called}); choose one of them`,
      );
    }
  }
}

/** Reads a column that may be one number for all. */
function reader(
  called: string,
  name: string,
  column: number | ArrayLike<number>,
  count: number,
): (index: number) => number {
  if (typeof column === "number") return () => column;
  if (column.length !== count) {
    throw new Error(
      `${called}: the column of "${name}" must have a place a vertex, got ${column.length} for ${count}; give all of them`,
    );
  }
  return (index) => column[index];
}

function unconnectedColumn(called: string, name: string): Error {
  return new Error(`${called}: every field must have a column, got none for "${name}"; add it`);
}

function stateExpected(called: string, name: string, got: string): Error {
  return new Error(
    `${called}: field "${name}" is state and must be given a number, got ${got}; give the number itself`,
  );
}

function listExpected(called: string, name: string, got: unknown): Error {
  const shown = got instanceof TensorView ? got.describe() : String(got);
  return new Error(
    `${called}: field "${name}" must be connected to a list of tensors, got ${shown}; give an array, to addVertex or connect`,
  );
}

function tensorExpected(called: string, name: string, got: string): Error {
  return new Error(`${called}: field "${name}" must be connected to a tensor, got ${got}; add a constant for a number`);
}
