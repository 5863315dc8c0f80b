import type { GraphColumn } from "../../compiler/index.ts";
import {
  type BlockColumn,
  type BlockGraph,
  blockBytes,
  columnStart,
  ProducerIndex,
  type VertexFamily,
} from "../../graph/index.ts";
import { mostVertices } from "./stored-vertices.ts";
import type { EdgeRun, VertexGraph, VertexSection } from "./vertex-graph.ts";

/**
 * A block graph as a picture reads it: a section for each family, and its edges in runs that are made when they are asked
 * for. An edge goes from the vertex that makes a block to one that reads it; what comes from outside, such as weights, has
 * no edge.
 */
export function readBlockGraph(graph: BlockGraph, title: string): VertexGraph {
  const partOf = partsOf(graph);
  const sections = graph.families.map(
    ({ layer, codelet, firstVertex, count }, family): VertexSection => ({
      layer,
      part: partOf[family],
      codelet: codelet.name,
      start: firstVertex,
      end: firstVertex + count,
    }),
  );
  const index = new ProducerIndex();
  const { families, vertexCount } = graph;
  return {
    kind: "vertex-graph",
    title,
    vertexCount,
    sections,
    edges: { [Symbol.iterator]: () => readRuns(families, index) },
    edgeCount: families.reduce((sum, family) => sum + edgesBefore(producedColumns(family), family.count), 0),
    // Of large graphs no vertex is looked at alone.
    ...(vertexCount <= mostVertices && { tiles: readTiles(graph), bytes: readBytes(graph) }),
  };
}

/** The most edges of a run, unless a single vertex has more. */
const edgesOfRun = 1 << 20;

/** What vertices make is written whole before it is read; what has no writer comes from outside. */
function producedColumns({ inputs }: VertexFamily): readonly BlockColumn[] {
  return inputs.filter(({ variable }) => variable.writers.length > 0);
}

/** Edges into the vertices of a family that come before one of them. */
function edgesBefore(columns: readonly BlockColumn[], vertex: number): number {
  return columns.reduce((sum, column) => sum + columnStart(column, vertex), 0);
}

function* readRuns(families: readonly VertexFamily[], index: ProducerIndex): Generator<EdgeRun> {
  const room = { starts: new Room(), next: new Room(), producers: new Room(), found: new Room() };
  for (const family of families) {
    const columns = producedColumns(family);
    for (let start = 0; start < family.count; ) {
      const before = edgesBefore(columns, start);
      // The largest end by halving: edges do not become fewer from vertex to vertex.
      let end = start + 1;
      for (let above = family.count; end < above; ) {
        const middle = Math.ceil((end + above) / 2);
        if (edgesBefore(columns, middle) - before <= edgesOfRun) end = middle;
        else above = middle - 1;
      }
      yield readRun(family.firstVertex, columns, start, end, index, room);
      start = end;
    }
  }
}

/** Numbers of one run after the other in the same place: a new one would have to be cleared by the system, page by page. */
class Room {
  #whole = new Uint32Array(0);

  /** Room for so many numbers, which are those of an earlier run. */
  take(length: number): Uint32Array {
    if (this.#whole.length < length) this.#whole = new Uint32Array(length);
    return this.#whole.subarray(0, length);
  }
}

/** The edges into the vertices of a family from `start` to below `end`. */
function readRun(
  firstVertex: number,
  columns: readonly BlockColumn[],
  start: number,
  end: number,
  index: ProducerIndex,
  room: Readonly<Record<"starts" | "next" | "producers" | "found", Room>>,
): EdgeRun {
  const starts = room.starts.take(end - start + 1).fill(0);
  for (const column of columns) {
    const before = columnStart(column, start);
    for (let vertex = start; vertex < end; vertex++) {
      starts[vertex - start + 1] += columnStart(column, vertex + 1) - before;
    }
  }
  const producers = room.producers.take(starts[end - start]);
  const run = { firstVertex: firstVertex + start, starts, producers };
  if (columns.length === 1) {
    findProducers(columns[0], start, end, index, producers);
    return run;
  }
  // Where the next producer of each vertex belongs: columns stand one behind the other there.
  const next = room.next.take(end - start);
  next.set(starts.subarray(0, end - start));
  for (const column of columns) {
    const found = room.found.take(columnStart(column, end) - columnStart(column, start));
    findProducers(column, start, end, index, found);
    for (let vertex = start, edge = 0; vertex < end; vertex++) {
      const count = columnStart(column, vertex + 1) - columnStart(column, vertex);
      const place = next[vertex - start];
      for (let own = 0; own < count; own++) producers[place + own] = found[edge++];
      next[vertex - start] = place + count;
    }
  }
  return run;
}

/** Writes the producers of a column into the vertices from `start` to below `end`. */
function findProducers(column: BlockColumn, start: number, end: number, index: ProducerIndex, into: Uint32Array): void {
  const first = columnStart(column, start);
  const last = columnStart(column, end);
  if (index.producers(column, first, last, into) === last - first) return;
  throw new Error(
    `internal: every block of "${column.variable.name}" must have a writer, as some of it have (field ${column.field})`,
  );
}

/**
 * The part of each family in a training step. Backward, a family that only updates read, or others of its layer that
 * do the same, makes a gradient for weights; all others pass gradients on to the layer before.
 */
function partsOf({ families }: BlockGraph): GraphColumn[] {
  const readers = new Map<number, VertexFamily[]>();
  for (const family of families) {
    for (const { variable } of family.inputs) {
      const known = readers.get(variable.id);
      if (known) known.push(family);
      else readers.set(variable.id, [family]);
    }
  }
  const parts = new Array<GraphColumn>(families.length).fill("forward");
  for (let family = families.length - 1; family >= 0; family--) {
    const { phase, outputs, layer } = families[family];
    if (phase !== "backward") {
      parts[family] = phase;
      continue;
    }
    const reading = outputs.flatMap(({ variable }) => readers.get(variable.id) ?? []);
    const forWeights = reading.every(
      (reader) => parts[reader.id] === "update" || (parts[reader.id] === "weight gradient" && reader.layer === layer),
    );
    parts[family] = forWeights ? "weight gradient" : "input gradient";
  }
  return parts;
}

function readTiles({ families, vertexCount }: BlockGraph): Uint16Array {
  const tiles = new Uint16Array(vertexCount);
  for (const family of families) tiles.set(family.tiles, family.firstVertex);
  return tiles;
}

/** Bytes that each vertex writes. */
function readBytes({ families, vertexCount }: BlockGraph): Float64Array {
  const bytes = new Float64Array(vertexCount);
  for (const { firstVertex, count, outputs } of families) {
    for (const { variable, blocks, starts, each } of outputs) {
      for (let vertex = 0; vertex < count; vertex++) {
        const end = columnStart({ starts, each }, vertex + 1);
        for (let place = columnStart({ starts, each }, vertex); place < end; place++) {
          const block = blocks === null ? vertex : blocks[place] - variable.firstBlock;
          bytes[firstVertex + vertex] += blockBytes(variable, block);
        }
      }
    }
  }
  return bytes;
}
