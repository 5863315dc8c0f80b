import { type BlockEdges, type Blocks, joinBlocks } from "./blocks.ts";
import { forceLayout, type Points } from "./force-layout.ts";
import type { VertexGraph } from "./vertex-graph.ts";

/** The angle by which each seed of a sunflower turns on from the one before. */
const goldenAngle = Math.PI * (3 - Math.sqrt(5));

/**
 * Places blocks: first the groups of one layer and part as if they were single nodes, then the blocks around the places
 * of their groups, moved until pulls and pushes balance. The result is turned so that it is wider than high.
 */
export function layoutBlocks(graph: VertexGraph, blocks: Blocks): Points {
  const edges = joinBlocks(graph, blocks);
  const { groupOf, count } = groupBlocks(graph, blocks);
  const points = startAtGroups(groupOf, layoutGroups(groupOf, count, edges));
  const nodes = blocks.count;
  const mean = edges.weight.reduce((sum, weight) => sum + weight, 0) / Math.max(1, edges.weight.length);
  const degree = new Float64Array(nodes);
  const strength = edges.weight.map((weight) => Math.sqrt(weight / mean));
  strength.forEach((value, edge) => {
    degree[edges.from[edge]] += value;
    degree[edges.to[edge]] += value;
  });
  const meanDegree = Math.max(1e-9, degree.reduce((sum, value) => sum + value, 0) / nodes);
  // Blocks that many read push harder, so that what hangs on them has room to spread.
  const mass = degree.map((value) => 1 + value / meanDegree);
  const pull = strength.map((value) => value / meanDegree);
  forceLayout(
    points,
    mass,
    { from: edges.from, to: edges.to, pull },
    { repulsion: 0.8, gravity: 0.4, steps: 220, reach: 4 },
  );
  turnWide(points);
  return points;
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

/** Every block near its group, as the seeds of a sunflower. */
function startAtGroups(groupOf: Uint32Array, groups: Points): Points {
  const seen = new Uint32Array(groups.x.length);
  const points = { x: new Float64Array(groupOf.length), y: new Float64Array(groupOf.length) };
  groupOf.forEach((group, block) => {
    const seed = seen[group]++;
    const radius = 0.9 * Math.sqrt(seed + 0.5);
    points.x[block] = 0.35 * groups.x[group] + radius * Math.cos(seed * goldenAngle);
    points.y[block] = 0.35 * groups.y[group] + radius * Math.sin(seed * goldenAngle);
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
