import type { BlockLayout } from "./block-layout.ts";
import type { Codelet, EdgeField } from "./codelet.ts";
import { type ElementType, elementBytes } from "./element-type.ts";
import type { Target } from "./target.ts";

/** What a variable of a block graph is for; `made` ones are written by vertices. */
export type BlockRole = "data" | "parameter" | "state" | "hyperparameter" | "constant" | "made";

/** The part of a training step to which vertices belong. */
export type BlockPhase = "forward" | "backward" | "update";

/** A tensor in blocks, each of which lies on one tile and is read and written as a whole. */
export interface BlockVariable {
  readonly id: number;
  readonly name: string;
  readonly type: ElementType;
  readonly layout: BlockLayout;
  readonly role: BlockRole;
  /** The graph-wide number of its first block; the others follow. */
  readonly firstBlock: number;
  /** The variable whose memory it takes over, or its own number. */
  readonly storage: number;
  /** What a constant holds everywhere. */
  readonly value: number;
  /** The tile of each block. */
  readonly tiles: Uint16Array;
  /** The families that write it, in order; none for what comes from outside. */
  readonly writers: readonly VertexFamily[];
}

/** What one field of all vertices of a family is connected to: blocks of one variable, vertex after vertex. */
export interface BlockColumn {
  readonly field: string;
  readonly variable: BlockVariable;
  /** Graph-wide numbers of blocks. */
  readonly blocks: Uint32Array;
  /** Where each vertex's blocks begin in `blocks`, and behind them the end; null if all have `each`. */
  readonly starts: Uint32Array | null;
  /** Blocks of every vertex if `starts` is null, else 0. */
  readonly each: number;
}

/** Blocks that vertices write; with `blocks` null, vertex `i` writes block `i` of the variable and no other. */
export interface OutputColumn extends Omit<BlockColumn, "blocks"> {
  readonly blocks: Uint32Array | null;
}

/** A number that each vertex holds: one for all, or `values` in turn, each for `every` vertices one after the other. */
export type StateColumn = number | { readonly every: number; readonly values: ArrayLike<number> };

/** Vertices of one codelet that run at once: a compute set with its edges as columns of numbers. */
export interface VertexFamily {
  readonly id: number;
  /** The debug path: layer, phase, operator and what is done for it. */
  readonly name: string;
  readonly layer: string;
  readonly phase: BlockPhase;
  /** The operator for which the vertices are there. */
  readonly operator: string;
  readonly codelet: Codelet;
  /** The graph-wide number of the first vertex; the others follow. */
  readonly firstVertex: number;
  readonly count: number;
  readonly inputs: readonly BlockColumn[];
  readonly outputs: readonly OutputColumn[];
  readonly states: Readonly<Record<string, StateColumn>>;
  /** The tile of each vertex. */
  readonly tiles: Uint16Array;
}

/** A tensor as it lies: a variable, and the layout under whose axes it is looked at, which has the same storage. */
export interface PlacedTensor {
  readonly variable: BlockVariable;
  readonly layout: BlockLayout;
}

/** How a program holds numbers. */
export type TilePrecision = "single" | "half";

/** A block graph whose families run in their order, and what the host writes to it and reads from it. */
export interface BlockProgram {
  readonly name: string;
  /** Half if tensors are held in half precision, with sums and single numbers in single. */
  readonly precision: TilePrecision;
  readonly graph: BlockGraph;
  readonly inputs: ReadonlyMap<string, PlacedTensor>;
  readonly outputs: ReadonlyMap<string, PlacedTensor>;
}

/** What a block graph does, one after the other: vertices of a family, or a tensor to where another lies. */
export type BlockStep =
  | { readonly kind: "execute"; readonly family: VertexFamily }
  | { readonly kind: "copy"; readonly name: string; readonly from: BlockVariable; readonly to: BlockVariable };

/** What `addVariable` is told. */
export interface VariableOptions {
  readonly name: string;
  readonly type: ElementType;
  readonly layout: BlockLayout;
  readonly role: BlockRole;
  /** The variable whose memory it takes over; it must have a layout with the same storage. */
  readonly storage?: BlockVariable;
  readonly value?: number;
}

