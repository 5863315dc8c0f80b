import { type SearchProblem, sectionLoads } from "./search-problem.ts";

/**
 * The orders in which buffers that could go equally low are tried: for each order a weight by buffer, the heaviest
 * first. Fullest section first, then the longest, then the largest is the order that MiniMalloc's paper calls TWA; the
 * others differ in what they put first.
 */
export function offsetOrders(problem: SearchProblem): Float64Array[] {
  const { count, size, first, last } = problem;
  const loads = sectionLoads(problem);
  const total = (buffer: number): number => loads.subarray(first[buffer], last[buffer] + 1).reduce(larger);
  const width = (buffer: number): number => last[buffer] - first[buffer] + 1;
  const area = (buffer: number): number => size[buffer] * width(buffer);
  const units = (buffer: number): number => size[buffer];
  const orders = [[total, width, area], [width, area], [area], [units], [total, area, width]];
  return orders.map((keys) => ranks(count, keys));
}

function larger(a: number, b: number): number {
  return Math.max(a, b);
}

/** Positions in ascending order of the first key, of the second where that is equal, and so on. */
function ranks(count: number, keys: readonly ((buffer: number) => number)[]): Float64Array {
  const columns = keys.map((key) => Float64Array.from({ length: count }, (_, buffer) => key(buffer)));
  const sorted = Array.from({ length: count }, (_, buffer) => buffer).sort((a, b) => {
    for (const column of columns) if (column[a] !== column[b]) return column[a] - column[b];
    return b - a;
  });
  const weight = new Float64Array(count);
  for (const [rank, buffer] of sorted.entries()) weight[buffer] = rank;
  return weight;
}
