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

    const positions = updates.map((operation) => {
      let position = -1;
      for (const input of operation.inputs) position = Math.max(position, known.get(input.id) ?? -1);
      for (const output of operation.outputs) {
        const old = replaced.get(output.id);
        if (old !== undefined) position = Math.max(position, lastRead.get(old) ?? -1);
      }
      for (const output of operation.outputs) known.set(output.id, position);
      // What an update itself reads must not be overwritten by another update that came earlier.
      for (const input of operation.inputs) lastRead.set(input.id, Math.max(position, lastRead.get(input.id) ?? -1));
      return position;
    });
    // What needs no gradient, such as a velocity that is scaled, waits for who uses it, or it would lie about for long.
    const used = new Map<number, number>();
    for (const [index, { inputs, outputs }] of [...updates.entries()].reverse()) {
      const uses = outputs.map((output) => used.get(output.id)).filter((use) => use !== undefined);
      if (uses.length > 0) positions[index] = Math.min(...uses);
      for (const input of inputs) {
        used.set(input.id, Math.min(positions[index], used.get(input.id) ?? Number.POSITIVE_INFINITY));
      }
    }

    const after = new Map<number, Operation[]>();
    for (const [index, operation] of updates.entries()) {
      after.set(positions[index], [...(after.get(positions[index]) ?? []), operation]);
    }
    const operations = [...(after.get(-1) ?? [])];
    for (const [position, operation] of rest.entries()) operations.push(operation, ...(after.get(position) ?? []));
    return { ...schedule, graph: { ...graph, operations } };
  },
};
