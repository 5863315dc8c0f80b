import type { VertexGraph } from "./vertex-graph.ts";

/** Neighbouring vertices of one section, placed together: the nodes of the layout. */
export interface Blocks {
  readonly count: number;
  /** Block b holds the vertices from starts[b] to below starts[b + 1]. */
  readonly starts: Uint32Array;
  /** The section of each block. */
  readonly section: Uint32Array;
}

/** Cuts every section into blocks of about equal size, such that there are about `wanted` blocks in all. */
export function divideIntoBlocks({ vertexCount, sections }: VertexGraph, wanted: number): Blocks {
  const size = Math.max(1, vertexCount / wanted);
  const starts: number[] = [];
  const section: number[] = [];
  sections.forEach(({ start, end }, index) => {
    const count = Math.max(1, Math.round((end - start) / size));
    if (end === start) return;
    for (let part = 0; part < count; part++) {
      starts.push(start + Math.floor(((end - start) * part) / count));
      section.push(index);
    }
  });
  starts.push(vertexCount);
  return { count: section.length, starts: Uint32Array.from(starts), section: Uint32Array.from(section) };
}

/** How many edges go from block to block, each pair once, the direction forgotten; those inside of blocks are left out. */
export interface BlockEdges {
  readonly from: Uint32Array;
  readonly to: Uint32Array;
  readonly weight: Float64Array;
}

/** Adds up edges between blocks. Cost: O(vertices + edges), and one array of four bytes a vertex. */
export function joinBlocks(graph: VertexGraph, blocks: Blocks): BlockEdges {
  const blockOf = new Uint32Array(graph.vertexCount);
  for (let block = 0; block < blocks.count; block++) {
    blockOf.fill(block, blocks.starts[block], blocks.starts[block + 1]);
  }
  const from: number[] = [];
  const to: number[] = [];
  const weight: number[] = [];
  // For each block that makes something, where the edge to the consumer of this turn stands.
  const place = new Int32Array(blocks.count).fill(-1);
  let first = 0;
  let consumer = -1;
  for (const { firstVertex, starts, producers } of graph.edges) {
    for (let index = 0; index + 1 < starts.length; index++) {
      const block = blockOf[firstVertex + index];
      if (block !== consumer) {
        consumer = block;
        first = from.length;
      }
      for (let edge = starts[index], end = starts[index + 1]; edge < end; edge++) {
        const producer = blockOf[producers[edge]];
        if (producer === consumer) continue;
        if (producer === undefined) {
          throw new Error(
            `plot.bigPicture: producers must be vertices, got ${producers[edge]} of ${graph.vertexCount} (read by vertex ${firstVertex + index}); leave out what comes from outside`,
          );
        }
        const known = place[producer];
        if (known >= first) weight[known]++;
        else {
          place[producer] = from.length;
          from.push(producer);
          to.push(consumer);
          weight.push(1);
        }
      }
    }
  }
  return { from: Uint32Array.from(from), to: Uint32Array.from(to), weight: Float64Array.from(weight) };
}
