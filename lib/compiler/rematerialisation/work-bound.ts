import type { Tape } from "./tape.ts";

/**
 * No plan within a budget adds less arithmetic than this. When the forward pass is over, every value that the backward
 * pass will read is either there or made again by at least the operation that makes it: so the least is a fractional
 * knapsack, the linear programme's optimum over what is there at that moment.
 *
 * @param bytes what may be alive at that moment, besides what is always there
 */
export function leastExtraFlops(tape: Tape, bytes: number): number {
  const { forward, backward, inputs, outputs, root, flops } = tape;
  const read = new Set(backward.flatMap((position) => Array.from(inputs[position], (id) => root[id])));
  const saved: { readonly bytes: number; readonly flops: number }[] = [];
  for (const position of forward) {
    // One repetition makes all results of an operation.
    let size = 0;
    for (const id of outputs[position]) if (read.has(id)) size += tape.bytes[id];
    if (size > 0) saved.push({ bytes: size, flops: flops[position] });
  }
  saved.sort((a, b) => a.flops / a.bytes - b.flops / b.bytes);
  let excess = saved.reduce((sum, value) => sum + value.bytes, 0) - bytes;
  let least = 0;
  for (const value of saved) {
    if (excess <= 0) break;
    least += value.flops * Math.min(1, excess / value.bytes);
    excess -= value.bytes;
  }
  return least;
}
