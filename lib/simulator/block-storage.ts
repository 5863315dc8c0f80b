import {
  type BlockGraph,
  type BlockLayout,
  type BlockStep,
  type BlockVariable,
  columnStart,
  stateAt,
  type VertexFamily,
} from "../graph/index.ts";
import { allocateElements, type Elements, rounded } from "./storage.ts";
import { cellOver } from "./vertex-runner.ts";

/** The values of a block graph's variables; those that share memory share it here. */
export class BlockStorage {
  readonly #arrays: Elements[];

  constructor(graph: BlockGraph) {
    this.#arrays = [];
    for (const { storage, type, layout, value, id } of graph.variables) {
      const own = storage === id ? allocateElements(type, layout.elements) : this.#arrays[storage];
      if (storage === id && value !== 0) own.fill(rounded(type, value));
      this.#arrays.push(own);
    }
  }

  /** The elements of a block as they lie: what is written there is written to the variable. */
  block({ id, layout, firstBlock }: BlockVariable, block: number): Elements {
    const start = layout.offsetOf(block - firstBlock);
    return this.#arrays[id].subarray(start, start + layout.elementsOf(block - firstBlock));
  }

  /** Replaces a tensor's values, given in row-major order. */
  write({ id, type }: BlockVariable, layout: BlockLayout, values: ArrayLike<number>): void {
    const places = layout.storagePlaces();
    const array = this.#arrays[id];
    for (let position = 0; position < places.length; position++) {
      array[places[position]] = type === "half" || type === "bool" ? rounded(type, values[position]) : values[position];
    }
  }

  /** A copy of a tensor's values in row-major order. */
  read({ id, type }: BlockVariable, layout: BlockLayout): Elements {
    const places = layout.storagePlaces();
    const values = allocateElements(type, places.length);
    const array = this.#arrays[id];
    for (let position = 0; position < places.length; position++) values[position] = array[places[position]];
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
    for (let vertex = 0; vertex < family.count; vertex++) {
      const handed: Record<string, unknown> = {};
      for (const column of [...family.inputs, ...family.outputs]) {
        const { field, variable, blocks } = column;
        const declared = codelet.fields[field];
        const start = columnStart(column, vertex);
        const end = columnStart(column, vertex + 1);
        const at = (place: number): Elements =>
          this.block(variable, blocks === null ? variable.firstBlock + place : blocks[place]);
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
    }
  }
}
