import type { GraphColumn } from "../../compiler/index.ts";
import {
  type BlockColumn,
  type BlockGraph,
  blockBytes,
  columnStart,
  external,
  ProducerIndex,
  type VertexFamily,
} from "../../graph/index.ts";
import { mostVertices } from "./stored-vertices.ts";
import type { EdgeRun, VertexGraph, VertexSection } from "./vertex-graph.ts";

/**
 * A block graph as a picture reads it: a section and a run of edges for each family. An edge goes from the vertex that
 * makes a block to one that reads it; what comes from outside, such as weights, has no edge. Runs are in shared memory,
 * four bytes an edge.
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
  const { vertexCount } = graph;
  return {
    kind: "vertex-graph",
    title,
    vertexCount,
    sections,
    edges: graph.families.map((family) => readEdges(family, index)),
    // Of large graphs no vertex is looked at alone.
    ...(vertexCount <= mostVertices && { tiles: readTiles(graph), bytes: readBytes(graph) }),
  };
}

/** How many edges are looked up at a time. */
const edgesAtOnce = 1 << 20;

function readEdges(family: VertexFamily, index: ProducerIndex): EdgeRun {
  const { count, firstVertex } = family;
  // What vertices make is written whole before it is read; what has no writer comes from outside.
  const columns = family.inputs.filter(({ variable }) => variable.writers.length > 0);
  const starts = new Uint32Array(new SharedArrayBuffer(4 * (count + 1)));
  for (let vertex = 0; vertex < count; vertex++) {
    let edges = 0;
    for (const column of columns) edges += columnStart(column, vertex + 1) - columnStart(column, vertex);
    starts[vertex + 1] = starts[vertex] + edges;
  }
  const producers = new Uint32Array(new SharedArrayBuffer(4 * starts[count]));
  const next = starts.slice();
  for (const column of columns) fillProducers(column, count, index, next, producers);
  return { firstVertex, starts, producers };
}

/** Writes the producers of a column to where each vertex's next ones belong. */
function fillProducers(
  column: BlockColumn,
  count: number,
  index: ProducerIndex,
  next: Uint32Array,
  producers: Uint32Array,
): void {
  const buffer = new Uint32Array(Math.min(edgesAtOnce, column.blocks.length));
  let bufferStart = 0;
  let bufferEnd = 0;
  for (let vertex = 0; vertex < count; vertex++) {
    for (let edge = columnStart(column, vertex), end = columnStart(column, vertex + 1); edge < end; edge++) {
      if (edge >= bufferEnd) {
        bufferStart = edge;
        bufferEnd = Math.min(edge + buffer.length, column.blocks.length);
        index.producers(column, bufferStart, bufferEnd, buffer);
      }
      const producer = buffer[edge - bufferStart];
      if (producer === external) {
        throw new Error(
          `internal: a block of "${column.variable.name}" must have a writer, as others of it have (field ${column.field})`,
        );
      }
      producers[next[vertex]++] = producer;
    }
  }
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
