import { bestFitPlan } from "./best-fit.ts";
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
 * "Efficient memory management for deep neural net inference", 2020: "greedy by size"). Cost: O(n²) and better.
 */
export function greedyPlan({ buffers }: MemoryProblem, order: GreedyOrder = "size"): MemoryPlan {
  const key = keys[order];
  const sequence = buffers.map((_, index) => index).sort((a, b) => key(buffers[a]) - key(buffers[b]) || a - b);
  const offsets = new Array<number>(buffers.length).fill(0);
  // Placed buffers in the order of their offsets.
  const placed: number[] = [];
  let height = 0;
  for (const index of sequence) {
    const { size, alignment, start, end } = buffers[index];
    let offset = 0;
    if (size > 0 && start < end) {
      for (const other of placed) {
        const neighbour = buffers[other];
        if (neighbour.start >= end || start >= neighbour.end) continue;
        if (offset + size <= offsets[other]) break;
        offset = Math.max(offset, alignUp(offsets[other] + neighbour.size, alignment));
      }
      offsets[index] = offset;
      placed.splice(firstAbove(placed, offsets, offset), 0, index);
    }
    height = Math.max(height, offset + size);
  }
  return { offsets, height };
}

/** Buffers up to which all pairs are looked at; above, time alone decides the order. */
const mostPairs = 20_000;

/** The lowest of the greedy plans over every order; for very many buffers the plan of best fit alone. */
export function bestGreedyPlan(problem: MemoryProblem): MemoryPlan {
  if (problem.buffers.length > mostPairs) return bestFitPlan(problem);
  return greedyOrders
    .map((order) => greedyPlan(problem, order))
    .reduce((best, plan) => (plan.height < best.height ? plan : best));
}

function alignUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

function firstAbove(placed: readonly number[], offsets: readonly number[], offset: number): number {
  let low = 0;
  let high = placed.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (offsets[placed[middle]] <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
