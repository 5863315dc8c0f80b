import { bestFitPlan } from "./best-fit.ts";
import { PlacedBuffers } from "./placed-buffers.ts";
import type { MemoryPlan, MemoryProblem, TensorBuffer } from "./problem.ts";

/** In which order a greedy plan places buffers; ties are broken by the problem's own order. */
export type GreedyOrder = "size" | "lifespan" | "area" | "start";

const keys: Readonly<Record<GreedyOrder, (buffer: TensorBuffer) => number>> = {
  size: ({ size }) => -size,
  lifespan: ({ start, end }) => start - end,
  area: ({ size, start, end }) => size * (start - end),
  start: ({ start }) => start,
};

/** Every order, the one that is usually best first. */
export const greedyOrders = Object.keys(keys) as readonly GreedyOrder[];

/**
 * Places one buffer after the other in the lowest gap that is free for its whole lifespan (Pisarchyk and Lee,
 * "Efficient memory management for deep neural net inference", 2020: "greedy by size"). Cost: about as many steps as
 * there are pairs of buffers alive together, so that traces of a million allocations take seconds.
 */
export function greedyPlan(problem: MemoryProblem, order: GreedyOrder = "size"): MemoryPlan {
  const { buffers } = problem;
  const key = Float64Array.from(buffers, keys[order]);
  const sequence = Uint32Array.from(buffers.keys()).sort((a, b) => key[a] - key[b] || a - b);
  const placed = new PlacedBuffers(problem);
  const offsets = new Array<number>(buffers.length).fill(0);
  let height = 0;
  for (const index of sequence) {
    const { size, start, end } = buffers[index];
    if (size > 0 && start < end) offsets[index] = placed.place(index);
    height = Math.max(height, offsets[index] + size);
  }
  return { offsets, height };
}

/** Buffers up to which all orders are tried; above, planning is to be quick, and time decides the order. */
const mostTried = 20_000;

/** The lowest of the greedy plans over every order; for very many buffers the plan of best fit alone. */
export function bestGreedyPlan(problem: MemoryProblem): MemoryPlan {
  if (problem.buffers.length > mostTried) return bestFitPlan(problem);
  return greedyOrders
    .map((order) => greedyPlan(problem, order))
    .reduce((best, plan) => (plan.height < best.height ? plan : best));
}
