import { type BlockEdges, type Blocks, joinBlocks } from "./blocks.ts";
import { type CoarseGraph, coarsen } from "./coarsen.ts";
import { forceLayout, type Points } from "./force-layout.ts";
import type { VertexGraph } from "./vertex-graph.ts";

/** The angle by which each seed of a sunflower turns on from the one before. */
const goldenAngle = Math.PI * (3 - Math.sqrt(5));
/** Joining goes on as long as it leaves at most this share of the nodes. */
const worthJoining = 0.85;

/** Blocks, or what stands for several of them. */
interface Level {
  readonly count: number;
  readonly edges: BlockEdges;
  /** How many blocks each node stands for. */
  readonly members: Float64Array;
  readonly groupOf: Uint32Array;
}

/**
 * Places blocks: first the groups of one layer and part as if they were single nodes, then, around the places of their
 * groups, the hubs that many blocks exchange with, and last the blocks around their hubs (after Walshaw, "A multilevel
 * algorithm for force-directed graph drawing", 2003). So what works for the same hub opens around it like a flower. The
 * result is turned so that it is wider than high.
 */
export function layoutBlocks(graph: VertexGraph, blocks: Blocks): Points {
  const edges = joinBlocks(graph, blocks);
  const { groupOf, count } = groupBlocks(graph, blocks);
  const groups = layoutGroups(groupOf, count, edges);
  const finest = { count: blocks.count, edges, members: new Float64Array(blocks.count).fill(1), groupOf };
  const points = layoutLevel(finest, (top) => startAtGroups(top, groups, blocks.count), 0);
  turnWide(points);
  return points;
}

/** Places the nodes of a level where a coarser one puts them, or the coarsest where it is told to, and lets them settle. */
function layoutLevel(level: Level, start: (coarsest: Level) => Points, depth: number): Points {
  const coarse = coarsen(level.count, level.edges);
  const points =
    coarse.count > worthJoining * level.count
      ? start(level)
      : spreadMembers(layoutLevel(joinLevel(level, coarse), start, depth + 1), coarse);
  // Stars that were placed as wholes need many steps; blocks that lie around their hubs already need small ones only.
  settle(level, points, depth === 0 ? { steps: 120, reach: 3 } : { steps: 200, reach: 6 });
  return points;
}

function joinLevel(level: Level, { count, coarseOf, centers, edges }: CoarseGraph): Level {
  const members = new Float64Array(count);
  coarseOf.forEach((node, member) => {
    members[node] += level.members[member];
  });
  return { count, edges, members, groupOf: centers.map((center) => level.groupOf[center]) };
}

/** Every member near the place of its coarse node, the center on it; places lie apart as there are more of them. */
function spreadMembers(coarse: Points, { count, coarseOf, centers }: CoarseGraph): Points {
  const spread = Math.sqrt(coarseOf.length / count);
  const seen = new Uint32Array(count);
  const points = { x: new Float64Array(coarseOf.length), y: new Float64Array(coarseOf.length) };
  coarseOf.forEach((node, member) => {
    const seed = centers[node] === member ? 0 : ++seen[node];
    const radius = 0.5 * Math.sqrt(seed);
    points.x[member] = spread * coarse.x[node] + radius * Math.cos(seed * goldenAngle + node);
    points.y[member] = spread * coarse.y[node] + radius * Math.sin(seed * goldenAngle + node);
  });
  return points;
}

/** Moves the nodes of a level until pulls and pushes balance. */
function settle(level: Level, points: Points, pace: { readonly steps: number; readonly reach: number }): void {
  const { from, to, weight } = level.edges;
  const mean = weight.reduce((sum, value) => sum + value, 0) / Math.max(1, weight.length);
  const strength = weight.map((value) => Math.sqrt(value / mean));
  const meanDegree = Math.max(1e-9, (2 * strength.reduce((sum, value) => sum + value, 0)) / level.count);
  const meanMembers = level.members.reduce((sum, value) => sum + value, 0) / level.count;
  // What stands for many needs their room.
  const mass = level.members.map((value) => Math.sqrt(value / meanMembers));
  const pull = strength.map((value) => value / meanDegree);
  forceLayout(points, mass, { from, to, pull }, { repulsion: 2, gravity: 0.4, ...pace });
}

