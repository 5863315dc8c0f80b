import type { Operation } from "../../ir/index.ts";
import type { Pass } from "../schedule.ts";

/** Moves each weight's update to just after its gradient, so that gradients die young. */
export const earlyUpdate: Pass = {
  name: "early update",
  summary: "moves each update to the first place where its operands are known and the old value is no longer read",
  run(schedule) {
    const { graph } = schedule;
    const rest = graph.operations.filter((operation) => operation.phase !== "update");
    const updates = graph.operations.filter((operation) => operation.phase === "update");
    // Position after which a value is known (its producer's), and after which it is no longer read.
    const known = new Map<number, number>();
    const lastRead = new Map<number, number>();
    for (const [position, { inputs, outputs }] of rest.entries()) {
      for (const input of inputs) lastRead.set(input.id, position);
      for (const output of outputs) known.set(output.id, position);
    }
    const replaced = new Map<number, number>();
    for (const { value, updates: input } of graph.outputs) if (input !== null) replaced.set(value.id, input.id);

    const after = new Map<number, Operation[]>();
    for (const operation of updates) {
      let position = -1;
      for (const input of operation.inputs) position = Math.max(position, known.get(input.id) ?? -1);
      for (const output of operation.outputs) {
        const old = replaced.get(output.id);
        if (old !== undefined) position = Math.max(position, lastRead.get(old) ?? -1);
      }
      for (const output of operation.outputs) known.set(output.id, position);
      // What an update itself reads must not be overwritten by another update that came earlier.
      for (const input of operation.inputs) lastRead.set(input.id, Math.max(position, lastRead.get(input.id) ?? -1));
      after.set(position, [...(after.get(position) ?? []), operation]);
    }
    const operations = [...(after.get(-1) ?? [])];
    for (const [position, operation] of rest.entries()) operations.push(operation, ...(after.get(position) ?? []));
    return { ...schedule, graph: { ...graph, operations } };
  },
};
