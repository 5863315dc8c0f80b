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
    // What needs no gradient, such as a velocity that is scaled, waits for the gradient that it is used with: it would
    // lie about for long, and just before the gradient it can still become part of the same loop.
    const before = new Map<number, Operation[]>();
    const after = new Map<number, Operation[]>();
    const used = new Map<number, number>();
    for (const [index, operation] of [...updates.entries()].reverse()) {
      const uses = operation.outputs.map((output) => used.get(output.id)).filter((use) => use !== undefined);
      const use = Math.min(...uses, Number.POSITIVE_INFINITY);
      const waits = use !== Number.POSITIVE_INFINITY && use > positions[index];
      const [place, position] = waits ? [before, use] : [after, positions[index]];
      place.set(position, [operation, ...(place.get(position) ?? [])]);
      for (const input of operation.inputs) {
        used.set(input.id, Math.min(position, used.get(input.id) ?? Number.POSITIVE_INFINITY));
      }
    }
    const operations = [...(after.get(-1) ?? [])];
    for (const [position, operation] of rest.entries()) {
      operations.push(...(before.get(position) ?? []), operation, ...(after.get(position) ?? []));
    }
    return { ...schedule, graph: { ...graph, operations } };
  },
};
