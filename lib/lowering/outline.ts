import type { Operation, OperatorGraph, Value } from "../ir/index.ts";
import { formatType } from "../tensor/index.ts";

/** Consecutive operations that may be mapped once and called wherever the same ones stand. */
export interface Partition {
  readonly operations: readonly Operation[];
  /** Values from outside, in the order of their first use; constants are not among them. */
  readonly inputs: readonly Value[];
  /** Values that something outside reads. */
  readonly outputs: readonly Value[];
  /** The same for partitions that compute the same: operators, attributes, types, and how values go between them. */
  readonly key: string;
}

// Below a product or a convolution nothing is worth the copies of a call.
const heavy = new Set(["matmul", "convolution2d", "convolution2dInputGradient", "convolution2dWeightGradient"]);

/**
 * The partitions of a graph that stand in it more than once: a product or a convolution with what follows and needs only
 * its results and what is given to the whole graph, such as its bias, its normalisation and its activation. Updates are
 * in none, as they replace what is given.
 *
 * @param kept results that something outside takes in parts, so that they cannot be passed on as a whole
 */
export function findPartitions(graph: OperatorGraph, kept: ReadonlySet<number>): readonly Partition[] {
  const given = new Set(graph.inputs.map(({ value }) => value.id));
  const constants = new Map<number, number>();
  const readers = new Map<number, Operation[]>();
  for (const operation of graph.operations) {
    if (operation.operator === "full") constants.set(operation.outputs[0].id, operation.attributes.value as number);
    for (const { id } of operation.inputs) readers.set(id, [...(readers.get(id) ?? []), operation]);
  }
  const shown = new Set(graph.outputs.map(({ value }) => value.id));
  const found: Partition[] = [];
  for (let start = 0; start < graph.operations.length; ) {
    const first = graph.operations[start];
    if (!heavy.has(first.operator) || first.phase === "update" || kept.has(first.outputs[0].id)) {
      start++;
      continue;
    }
    const inside = new Set(first.outputs.map(({ id }) => id));
    let end = start + 1;
    for (; end < graph.operations.length; end++) {
      const { operator, inputs, outputs, phase } = graph.operations[end];
      const follows = inputs.every(({ id }) => inside.has(id) || given.has(id) || constants.has(id));
      const fits = phase === first.phase && !heavy.has(operator) && !outputs.some(({ id }) => kept.has(id));
      if (!follows || !fits || operator === "dropout") break;
      for (const { id } of outputs) inside.add(id);
    }
    const operations = graph.operations.slice(start, end);
    found.push(describe(operations, inside, constants, readers, shown));
    start = end;
  }
  const counts = new Map<string, number>();
  for (const { key } of found) counts.set(key, (counts.get(key) ?? 0) + 1);
  return found.filter(({ key }) => (counts.get(key) as number) > 1);
}

function describe(
  operations: readonly Operation[],
  inside: ReadonlySet<number>,
  constants: ReadonlyMap<number, number>,
  readers: ReadonlyMap<number, readonly Operation[]>,
  shown: ReadonlySet<number>,
): Partition {
  const inputs: Value[] = [];
  const outputs: Value[] = [];
  const names = new Map<number, string>();
  const members = new Set(operations);
  const lines = operations.map((operation) => {
    const from = operation.inputs.map((value) => {
      let name = names.get(value.id);
      if (name === undefined) {
        if (constants.has(value.id)) name = `constant ${constants.get(value.id)}`;
        else name = `input ${inputs.push(value) - 1}`;
        names.set(value.id, name);
      }
      return `${name} ${formatType(value.type)}`;
    });
    const to = operation.outputs.map((value, index) => {
      names.set(value.id, `value ${names.size}.${index}`);
      const outside = shown.has(value.id) || (readers.get(value.id) ?? []).some((reader) => !members.has(reader));
      if (outside && inside.has(value.id)) outputs.push(value);
      return `${outside ? "out " : ""}${formatType(value.type)}`;
    });
    return `${operation.phase} ${operation.operator} ${JSON.stringify(operation.attributes)} (${from}) → (${to})`;
  });
  return { operations, inputs, outputs, key: lines.join("\n") };
}
