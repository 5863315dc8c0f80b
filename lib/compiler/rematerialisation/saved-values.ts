import type { Value } from "../../ir/index.ts";
import { bytesOf } from "../../tensor/index.ts";
import type { Tape } from "./tape.ts";

/** What the forward pass leaves for the backward pass: the bytes that make training large. */
export interface SavedValue {
  readonly value: Value;
  readonly bytes: number;
  /** Path of the layer that makes it; empty for data. */
  readonly layer: string;
  /** Position of the operation that makes it; −1 for data. */
  readonly made: number;
  /** Position after which only the backward pass reads it. */
  readonly lastForward: number;
  /** Positions of operations of the backward pass that read it or a view of it, in order. */
  readonly readers: readonly number[];
}

/** An operation with more arithmetic than this for each element that it touches is a product or a convolution. */
const flopsPerElement = 4;

/**
 * The values, data among them, that the forward pass makes and the backward pass reads after something heavy has come
 * between: those that could be elsewhere, or smaller, in the meantime. What goes outside stays where it is.
 */
export function savedValues(tape: Tape): readonly SavedValue[] {
  const { graph, forward, backward, inputs, root, producer, bytes, pieces } = tape;
  const lastForward = new Map<number, number>();
  for (const position of forward) {
    for (const id of inputs[position]) lastForward.set(root[id], position);
    for (const id of tape.outputs[position]) lastForward.set(root[id], position);
  }
  const readers = new Map<number, number[]>();
  for (const position of backward) {
    for (const id of new Set(Array.from(inputs[position], (input) => root[input]))) {
      const known = readers.get(id);
      if (known === undefined) readers.set(id, [position]);
      else known.push(position);
    }
  }
  const outside = new Set(graph.outputs.map(({ value }) => root[value.id]));
  const heavy = heavyOperations(tape);
  const found: SavedValue[] = [];
  const consider = (value: Value, size: number, layer: string): void => {
    const { id } = value;
    const last = lastForward.get(id);
    const read = readers.get(id);
    if (size === 0 || last === undefined || read === undefined || outside.has(id)) return;
    const isSeparated = read[0] > last && heavy[read[0]] > heavy[last + 1];
    if (isSeparated) found.push({ value, bytes: size, layer, made: producer[id], lastForward: last, readers: read });
  };
  for (const { value, role } of graph.inputs) if (role === "data") consider(value, bytesOf(value.type), "");
  for (const position of forward) {
    const { outputs, layer } = graph.operations[position];
    for (const value of outputs) {
      const { id, type } = value;
      if (root[id] === id) consider(value, pieces.has(id) ? bytesOf(type) : bytes[id], layer);
    }
  }
  return found;
}

/** By position: how many heavy operations stand before it. */
export function heavyOperations({ graph, flops }: Tape): Int32Array {
  const before = new Int32Array(graph.operations.length + 1);
  for (const [position, { inputs, outputs }] of graph.operations.entries()) {
    let touched = 0;
    for (const { type } of [...inputs, ...outputs]) touched += bytesOf(type) / 4;
    before[position + 1] = before[position] + (flops[position] > flopsPerElement * touched ? 1 : 0);
  }
  return before;
}
