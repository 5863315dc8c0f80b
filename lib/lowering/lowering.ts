import { copyBlock } from "../codelets/index.ts";
import { type Schedule, storageOf } from "../compiler/index.ts";
import {
  BlockGraph,
  BlockLayout,
  type BlockRole,
  type BlockVariable,
  type Codelet,
  type ColumnOptions,
  type ElementType,
  type FamilyOptions,
  type PlacedTensor,
  type StateColumn,
  type Target,
  type TilePrecision,
  type VertexFamily,
} from "../graph/index.ts";
import type { Operation, Value } from "../ir/index.ts";
import type { Shape } from "../tensor/index.ts";
import { spreadOverTiles } from "./columns.ts";
import type { Grain } from "./grain.ts";
import { elementTypeOf } from "./layouts.ts";
import { moveBlocks } from "./movement.ts";

/** Partial results that an update adds up itself: `each` blocks for each of `parts` parts of a block. */
export interface Partials {
  readonly variable: BlockVariable;
  readonly each: number;
  readonly parts: number;
  /** Consecutive elements of one part. */
  readonly inner: number;
}

/** What one field of a family that works block by block reads for block `b` of the result. */
export interface BlockOperand {
  readonly variable: BlockVariable;
  /** Block `b`'s own, counted within the variable; the same number unless told otherwise. */
  readonly block?: (block: number) => number;
  /** For several blocks a result: those from `block(b) · each` on. */
  readonly each?: number;
}

/** Vertices that make the blocks of a result, each from blocks of operands. */
export interface BlockWork {
  readonly step: string;
  readonly codelet: Codelet;
  readonly out: string;
  readonly result: BlockVariable;
  readonly operands: Readonly<Record<string, BlockOperand>>;
  /** Fields that all vertices connect to the one block of a variable. */
  readonly scalars?: Readonly<Record<string, BlockVariable>>;
  readonly states?: Readonly<Record<string, StateColumn>>;
  /** The tile of each block. */
  readonly tiles: Uint16Array;
  /** False for codelets that make one block a vertex. */
  readonly list: boolean;
}

/** A schedule on its way to vertices: what its values have become so far. */
export class Lowering {
  readonly graph: BlockGraph;
  readonly grain: Grain;
  readonly precision: TilePrecision;
  readonly target: Target;
  /** Gradients that are left as partial results, by value, because an update adds them up. */
  readonly partials = new Map<number, Partials>();
  /** Values whose gradient descent is one step: by the id of the gradient. */
  readonly fused: ReadonlySet<number>;
  readonly #schedule: Schedule;
  readonly #values = new Map<number, PlacedTensor[]>();
  readonly #placed = new Set<BlockVariable>();
  // Formal variables for what comes from outside, which may be placed where they are used as that is.
  readonly #formals = new Set<BlockVariable>();
  #operation: Operation | null = null;

  constructor(
    schedule: Schedule,
    target: Target,
    { grain, precision, fused }: Pick<Lowering, "grain" | "precision" | "fused">,
  ) {
    this.graph = new BlockGraph(target);
    this.grain = grain;
    this.precision = precision;
    this.target = target;
    this.fused = fused;
    this.#schedule = schedule;
  }

  /** Runs `work` with everything that it adds attributed to an operation. */
  within(operation: Operation, work: () => void): void {
    this.#operation = operation;
    work();
    this.#operation = null;
  }

  /** The debug path of what is done for the current operation. */
  path(step: string): string {
    const { layer, phase, operator } = this.#current();
    return [...(layer === "" ? [] : [layer]), phase, operator, ...(step === "" ? [] : [step])].join("/");
  }

  /** The type in which a value is held: half for tensors of floats where the precision is half. */
  typeOf(value: Value): ElementType {
    const type = elementTypeOf(value);
    return this.precision === "half" && type === "float" && value.type.shape.length > 0 ? "half" : type;
  }

  /** The layout that values of a shape have unless a rule wants another. */
  layoutFor(shape: Shape, weights = false): BlockLayout {
    const { group, samples } = this.grain;
    const rank = shape.length;
    if (weights && rank === 4) return new BlockLayout(shape, [group, group, shape[2], shape[3]].map(atLeastOne));
    if (weights && rank === 2) return new BlockLayout(shape, [group, group]);
    if (rank === 4) return new BlockLayout(shape, [1, group, 1, atLeastOne(shape[3])]);
    if (rank === 2) return new BlockLayout(shape, [samples, group]);
    if (rank === 1) return new BlockLayout(shape, [group]);
    return new BlockLayout(
      shape,
      shape.map((extent, axis) => (axis === rank - 1 ? atLeastOne(extent) : 1)),
    );
  }

