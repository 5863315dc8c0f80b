import {
  type BlockColumn,
  type BlockGraph,
  type BlockVariable,
  columnLength,
  type VertexFamily,
} from "./block-graph.ts";

/** What edges of a block that nothing in the graph has written have in place of a producer. */
export const external = 0xffffffff;

/** Finds the vertex that wrote a block, for many blocks at once. Made once for a graph that no longer grows. */
export class ProducerIndex {
  // Of variables that are written otherwise than block i by vertex i: the vertex of each block.
  readonly #vertices = new Map<number, Uint32Array>();

  /** The vertex of each block of a variable that is not simply block `i` by vertex `i`. */
  #listOf(variable: BlockVariable): Uint32Array {
    const known = this.#vertices.get(variable.id);
    if (known !== undefined) return known;
    const vertices = new Uint32Array(variable.layout.count).fill(external);
    for (const family of variable.writers) {
      for (const { variable: written, blocks, starts, each } of family.outputs) {
        if (written !== variable || blocks === null) continue;
        for (let vertex = 0; vertex < family.count; vertex++) {
          const end = starts === null ? (vertex + 1) * each : starts[vertex + 1];
          for (let place = starts === null ? vertex * each : starts[vertex]; place < end; place++) {
            vertices[blocks[place] - variable.firstBlock] = family.firstVertex + vertex;
          }
        }
      }
    }
    this.#vertices.set(variable.id, vertices);
    return vertices;
  }

  /**
   * Graph-wide numbers of the vertices from which the edges `from` up to, not including, `to` of a column come;
   * `external` where no vertex has made the block.
   *
   * @param into where they are written, from its beginning; at least `to - from` long
   * @returns how many of them come from a vertex
   */
  producers({ variable, blocks }: BlockColumn, from: number, to: number, into: Uint32Array): number {
    const { writers, firstBlock } = variable;
    if (writers.length === 0) {
      into.fill(external, 0, to - from);
      return 0;
    }
    const [writer] = writers;
    if (
      writers.length === 1 &&
      writer.outputs.some((column) => column.variable === variable && column.blocks === null)
    ) {
      const shift = writer.firstVertex - firstBlock;
      for (let edge = from; edge < to; edge++) into[edge - from] = blocks[edge] + shift;
      return to - from;
    }
    const vertices = this.#listOf(variable);
    let made = 0;
    for (let edge = from; edge < to; edge++) {
      const vertex = vertices[blocks[edge] - firstBlock];
      if (vertex !== external) made++;
      into[edge - from] = vertex;
    }
    return made;
  }
}

/** Vertices and edges of a part of a graph. */
export interface EdgeCounts {
  readonly vertices: number;
  /** Every field's edges: inputs and outputs. */
  readonly fields: number;
  /** Edges of fields that are read. */
  readonly inputs: number;
  /** Edges of fields that are read and whose block another vertex has made. */
  readonly produced: number;
}

/** The counts of some families together. */
export function countEdges(families: readonly VertexFamily[]): EdgeCounts {
  const counts = { vertices: 0, fields: 0, inputs: 0, produced: 0 };
  for (const family of families) {
    counts.vertices += family.count;
    for (const column of family.inputs) {
      counts.inputs += column.blocks.length;
      // A variable with a writer is written whole before it is read: lowering has no other.
      if (column.variable.writers.length > 0) counts.produced += column.blocks.length;
    }
    counts.fields += family.outputs.reduce((sum, column) => sum + columnLength(column, family), 0);
  }
  counts.fields += counts.inputs;
  return counts;
}

/** Families that belong together, by what `key` says of them, in the order in which the first of each comes. */
export function groupFamilies<K>(graph: BlockGraph, key: (family: VertexFamily) => K): Map<K, VertexFamily[]> {
  const groups = new Map<K, VertexFamily[]>();
  for (const family of graph.families) {
    const group = groups.get(key(family));
    if (group === undefined) groups.set(key(family), [family]);
    else group.push(family);
  }
  return groups;
}
