import {
  type BlockGraph,
  type BlockLayout,
  type BlockStep,
  type BlockVariable,
  columnStart,
  type Run,
  stateAt,
  type VertexFamily,
} from "../graph/index.ts";
import {
  allocateElements,
  allocateStored,
  type Elements,
  loadElements,
  type Stored,
  storeElements,
} from "./storage.ts";
import { cellOver } from "./vertex-runner.ts";

/** The values of a block graph's variables; those that share memory share it here. */
export class BlockStorage {
  readonly #arrays: Stored[];

  constructor(graph: BlockGraph) {
    this.#arrays = [];
    for (const { storage, type, layout, value, id } of graph.variables) {
      const own = storage === id ? allocateStored(type, layout.elements) : this.#arrays[storage];
      if (storage === id && value !== 0) {
        const all = new Float32Array(layout.elements).fill(value);
        storeElements(type, own, { start: 0, count: layout.elements, step: 1 }, all);
      }
      this.#arrays.push(own);
    }
  }

  /** Where the elements of a block lie. */
  #run({ layout, firstBlock }: BlockVariable, block: number): Pick<Run, "start" | "count" | "step"> {
    return { start: layout.offsetOf(block - firstBlock), count: layout.elementsOf(block - firstBlock), step: 1 };
  }

  /** The elements of a block: as they lie, so that what is written there is in memory, but for halves, which are copied. */
  #open(variable: BlockVariable, block: number): Elements {
    const array = this.#arrays[variable.id];
    const run = this.#run(variable, block);
    if (!(array instanceof Uint16Array)) return array.subarray(run.start, run.start + run.count);
    const values = new Float32Array(run.count);
    loadElements(variable.type, array, run, values);
    return values;
  }

  /** Replaces a tensor's values, given in row-major order. */
  write({ id, type }: BlockVariable, layout: BlockLayout, values: ArrayLike<number>): void {
    const places = layout.storagePlaces();
    const stored = new Float64Array(places.length);
    for (let position = 0; position < places.length; position++) stored[places[position]] = values[position];
    storeElements(type, this.#arrays[id], { start: 0, count: places.length, step: 1 }, stored);
  }

  /** A copy of a tensor's values in row-major order. */
  read({ id, type }: BlockVariable, layout: BlockLayout): Elements {
    const places = layout.storagePlaces();
    const stored = allocateElements(type, places.length);
    loadElements(type, this.#arrays[id], { start: 0, count: places.length, step: 1 }, stored);
    const values = allocateElements(type, places.length);
    for (let position = 0; position < places.length; position++) values[position] = stored[places[position]];
    return values;
  }

  /** Runs the vertices of a family, or copies a tensor. */
  perform(step: BlockStep): void {
    if (step.kind === "execute") this.run(step.family);
    else this.#arrays[step.to.id].set(this.#arrays[step.from.id] as never);
  }

  /**
   * Runs all vertices of a family.
   *
   * @throws Error naming the vertex if its codelet fails
   */
  run(family: VertexFamily): void {
    const { codelet } = family;
    const closing: (() => void)[] = [];
    for (let vertex = 0; vertex < family.count; vertex++) {
      const handed: Record<string, unknown> = {};
      for (const column of [...family.inputs, ...family.outputs]) {
        const { field, variable, blocks } = column;
        const declared = codelet.fields[field];
        const start = columnStart(column, vertex);
        const end = columnStart(column, vertex + 1);
        const at = (place: number): Elements => {
          const block = blocks === null ? variable.firstBlock + place : blocks[place];
          const values = this.#open(variable, block);
          if (declared.kind === "edge" && declared.direction === "output" && variable.type === "half") {
            const memory = this.#arrays[variable.id];
            closing.push(() => storeElements("half", memory, this.#run(variable, block), values));
          }
          return values;
        };
        if (declared.kind === "state") throw new Error(`internal: state "${field}" has a column of blocks`);
        if (declared.extent === "vectors") {
          handed[field] = Array.from({ length: end - start }, (_, index) => at(start + index));
        } else if (declared.extent === "vector") handed[field] = at(start);
        else handed[field] = declared.direction === "input" ? at(start)[0] : cellOver(at(start));
      }
      for (const [field, column] of Object.entries(family.states)) handed[field] = stateAt(column, vertex);
      try {
        codelet.compute(handed as Parameters<typeof codelet.compute>[0]);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(
          `vertex ${family.firstVertex + vertex}, ${family.name}/${codelet.name}: a codelet must compute within its fields, got "${reason}" (tile ${family.tiles[vertex]}); correct the codelet or what its fields are connected to`,
          { cause: error },
        );
      }
      for (const close of closing.splice(0)) close();
    }
  }
}