/** The group of each block: sections alike in layer and part. */
function groupBlocks({ sections }: VertexGraph, blocks: Blocks): { groupOf: Uint32Array; count: number } {
  const names = new Map<string, number>();
  const groupOfSection = sections.map(({ layer, part }) => {
    const name = `${layer}\n${part}`;
    const known = names.get(name);
    if (known !== undefined) return known;
    names.set(name, names.size);
    return names.size - 1;
  });
  return { groupOf: blocks.section.map((section) => groupOfSection[section]), count: names.size };
}

/** Places groups around a circle in their order, and moves them by what their blocks exchange. */
function layoutGroups(groupOf: Uint32Array, count: number, edges: BlockEdges): Points {
  const sizes = new Float64Array(count);
  for (const group of groupOf) sizes[group]++;
  const weights = new Map<number, number>();
  for (let edge = 0; edge < edges.from.length; edge++) {
    const a = groupOf[edges.from[edge]];
    const b = groupOf[edges.to[edge]];
    if (a === b) continue;
    const key = Math.min(a, b) * count + Math.max(a, b);
    weights.set(key, (weights.get(key) ?? 0) + edges.weight[edge]);
  }
  const most = Math.max(1, ...weights.values());
  const keys = [...weights.keys()];
  const points = {
    x: sizes.map((_, group) => 100 * Math.cos((2 * Math.PI * group) / count)),
    y: sizes.map((_, group) => 100 * Math.sin((2 * Math.PI * group) / count)),
  };
  const pulls = {
    from: Uint32Array.from(keys, (key) => Math.floor(key / count)),
    to: Uint32Array.from(keys, (key) => key % count),
    pull: Float64Array.from(keys, (key) => 30 * Math.cbrt(weights.get(key)! / most)),
  };
  const mass = sizes.map((size) => Math.sqrt(size) + 2);
  forceLayout(points, mass, pulls, { repulsion: 4, gravity: 0.3, steps: 600, reach: 8 });
  return points;
}

/** Every node near its group, as the seeds of a sunflower. */
function startAtGroups({ count, groupOf }: Level, groups: Points, blockCount: number): Points {
  const spread = 0.35 * Math.sqrt(count / blockCount);
  const seen = new Uint32Array(groups.x.length);
  const points = { x: new Float64Array(count), y: new Float64Array(count) };
  groupOf.forEach((group, node) => {
    const seed = seen[group]++;
    const radius = 0.9 * Math.sqrt(seed + 0.5);
    points.x[node] = spread * groups.x[group] + radius * Math.cos(seed * goldenAngle);
    points.y[node] = spread * groups.y[group] + radius * Math.sin(seed * goldenAngle);
  });
  return points;
}

/** Turns the points so that they spread most from left to right, and the first ones lie at the left and not below. */
function turnWide({ x, y }: Points): void {
  const count = x.length;
  const middleX = x.reduce((sum, value) => sum + value, 0) / count;
  const middleY = y.reduce((sum, value) => sum + value, 0) / count;
  let [xx, yy, xy] = [0, 0, 0];
  for (let point = 0; point < count; point++) {
    x[point] -= middleX;
    y[point] -= middleY;
    xx += x[point] * x[point];
    yy += y[point] * y[point];
    xy += x[point] * y[point];
  }
  // The principal axis of the points' covariance.
  const angle = 0.5 * Math.atan2(2 * xy, xx - yy);
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const flipX = x[0] * cosine + y[0] * sine > 0 ? -1 : 1;
  let skew = 0;
  for (let point = 0; point < count; point++) {
    const across = x[point] * cosine + y[point] * sine;
    const down = y[point] * cosine - x[point] * sine;
    x[point] = flipX * across;
    y[point] = down;
    skew += down ** 3;
  }
  // An open ring opens downward: its ends hang.
  if (skew < 0) for (let point = 0; point < count; point++) y[point] = -y[point];
}
