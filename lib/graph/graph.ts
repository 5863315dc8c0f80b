import { checkShape, elementCount, formatShape, type Shape } from "../tensor/index.ts";
import { type AnyColumn, columnFiller, type FieldColumn, reader, unconnectedColumn } from "./bulk-columns.ts";
import type { Codelet, Fields } from "./codelet.ts";
import type { ComputeSet, VertexReference } from "./compute-set.ts";
import { type AnyConnection, type Connection, checkConnection, checkOwn } from "./connections.ts";
import { type ElementType, elementBytes } from "./element-type.ts";
import { checkWritable } from "./program.ts";
import { type DataStream, OutsideTable, type RemoteBuffer } from "./streams.ts";
import type { Target } from "./target.ts";
import { TensorView, wholeVariable } from "./tensor-view.ts";
import { flatValues } from "./values.ts";
import { type Values, VariableTable } from "./variables.ts";
import { VertexTable } from "./vertices.ts";

/** What the fields of a codelet are connected to; those left out are to be connected later. */
export type Connections<F extends Fields> = { readonly [K in keyof F]?: Connection<F[K]> };

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
  /** Streams and remote buffers, for those who run graphs. */
  readonly outside = new OutsideTable();
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

  /** Adds a stream on which the host hands over so many elements at a time; `copy` takes them into a tensor. */
  addHostToDeviceFIFO(name: string, type: ElementType, elements: number): DataStream {
    return this.outside.addStream("addHostToDeviceFIFO", { name, direction: "hostToDevice", type, elements });
  }

  /** Adds a stream on which the device hands over so many elements at a time; `copy` sends a tensor. */
  addDeviceToHostFIFO(name: string, type: ElementType, elements: number): DataStream {
    return this.outside.addStream("addDeviceToHostFIFO", { name, direction: "deviceToHost", type, elements });
  }

  /** Adds memory beside the device: rows of so many elements, which `copy` reads and writes. */
  addRemoteBuffer(name: string, type: ElementType, elements: number, rows = 1): RemoteBuffer {
    return this.outside.addBuffer({ name, type, elements, rows });
  }

  /** Gives a tensor values that it holds when a program is loaded. */
  setInitialValue(tensor: TensorView, values: Values): this {
    checkOwn(this.variables, "setInitialValue", tensor);
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
    checkOwn(this.variables, "setTileMapping", what);
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
    checkOwn(this.variables, "mapLinearly", tensor);
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
      checkConnection(this.variables, called, codelet.fields[name], name, codelet, value);
      given.push([name, value as AnyConnection]);
    }
    const vertex = this.vertices.add(codelet as Codelet, computeSet.id);
    for (const [name, value] of given) this.#connect(vertex, name, value);
    return { kind: "vertex", id: vertex };
  }

  /** Connects a field of a vertex, in place of what was connected before. */
  connect(vertex: VertexReference, field: string, value: AnyConnection): this {
    const codelet = this.vertices.codeletOf(vertex.id);
    checkConnection(this.variables, this.describeVertex(vertex.id), codelet.fields[field], field, codelet, value);
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
      const column = columns[name] as AnyColumn | undefined;
      if (column === undefined) throw unconnectedColumn(called, name);
      fill.push(columnFiller(this, { called, codelet, field, name, place, count }, column));
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