/** What `addFamily` is told; numbers of columns are those of `BlockColumn`, with `each` 1 unless told otherwise. */
export interface FamilyOptions
  extends Pick<VertexFamily, "name" | "layer" | "phase" | "operator" | "codelet" | "count" | "tiles"> {
  readonly inputs: Readonly<Record<string, ColumnOptions>>;
  readonly outputs: Readonly<Record<string, Partial<ColumnOptions> & Pick<ColumnOptions, "variable">>>;
  readonly states?: Readonly<Record<string, StateColumn>>;
}

export interface ColumnOptions {
  readonly variable: BlockVariable;
  readonly blocks: Uint32Array;
  readonly starts?: Uint32Array;
  readonly each?: number;
}

interface WritableVariable extends BlockVariable {
  readonly writers: VertexFamily[];
}

/**
 * A graph of vertices for 10⁸ edges: variables are cut into blocks, every edge is one block, and vertices of one kind
 * stand together in a family whose edges are typed arrays. It has the same variables, codelets, fields and compute sets
 * as `Graph`, into which `toGraph` turns it; in place of freedom it has size: an edge takes four bytes.
 */
export class BlockGraph {
  readonly target: Target;
  readonly #variables: WritableVariable[] = [];
  readonly #families: VertexFamily[] = [];
  readonly #steps: BlockStep[] = [];
  readonly #filled = new Set<BlockVariable>();
  #blocks = 0;
  #vertices = 0;

  /** @throws Error if the target has more tiles than a column of tiles can number */
  constructor(target: Target) {
    if (target.tileCount > 0xffff) {
      throw new Error(
        `block graph: a target may have 65,535 tiles, got ${target.tileCount} (${target.name}); take fewer chips`,
      );
    }
    this.target = target;
  }

  get variables(): readonly BlockVariable[] {
    return this.#variables;
  }

  /** The families in the order in which they run. */
  get families(): readonly VertexFamily[] {
    return this.#families;
  }

  /** What is done, in order: every family once, unless `repeat` has added it again. */
  get steps(): readonly BlockStep[] {
    return this.#steps;
  }

  get vertexCount(): number {
    return this.#vertices;
  }

  get blockCount(): number {
    return this.#blocks;
  }

  /** Adds a tensor; its blocks lie on tile 0 until a family writes them or `tiles` is filled. */
  addVariable({ name, type, layout, role, storage, value = 0 }: VariableOptions): BlockVariable {
    if (storage !== undefined && !storage.layout.sameStorage(layout)) {
      throw new Error(
        `block graph: a variable that takes over memory must lie as what was there, got ${layout} in ${storage.layout} ("${name}" in "${storage.name}"); give it memory of its own`,
      );
    }
    if (this.#blocks + layout.count > 2 ** 32) {
      throw new Error(
        `block graph: blocks are numbered to 2^32, got ${this.#blocks + layout.count} ("${name}"); take larger blocks`,
      );
    }
    const id = this.#variables.length;
    const variable: WritableVariable = {
      id,
      name: name === "" ? `variable ${id}` : name,
      type,
      layout,
      role,
      firstBlock: this.#blocks,
      storage: storage?.storage ?? id,
      value,
      tiles: new Uint16Array(layout.count),
      writers: [],
    };
    this.#variables.push(variable);
    this.#blocks += layout.count;
    return variable;
  }

