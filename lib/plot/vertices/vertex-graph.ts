import type { GraphColumn } from "../../compiler/index.ts";

/** A run of neighbouring vertices that do the same for the same layer. */
export interface VertexSection {
  /** The layer's name, such as `conv3`. */
  readonly layer: string;
  /** What the vertices are for in a training step; sections alike in layer and part stand together. */
  readonly part: GraphColumn;
  readonly codelet: string;
  /** Vertices from `start` to below `end`. */
  readonly start: number;
  readonly end: number;
}

/**
 * The edges into a run of neighbouring vertices. Vertex `firstVertex + i` reads from `producers[starts[i]]` to below
 * `producers[starts[i + 1]]`, and `starts` begins with 0. Large graphs give several runs so that no array needs to hold
 * all edges.
 */
export interface EdgeRun {
  readonly firstVertex: number;
  /** One entry more than there are vertices in the run. */
  readonly starts: Uint32Array;
  /** The number of the vertex that makes what is read. */
  readonly producers: Uint32Array;
}

/** A graph of vertices as columns of numbers: all that a picture of its structure needs. */
export interface VertexGraph {
  readonly kind: "vertex-graph";
  readonly title: string;
  readonly vertexCount: number;
  /** In order, without gaps. */
  readonly sections: readonly VertexSection[];
  /**
   * In order, without gaps; an edge goes from the producer to the consumer of a tensor. Runs are asked for more than once;
   * those of large graphs are made anew each time, so that only some of them are in memory, and one holds until the next
   * is asked for.
   */
  readonly edges: Iterable<EdgeRun>;
  /** Edges of all runs; where it is not told, they are counted. */
  readonly edgeCount?: number;
  /** The tile of each vertex, where vertices have been mapped. */
  readonly tiles?: ArrayLike<number>;
  /** Bytes of what each vertex makes. */
  readonly bytes?: ArrayLike<number>;
}

/** Number of edges of all runs. */
export function countEdges({ edges, edgeCount }: VertexGraph): number {
  if (edgeCount !== undefined) return edgeCount;
  let count = 0;
  for (const { starts } of edges) count += starts[starts.length - 1];
  return count;
}

/** Fails unless sections and runs of edges cover all vertices in order. Producers are checked where they are read. */
export function checkVertexGraph({ vertexCount, sections, edges }: VertexGraph): void {
  let next = 0;
  for (const { layer, part, start, end } of sections) {
    if (start !== next || end < start) {
      throw new Error(
        `plot.bigPicture: sections must cover the vertices in order, got ${start} to ${end} after ${next} (${layer} ${part}); sort them and leave no gap`,
      );
    }
    next = end;
  }
  if (next !== vertexCount) {
    throw new Error(
      `plot.bigPicture: sections must cover all vertices, got ${next} of ${vertexCount}; add what is missing`,
    );
  }
  next = 0;
  for (const { firstVertex, starts, producers } of edges) {
    if (firstVertex !== next || starts[0] !== 0 || starts[starts.length - 1] > producers.length) {
      throw new Error(
        `plot.bigPicture: runs of edges must follow each other, got one of ${starts.length - 1} vertices from ${firstVertex} with ${producers.length} producers after ${next}; give starts that begin with 0 and have one entry more than vertices`,
      );
    }
    next = firstVertex + starts.length - 1;
  }
  if (next !== vertexCount) {
    throw new Error(
      `plot.bigPicture: runs of edges must cover all vertices, got ${next} of ${vertexCount}; give empty ones too`,
    );
  }
}
