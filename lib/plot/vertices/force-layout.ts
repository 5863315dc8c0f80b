import { buildQuadtree, type Quadtree, repel } from "./quadtree.ts";

/** Points of a layout: one x and y a node. */
export interface Points {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** What pulls and pushes. Lengths have no unit: a layout is scaled to its picture when it is done. */
export interface Forces {
  /** How strongly nodes push each other apart: force = repulsion · mass · mass / distance. */
  readonly repulsion: number;
  /** Pull toward the middle, the same at any distance. */
  readonly gravity: number;
  readonly steps: number;
  /** The longest move of the first step; the last ones are a hundredth of it. */
  readonly reach: number;
}

/** Edges with the strength of their pull: force = pull · log(1 + distance). */
export interface Pulls {
  readonly from: Uint32Array;
  readonly to: Uint32Array;
  readonly pull: Float64Array;
}

/**
 * Moves points by forces until they rest: repulsion with the inverse of the distance between all pairs (after Barnes
 * and Hut, "A hierarchical O(N log N) force-calculation algorithm", 1986), logarithmic attraction along edges (after
 * Noack, "Energy models for graph clustering", 2007, which keeps clusters apart), and a mild pull to the middle. Every
 * sum is taken in the order of the nodes, so that the same input gives the same bits.
 */
export function forceLayout({ x, y }: Points, mass: Float64Array, pulls: Pulls, forces: Forces): void {
  const count = x.length;
  const forceX = new Float64Array(count);
  const forceY = new Float64Array(count);
  const lastX = new Float64Array(count);
  const lastY = new Float64Array(count);
  const { from, to, pull } = pulls;
  let tree: Quadtree | undefined;
  for (let step = 0; step < forces.steps; step++) {
    forceX.fill(0);
    forceY.fill(0);
    tree = buildQuadtree(x, y, mass, tree);
    repel(tree, x, y, mass, forces.repulsion, forceX, forceY);
    for (let edge = 0; edge < from.length; edge++) {
      const a = from[edge];
      const b = to[edge];
      const dx = x[b] - x[a];
      const dy = y[b] - y[a];
      const distance = Math.sqrt(dx * dx + dy * dy) + 1e-9;
      const strength = (pull[edge] * Math.log1p(distance)) / distance;
      forceX[a] += strength * dx;
      forceY[a] += strength * dy;
      forceX[b] -= strength * dx;
      forceY[b] -= strength * dy;
    }
    const progress = step / forces.steps;
    const reach = forces.reach * (1 - progress) ** 1.5 + forces.reach * 0.01;
    for (let node = 0; node < count; node++) {
      const distance = Math.sqrt(x[node] * x[node] + y[node] * y[node]) + 1e-9;
      const fx = forceX[node] - (forces.gravity * x[node]) / distance;
      const fy = forceY[node] - (forces.gravity * y[node]) / distance;
      const size = Math.sqrt(fx * fx + fy * fy) + 1e-12;
      // What turns back swings about its place and is slowed down.
      const turn = fx * lastX[node] + fy * lastY[node];
      const brake = turn < 0 ? 0.35 : 1;
      const move = (brake * Math.min(size, reach)) / size;
      lastX[node] = fx;
      lastY[node] = fy;
      x[node] += fx * move;
      y[node] += fy * move;
    }
  }
}
