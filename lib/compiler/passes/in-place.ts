import type { GraphOutput, Operation, OperatorGraph, Value } from "../../ir/index.ts";
import { type OperatorName, operatorTable } from "../../ops/index.ts";
import { bytesOf } from "../../tensor/index.ts";
import { firstFreeId } from "../rematerialisation/graph-editor.ts";
import type { Pass, Schedule } from "../schedule.ts";

/** Lets results take over the storage of operands that nobody needs any more. */
export const inPlace: Pass = {
  name: "in place",
  summary:
    "lets element-wise results overwrite operands that die there, views share bytes, and updates replace weights",
  run: (schedule) => share(schedule, true),
};

/** Shares what even a program that keeps everything shares. */
export const updatesInPlace: Pass = {
  name: "updates in place",
  summary: "lets views share bytes and updates replace weights, and nothing else overwrite anything",
  run: (schedule) => share(schedule, false),
};

function share({ graph: original, ...rest }: Schedule, overwriting: boolean): Schedule {
  const graph = withOutputsOfTheirOwn(original);
  const storage = new Map<number, number>();
  const root = (value: Value): number => storage.get(value.id) ?? value.id;
  // The last position at which anything in a storage is read.
  const lastRead = new Map<number, number>();
  const readers = new Map<number, number>();
  for (const [position, { inputs }] of graph.operations.entries()) {
    for (const input of inputs) readers.set(input.id, position);
  }
  const join = (value: Value, into: number): void => {
    storage.set(value.id, into);
    lastRead.set(into, Math.max(lastRead.get(into) ?? -1, readers.get(value.id) ?? -1));
  };
  const fixed = new Set<number>();
  for (const { value } of graph.inputs) {
    fixed.add(value.id);
    lastRead.set(value.id, readers.get(value.id) ?? -1);
  }
  const outputs = new Set(graph.outputs.map((output) => output.value.id));
  const updateOf = new Map<number, number>();
  for (const { value, updates } of graph.outputs) if (updates !== null) updateOf.set(value.id, updates.id);
  const overwritten = new Set<number>();

  /** The storage that a result takes over: that of the input it updates where possible, else a dying operand's. */
  const choose = (
    rule: readonly number[],
    operands: readonly Value[],
    result: Value,
    position: number,
  ): number | undefined => {
    const dying = rule
      .map((index) => operands[index])
      .filter(({ type }) => bytesOf(type) === bytesOf(result.type))
      .map(root)
      .filter((old) => (lastRead.get(old) ?? -1) <= position);
    const target = updateOf.get(result.id);
    if (target !== undefined && !overwritten.has(target)) {
      // Not made from the old value element by element is good enough where nobody reads the old value any more.
      if (dying.includes(target) || (lastRead.get(target) ?? -1) < position) return target;
    }
    return overwriting ? dying.find((old) => !fixed.has(old)) : undefined;
  };

  for (const [position, { operator, inputs, outputs: results }] of graph.operations.entries()) {
    const { inPlace: rule } = operatorTable[operator as OperatorName];
    const [result] = results;
    for (const output of results) lastRead.set(output.id, readers.get(output.id) ?? -1);
    if (rule === "view") {
      join(result, root(inputs[0]));
    } else {
      const old = choose(rule, inputs, result, position);
      if (old !== undefined) {
        if (fixed.has(old)) overwritten.add(old);
        join(result, old);
      }
    }
    // What goes outside stays until the end; only an update that is in its place already is safe by itself.
    for (const output of results) {
      if (outputs.has(output.id) && updateOf.get(output.id) !== root(output)) fixed.add(root(output));
    }
  }
  return { ...rest, ...copyBack(graph, storage, root) };
}

/**
 * Copies what goes outside unchanged, or twice: an output that is an input would be overwritten by the input's update,
 * and two updates with one value could not both be that value's storage.
 */
function withOutputsOfTheirOwn(graph: OperatorGraph): OperatorGraph {
  const shown = new Map<number, Value>();
  const origin = (value: Value): Value => shown.get(value.id) ?? value;
  for (const { operator, inputs, outputs } of graph.operations) {
    if (isView(operator)) shown.set(outputs[0].id, origin(inputs[0]));
  }
  const taken = new Set(graph.inputs.map((input) => input.value.id));
  const operations: Operation[] = [...graph.operations];
  let nextId = firstFreeId(graph);
  const outputs = graph.outputs.map((output): GraphOutput => {
    const { id } = origin(output.value);
    if (!taken.has(id)) {
      taken.add(id);
      return output;
    }
    if (output.updates?.id === output.value.id) return output;
    const value: Value = { id: nextId++, type: output.value.type };
    operations.push(copyOf(output.value, value, operations));
    return { ...output, value };
  });
  return { ...graph, operations, outputs };
}

const isView = (operator: string): boolean => operatorTable[operator as OperatorName].inPlace === "view";

function copyOf(from: Value, to: Value, operations: readonly Operation[]): Operation {
  const layer = operations.findLast((operation) => operation.outputs.includes(from))?.layer ?? "";
  return { operator: "copy", inputs: [from], attributes: {}, outputs: [to], phase: "update", layer };
}

/** Adds a copy at the end for every update that could not be made in place. */
function copyBack(
  graph: OperatorGraph,
  storage: Map<number, number>,
  root: (value: Value) => number,
): Pick<Schedule, "graph" | "storage"> {
  const operations: Operation[] = [...graph.operations];
  let nextId = firstFreeId(graph);
  const outputs = graph.outputs.map((output): GraphOutput => {
    if (output.updates === null || root(output.value) === output.updates.id) return output;
    const value: Value = { id: nextId++, type: output.value.type };
    operations.push(copyOf(output.value, value, operations));
    storage.set(value.id, output.updates.id);
    return { ...output, value };
  });
  return { graph: { ...graph, operations, outputs }, storage };
}
