import type { GraphOutput, Operation, Value } from "../../ir/index.ts";
import { operatorTable } from "../../ops/index.ts";
import { bytesOf } from "../../tensor/index.ts";
import type { Pass } from "../schedule.ts";

/** Lets results take over the storage of operands that nobody needs any more. */
export const inPlace: Pass = {
  name: "in place",
  summary:
    "lets element-wise results overwrite operands that die there, views share bytes, and updates replace weights",
  run({ graph }) {
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

    for (const [position, { operator, inputs, outputs: results }] of graph.operations.entries()) {
      const { inPlace: rule } = operatorTable[operator as keyof typeof operatorTable];
      const [result] = results;
      for (const output of results) lastRead.set(output.id, readers.get(output.id) ?? -1);
      if (rule === "view") {
        join(result, root(inputs[0]));
        if (outputs.has(result.id) && !updateOf.has(result.id)) fixed.add(root(result));
      } else {
        const taken = rule
          .map((index) => inputs[index])
          .find((operand) => {
            const old = root(operand);
            if (bytesOf(operand.type) !== bytesOf(result.type) || (lastRead.get(old) ?? -1) > position) return false;
            // A weight's storage is for its next value only, and only once; other inputs stay as they are.
            return fixed.has(old) ? updateOf.get(result.id) === old && !overwritten.has(old) : true;
          });
        if (taken !== undefined) {
          const old = root(taken);
          if (fixed.has(old)) overwritten.add(old);
          join(result, old);
        }
        for (const output of results) {
          if (outputs.has(output.id) && !updateOf.has(output.id)) fixed.add(root(output));
        }
      }
    }
    return copyBack(graph, storage, root);
  },
};

/** Adds a copy at the end for every update that could not be made in place. */
function copyBack(
  graph: Parameters<Pass["run"]>[0]["graph"],
  storage: Map<number, number>,
  root: (value: Value) => number,
): ReturnType<Pass["run"]> {
  const operations: Operation[] = [...graph.operations];
  let nextId = Math.max(
    -1,
    ...graph.inputs.map((input) => input.value.id),
    ...operations.flatMap((operation) => operation.outputs.map((output) => output.id)),
  );
  const outputs = graph.outputs.map((output): GraphOutput => {
    if (output.updates === null || root(output.value) === output.updates.id) return output;
    nextId++;
    const value: Value = { id: nextId, type: output.value.type };
    operations.push({
      operator: "copy",
      inputs: [output.value],
      attributes: {},
      outputs: [value],
      phase: "update",
      layer: operations.findLast((operation) => operation.outputs.includes(output.value))?.layer ?? "",
    });
    storage.set(value.id, output.updates.id);
    return { ...output, value };
  });
  return { graph: { ...graph, operations, outputs }, storage };
}
