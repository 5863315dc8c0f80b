import type { BlockEdges } from "./blocks.ts";

/** A graph of fewer nodes that stands for another. */
export interface CoarseGraph {
  readonly count: number;
  /** The coarse node that each node belongs to. */
  readonly coarseOf: Uint32Array;
  /** Of each coarse node, the member around which the others lie. */
  readonly centers: Uint32Array;
  /** Each pair of coarse nodes once, with the sum of the weights between their members. */
  readonly edges: BlockEdges;
}

/** A node joins its strongest neighbour if it has at least this share of all that the node exchanges. */
const joiningShare = 0.3;

/**
 * Joins nodes that have a strong neighbour with that neighbour: the many that work for one become a star around it.
 * Nodes that exchange with many alike stay by themselves. The result depends on the numbering of the nodes alone.
 *
 * Cost: O(edges + nodes · log nodes).
 */
export function coarsen(count: number, edges: BlockEdges): CoarseGraph {
  const { from, to, weight } = edges;
  const total = new Float64Array(count);
  for (let edge = 0; edge < from.length; edge++) {
    total[from[edge]] += weight[edge];
    total[to[edge]] += weight[edge];
  }
  const strongest = strongestNeighbours(count, edges, total);
  const unknown = count;
  const centerOf = new Uint32Array(count).fill(unknown);
  // Small nodes choose first, so that what they choose becomes a center before it can choose itself.
  const order = Uint32Array.from(total.keys()).sort((a, b) => total[a] - total[b] || a - b);
  for (const node of order) {
    if (centerOf[node] !== unknown) continue;
    const { neighbour, weight: most } = { neighbour: strongest.node[node], weight: strongest.weight[node] };
    const joins = most >= joiningShare * total[node] && most > 0;
    if (joins && (centerOf[neighbour] === unknown || centerOf[neighbour] === neighbour)) {
      centerOf[neighbour] = neighbour;
      centerOf[node] = neighbour;
    } else centerOf[node] = node;
  }
  const numbers = new Uint32Array(count);
  const centers: number[] = [];
  for (let node = 0; node < count; node++) if (centerOf[node] === node) numbers[node] = centers.push(node) - 1;
  const coarseOf = centerOf.map((center) => numbers[center]);
  return {
    count: centers.length,
    coarseOf,
    centers: Uint32Array.from(centers),
    edges: joinEdges(coarseOf, centers.length, edges),
  };
}

/** The neighbour with which each node exchanges most; among equals the one that exchanges more with others. */
function strongestNeighbours(
  count: number,
  { from, to, weight }: BlockEdges,
  total: Float64Array,
): { readonly node: Uint32Array; readonly weight: Float64Array } {
  const node = new Uint32Array(count);
  const most = new Float64Array(count);
  const offer = (to: number, neighbour: number, offered: number): void => {
    if (offered < most[to]) return;
    if (offered === most[to] && total[neighbour] <= total[node[to]]) return;
    most[to] = offered;
    node[to] = neighbour;
  };
  for (let edge = 0; edge < from.length; edge++) {
    offer(from[edge], to[edge], weight[edge]);
    offer(to[edge], from[edge], weight[edge]);
  }
  return { node, weight: most };
}

function joinEdges(coarseOf: Uint32Array, count: number, { from, to, weight }: BlockEdges): BlockEdges {
  const sums = new Map<number, number>();
  for (let edge = 0; edge < from.length; edge++) {
    const a = coarseOf[from[edge]];
    const b = coarseOf[to[edge]];
    if (a === b) continue;
    const key = Math.min(a, b) * count + Math.max(a, b);
    sums.set(key, (sums.get(key) ?? 0) + weight[edge]);
  }
  const keys = [...sums.keys()];
  return {
    from: Uint32Array.from(keys, (key) => Math.floor(key / count)),
    to: Uint32Array.from(keys, (key) => key % count),
    weight: Float64Array.from(sums.values()),
  };
}
