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

/** How far a shaken order moves a buffer at most, as a share of all buffers. */
const shake = 0.3;

/** Nearly the same order, another one for each `seed`. */
export function shaken(weight: Float64Array, seed: number): Float64Array {
  return weight.map((rank, buffer) => rank + shake * weight.length * scattered(seed, buffer));
}

/** A number from 0 to 1 that two numbers determine and that looks drawn (the last steps of MurmurHash3: Appleby, 2011). */
function scattered(a: number, b: number): number {
  let bits = Math.imul(a, 0x9e3779b9) ^ b;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32;
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
