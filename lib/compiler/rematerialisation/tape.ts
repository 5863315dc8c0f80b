import type { Operation, OperatorGraph } from "../../ir/index.ts";
import { type OperatorName, operatorTable } from "../../ops/index.ts";
import { bytesOf } from "../../tensor/index.ts";

/**
 * A training graph as planning sees it, by numbers: operations by their position in the graph, values by their id.
 * Forward are the operations of that phase; all others are called backward here, updates among them.
 */
export interface Tape {
  readonly graph: OperatorGraph;
  /** Positions of operations, in order. */
  readonly forward: readonly number[];
  readonly backward: readonly number[];
  /** Ids of operands and of results by operation. */
  readonly inputs: readonly Int32Array[];
  readonly outputs: readonly Int32Array[];
  /** Arithmetic by operation. */
  readonly flops: Float64Array;
  /** By value: the operation that makes it, −1 for what comes from outside. */
  readonly producer: Int32Array;
  /** By value: the value of which it shows the bytes; itself where it is not a view. */
  readonly root: Int32Array;
  /** By value: bytes that it takes; 0 for views, for what no target stores and for pieces of what comes from outside. */
  readonly bytes: Float64Array;
  /**
   * Pieces of what comes from outside, such as the steps of a sequence: like the whole they are there as long as anybody
   * reads them, and never made again, for one cut makes all of them.
   */
  readonly pieces: ReadonlySet<number>;
  /** By root: its views. */
  readonly views: ReadonlyMap<number, readonly number[]>;
}

/**
 * Reads a graph as a tape.
 *
 * @param stored ids of the values that the target stores at all; every value unless told
 */
export function tapeOf(graph: OperatorGraph, stored?: ReadonlySet<number>): Tape {
  const { inputs, operations } = graph;
  let count = 0;
  for (const { value } of inputs) count = Math.max(count, value.id + 1);
  for (const { outputs } of operations) for (const { id } of outputs) count = Math.max(count, id + 1);
  const producer = new Int32Array(count).fill(-1);
  const root = Int32Array.from({ length: count }, (_, id) => id);
  const bytes = new Float64Array(count);
  const views = new Map<number, number[]>();
  const flops = new Float64Array(operations.length);
  const late = new Uint8Array(count);
  const pieces = new Set<number>();
  const forward: number[] = [];
  const backward: number[] = [];
  for (const [position, operation] of operations.entries()) {
    const { phase, outputs } = operation;
    // What a graph of one's own making computes forward from something backward comes after it.
    const isForward = phase === "forward" && operation.inputs.every(({ id }) => late[id] === 0);
    (isForward ? forward : backward).push(position);
    flops[position] = flopsOf(operation);
    const isCut = operation.operator === "split" && producer[root[operation.inputs[0].id]] < 0;
    for (const { id, type } of outputs) {
      producer[id] = position;
      if (!isForward) late[id] = 1;
      if (isView(operation)) {
        root[id] = root[operation.inputs[0].id];
        const shown = views.get(root[id]);
        if (shown === undefined) views.set(root[id], [id]);
        else shown.push(id);
      } else if (isCut) pieces.add(id);
      else if (stored === undefined || stored.has(id)) bytes[id] = bytesOf(type);
    }
  }
  // A value may be stored under the name of a view alone.
  if (stored !== undefined) {
    for (const { outputs } of operations) {
      for (const { id, type } of outputs) {
        if (root[id] !== id && stored.has(id) && !pieces.has(root[id])) bytes[root[id]] = bytesOf(type);
      }
    }
    for (const { value } of inputs) bytes[value.id] = 0;
  }
  const ids = (values: Operation["inputs"]): Int32Array => Int32Array.from(values, ({ id }) => id);
  return {
    graph,
    forward,
    backward,
    inputs: operations.map((operation) => ids(operation.inputs)),
    outputs: operations.map((operation) => ids(operation.outputs)),
    flops,
    producer,
    root,
    bytes,
    pieces,
    views,
  };
}

/** Arithmetic of an operation, by its declaration. */
export function flopsOf({ operator, inputs, outputs, attributes }: Operation): number {
  const types = (values: Operation["inputs"]) => values.map(({ type }) => type);
  return operatorTable[operator as OperatorName].cost(types(inputs), types(outputs), attributes).flops;
}

/** Whether an operation's result is the very bytes of its operand. */
export function isView({ operator }: Operation): boolean {
  return operatorTable[operator as OperatorName].inPlace === "view";
}

/** Whether an operation works element by element, so that it belongs to the one that makes its operand. */
export function isElementwise({ operator }: Operation): boolean {
  const { inPlace } = operatorTable[operator as OperatorName];
  return inPlace === "view" || inPlace.length > 0;
}