  /**
   * Adds vertices that run at once. What they write lies on their tiles from now on.
   *
   * @throws Error if a field is not connected, a type does not fit, a block or tile is out of range, a variable is read
   * before it is written, or a block is written twice
   */
  addFamily(options: FamilyOptions): VertexFamily {
    const { name, layer, phase, operator, codelet, count, tiles } = options;
    const { tileCount } = this.target;
    if (tiles.length !== count) {
      throw new Error(`${name}: there must be a tile for each vertex, got ${tiles.length} for ${count}; give all`);
    }
    for (let index = 0; index < count; index++) {
      if (tiles[index] >= tileCount) {
        throw new Error(
          `${name}: tiles of ${this.target.name} run from 0 to ${tileCount - 1}, got ${tiles[index]} (vertex ${index}, ${codelet.name}); choose one of them`,
        );
      }
    }
    const inputs: BlockColumn[] = [];
    const outputs: OutputColumn[] = [];
    for (const [field, declared] of Object.entries(codelet.fields)) {
      if (declared.kind === "state") {
        if (options.states?.[field] === undefined) throw unconnected(name, codelet, field);
        continue;
      }
      const given = declared.direction === "output" ? options.outputs[field] : options.inputs[field];
      if (given === undefined || declared.direction === "inOut") throw unconnected(name, codelet, field);
      const { variable, starts = null } = given;
      if (declared.direction === "output") {
        const each = starts === null ? (given.each ?? 1) : 0;
        const column: OutputColumn = { field, variable, blocks: given.blocks ?? null, starts, each };
        this.#checkOutput(options, declared, column);
        outputs.push(column);
      } else {
        const blocks = given.blocks as Uint32Array;
        const column: BlockColumn = { field, variable, blocks, starts, each: starts === null ? (given.each ?? 1) : 0 };
        this.#checkInput(options, declared, column);
        inputs.push(column);
      }
    }
    const family: VertexFamily = {
      id: this.#families.length,
      name,
      layer,
      phase,
      operator,
      codelet,
      firstVertex: this.#vertices,
      count,
      inputs,
      outputs,
      states: options.states ?? {},
      tiles,
    };
    for (const { variable, blocks, starts, each } of outputs) {
      (variable as WritableVariable).writers.push(family);
      if (blocks === null) variable.tiles.set(tiles);
      else {
        for (let vertex = 0; vertex < count; vertex++) {
          const end = starts === null ? (vertex + 1) * each : starts[vertex + 1];
          for (let place = starts === null ? vertex * each : starts[vertex]; place < end; place++) {
            variable.tiles[blocks[place] - variable.firstBlock] = tiles[vertex];
          }
        }
      }
    }
    this.#families.push(family);
    this.#steps.push({ kind: "execute", family });
    this.#vertices += count;
    return family;
  }

  /** Runs a family once more: the same vertices on the same variables. */
  repeat(family: VertexFamily): void {
    this.#steps.push({ kind: "execute", family });
  }

  /** Copies a tensor to a variable that has the same storage: by exchange where tiles differ, else within the tile. */
  addCopy(name: string, from: BlockVariable, to: BlockVariable): void {
    if (from.type !== to.type || !from.layout.sameStorage(to.layout)) {
      throw new Error(
        `${name}: a copy must have the type and the storage of its source, got ${from.layout} ("${from.name}") to ${to.layout} ("${to.name}"); rearrange it with vertices`,
      );
    }
    this.#filled.add(to);
    this.#steps.push({ kind: "copy", name, from, to });
  }