  /** Adds what comes from outside. */
  addInput(value: Value, name: string, role: BlockRole): BlockVariable {
    const labels = value.type.dtype === "int32" && value.type.shape.length === 1;
    const layout = labels
      ? new BlockLayout(value.type.shape, [1])
      : this.layoutFor(value.type.shape, role === "parameter" || role === "state");
    const variable = this.graph.addVariable({ name, type: this.typeOf(value), layout, role });
    variable.tiles.set(spreadOverTiles(layout.count, this.target.tileCount));
    this.#values.set(value.id, [{ variable, layout }]);
    return variable;
  }

  /** Adds a constant for a value. */
  addConstant(value: Value, constant: number): void {
    const layout = this.layoutFor(value.type.shape);
    const name = this.path("constant");
    const variable = this.graph.addVariable({
      name,
      type: this.typeOf(value),
      layout,
      role: "constant",
      value: constant,
    });
    variable.tiles.set(spreadOverTiles(layout.count, this.target.tileCount));
    this.#values.set(value.id, [{ variable, layout }]);
  }

  /** Whether a tensor lies where it stays; what comes from outside does not until it is used. */
  isPlaced({ variable }: PlacedTensor): boolean {
    return (variable.role === "made" && !this.#formals.has(variable)) || this.#placed.has(variable);
  }

  /** Puts the blocks of what comes from outside where they are used first; later uses leave them there. */
  place(placed: PlacedTensor, tileOf: (block: number) => number): void {
    const { variable } = placed;
    if (this.isPlaced(placed)) return;
    this.#placed.add(variable);
    for (let block = 0; block < variable.tiles.length; block++) variable.tiles[block] = tileOf(block);
  }

  /** A value as it lies. */
  get(value: Value): PlacedTensor {
    const placed = this.#values.get(value.id);
    if (placed === undefined) throw new Error(`internal: %${value.id} is lowered before it is made`);
    return placed[0];
  }

  /** A value in a layout, into which it is moved if it does not lie so yet. */
  getIn(value: Value, layout: BlockLayout): PlacedTensor {
    const placed = this.#values.get(value.id);
    if (placed === undefined) throw new Error(`internal: %${value.id} is lowered before it is made`);
    const found = placed.find((one) => one.layout.sameStorage(layout));
    if (found !== undefined) return { variable: found.variable, layout };
    const moved = moveBlocks(this, placed[0], layout, (position) => position);
    const added = { variable: moved, layout };
    placed.push(added);
    return added;
  }

  /** A value; a matrix as it lies if that is in groups, of samples or of weights, else in groups of samples. */
  asMatrix(value: Value): PlacedTensor {
    const placed = this.get(value);
    const { shape } = value.type;
    if (shape.length !== 2) return placed;
    const samples = this.layoutFor(shape);
    const fits = [samples, this.layoutFor(shape, true)].some((layout) => placed.layout.sameStorage(layout));
    return fits ? placed : this.getIn(value, samples);
  }

  /**
   * Adds a variable into which calls of a function copy what they are given, lying as the first call's, and makes it what
   * a value is from now on.
   */
  addFormal(value: Value, name: string): PlacedTensor {
    const { variable, layout } = this.get(value);
    const formal = this.graph.addVariable({ name, type: variable.type, layout, role: "made" });
    formal.tiles.set(variable.tiles);
    if (variable.role !== "made") this.#formals.add(formal);
    const placed = { variable: formal, layout };
    this.define(value, placed);
    return placed;
  }

  /** Says what has become of a value. */
  define(value: Value, placed: PlacedTensor): void {
    this.#values.set(value.id, [placed]);
  }

  /** Makes sure that a value lies where an input did that it replaces from now on, by copying it if need be. */
  replaceInput(input: Value, value: Value): void {
    const old = this.get(input);
    const made = this.getIn(value, old.layout);
    if (made.variable.storage === old.variable.storage) return;
    const { type, storage, name } = old.variable;
    const layout = old.layout;
    const kept = this.graph.variables[storage];
    const variable = this.graph.addVariable({ name: `${name} replaced`, type, layout, role: "made", storage: kept });
    this.addFamily("replace", {
      codelet: replacing(type),
      count: layout.count,
      inputs: { in: { variable: made.variable, blocks: allBlocks(made.variable) } },
      outputs: { out: { variable } },
      tiles: kept.tiles.slice(),
    });
    this.define(value, { variable, layout });
  }

  /**
   * Adds a variable for the current operation's result.
   *
   * @param overwritten operands whose blocks the result may take over block by block, if the schedule says so
   */
  addResult(value: Value, layout: BlockLayout, overwritten: readonly Value[] = []): BlockVariable {
    const root = storageOf(this.#schedule, value.id);
    const taken = overwritten
      .filter((operand) => storageOf(this.#schedule, operand.id) === root)
      .map((operand) => this.get(operand))
      .find(
        ({ variable, layout: own }) =>
          own.sameStorage(layout) && variable.role !== "constant" && variable.type === this.typeOf(value),
      );
    const variable = this.graph.addVariable({
      name: this.path(""),
      type: this.typeOf(value),
      layout,
      role: "made",
      ...(taken === undefined ? {} : { storage: taken.variable }),
    });
    this.define(value, { variable, layout });
    return variable;
  }

  /** Adds a variable that holds what is between two steps of the current operation. */
  addTemporary(step: string, layout: BlockLayout, type: ElementType = "float"): BlockVariable {
    return this.graph.addVariable({ name: this.path(step), type, layout, role: "made" });
  }

  /** Adds a family for the current operation. */
  addFamily(step: string, options: Omit<FamilyOptions, "name" | "layer" | "phase" | "operator">): VertexFamily {
    const { layer, phase, operator } = this.#current();
    return this.graph.addFamily({ name: this.path(step), layer, phase, operator, ...options });
  }

  /** Adds vertices that make each block of a result: one a block, or one a tile for lists of blocks. */
  addBlockWork({ step, codelet, out, result, operands, scalars = {}, states = {}, tiles, list }: BlockWork): void {
    const { count } = result.layout;
    const grouped = list && this.grain.byTile && Object.values(states).every((state) => typeof state === "number");
    const { order, starts } = grouped ? groupByTile(tiles, this.target.tileCount) : { order: null, starts: null };
    const vertices = starts === null ? count : starts.length - 1;
    const inputs: Record<string, ColumnOptions> = {};
    for (const [field, { variable, block = same, each = 1 }] of Object.entries(operands)) {
      const blocks = new Uint32Array(count * each);
      for (let place = 0, at = 0; place < count; place++) {
        const first = variable.firstBlock + block(order === null ? place : order[place]) * each;
        for (let index = 0; index < each; index++) blocks[at++] = first + index;
      }
      inputs[field] =
        starts === null
          ? { variable, blocks, each }
          : { variable, blocks, starts: starts.map((start) => start * each) };
    }
    for (const [field, variable] of Object.entries(scalars)) {
      inputs[field] = { variable, blocks: new Uint32Array(vertices).fill(variable.firstBlock) };
    }
    const written =
      order === null
        ? { variable: result }
        : { variable: result, blocks: order.map((block) => block + result.firstBlock), starts: starts as Uint32Array };
    this.addFamily(step, {
      codelet,
      count: vertices,
      inputs,
      outputs: { [out]: written },
      states,
      tiles:
        order === null
          ? tiles.slice()
          : Uint16Array.from({ length: vertices }, (_, index) => tiles[order[(starts as Uint32Array)[index]]]),
    });
  }

  #current(): Operation {
    if (this.#operation === null) throw new Error("internal: vertices are added outside of an operation");
    return this.#operation;
  }
}

/** The numbers of all blocks of a variable. */
function allBlocks({ firstBlock, layout }: BlockVariable): Uint32Array {
  return Uint32Array.from({ length: layout.count }, (_, block) => firstBlock + block);
}

const copies = new Map<ElementType, Codelet>();

/** The codelet that copies a block to where another was. */
function replacing(type: ElementType): Codelet {
  let found = copies.get(type);
  if (found === undefined) copies.set(type, (found = copyBlock(type)));
  return found;
}

const same = (block: number): number => block;
const atLeastOne = (extent: number): number => Math.max(1, extent);

/** Blocks in the order of their tiles, and where each tile that has any begins. */
function groupByTile(
  tiles: Uint16Array,
  tileCount: number,
): { readonly order: Uint32Array; readonly starts: Uint32Array } {
  const ends = new Uint32Array(tileCount + 1);
  for (const tile of tiles) ends[tile + 1]++;
  const starts: number[] = [];
  for (let tile = 0; tile < tileCount; tile++) {
    if (ends[tile + 1] > 0) starts.push(ends[tile]);
    ends[tile + 1] += ends[tile];
  }
  starts.push(tiles.length);
  const order = new Uint32Array(tiles.length);
  for (let block = 0; block < tiles.length; block++) order[ends[tiles[block]]++] = block;
  return { order, starts: Uint32Array.from(starts) };
}