  #checkInput({ name, codelet, count }: FamilyOptions, declared: EdgeField, column: BlockColumn): void {
    const { field, variable, blocks, starts, each } = column;
    const called = `${name}/${codelet.name}, field "${field}"`;
    this.#checkType(called, declared, variable);
    if (variable.role === "made" && variable.writers.length === 0 && !this.#filled.has(variable)) {
      throw new Error(
        `${called}: a tensor must be written before it is read, got "${variable.name}"; add its vertices`,
      );
    }
    checkStarts(called, count, blocks.length, starts, each, declared);
    const end = variable.firstBlock + variable.layout.count;
    for (let place = 0; place < blocks.length; place++) {
      if (blocks[place] < variable.firstBlock || blocks[place] >= end) throw outOfVariable(called, column, place);
    }
  }

  #checkOutput({ name, codelet, count }: FamilyOptions, declared: EdgeField, column: OutputColumn): void {
    const { field, variable, blocks, starts, each } = column;
    const called = `${name}/${codelet.name}, field "${field}"`;
    this.#checkType(called, declared, variable);
    if (variable.role !== "made") {
      throw new Error(
        `${called}: only what vertices make may be written, got "${variable.name}"; add a variable for it`,
      );
    }
    if (blocks === null) {
      if (starts === null && each === 1 && count === variable.layout.count && variable.writers.length === 0) return;
      throw new Error(
        `${called}: without blocks each vertex writes one of a fresh variable, got ${count} vertices for ${variable.layout.count} blocks of "${variable.name}"; say which they write`,
      );
    }
    checkStarts(called, count, blocks.length, starts, each, declared);
    const written = new Uint8Array(variable.layout.count);
    for (const earlier of variable.writers) markWritten(earlier, variable, written);
    for (let place = 0; place < blocks.length; place++) {
      const block = blocks[place] - variable.firstBlock;
      if (block < 0 || block >= written.length) throw outOfVariable(called, { ...column, blocks }, place);
      if (written[block]++ > 0) {
        throw new Error(
          `${called}: a block must be written once, got block ${block} of "${variable.name}" twice; write to one of its own each`,
        );
      }
    }
  }

  #checkType(called: string, declared: EdgeField, variable: BlockVariable): void {
    if (this.#variables[variable.id] !== variable) {
      throw new Error(`${called}: a tensor must be of this graph, got "${variable.name}" of another; add it here`);
    }
    if (declared.type !== variable.type) {
      throw new Error(
        `${called}: the field must be connected to ${declared.type}, got ${variable.type} ("${variable.name}"); cast the tensor or take another codelet`,
      );
    }
  }
}

/** Bytes of one block. */
export function blockBytes({ layout, type }: BlockVariable, block: number): number {
  return layout.elementsOf(block) * elementBytes[type];
}

/** Bytes of a whole variable. */
export function variableBytes({ layout, type }: BlockVariable): number {
  return layout.elements * elementBytes[type];
}

/** Where the blocks of a vertex begin in its column; called with the next vertex, where they end. */
export function columnStart({ starts, each }: Pick<BlockColumn, "starts" | "each">, vertex: number): number {
  return starts === null ? vertex * each : starts[vertex];
}

/** Edges of a column of a family. */
export function columnLength({ blocks }: OutputColumn | BlockColumn, { count }: VertexFamily): number {
  return blocks === null ? count : blocks.length;
}

/** The number that a state field of a vertex holds. */
export function stateAt(column: StateColumn, vertex: number): number {
  if (typeof column === "number") return column;
  return column.values[Math.floor(vertex / column.every) % column.values.length];
}

function checkStarts(
  called: string,
  count: number,
  length: number,
  starts: Uint32Array | null,
  each: number,
  { extent }: EdgeField,
): void {
  const fits = starts === null ? each * count === length : starts.length === count + 1 && starts[count] === length;
  if (!fits || (extent !== "vectors" && each !== 1)) {
    const rule =
      extent === "vectors" ? "the column must hold every vertex's blocks" : "each vertex must have one block";
    throw new Error(`${called}: ${rule}, got ${length} for ${count} vertices; correct the column`);
  }
}

function markWritten(family: VertexFamily, variable: BlockVariable, written: Uint8Array): void {
  for (const column of family.outputs) {
    if (column.variable !== variable) continue;
    if (column.blocks === null) written.fill(1);
    else for (const block of column.blocks) written[block - variable.firstBlock] = 1;
  }
}

function unconnected(name: string, codelet: Codelet, field: string): Error {
  return new Error(
    `${name}/${codelet.name}: every field must be connected, once and in one direction, got nothing for "${field}"; give it a column`,
  );
}

function outOfVariable(called: string, { variable, blocks }: BlockColumn, place: number): Error {
  return new Error(
    `${called}: blocks of "${variable.name}" run from ${variable.firstBlock} to ${variable.firstBlock + variable.layout.count - 1}, got ${blocks[place]} (edge ${place}); correct the column`,
  );
}
