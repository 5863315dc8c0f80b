import type { Operation } from "../../ir/index.ts";
import type { Pass } from "../schedule.ts";

/** Drops operations whose results nobody uses. */
export const deadCode: Pass = {
  name: "dead code",
  summary: "drops operations from which no output of the graph follows",
  run(schedule) {
    const { graph } = schedule;
    const needed = new Set(graph.outputs.map((output) => output.value.id));
    const kept: Operation[] = [];
    for (const operation of [...graph.operations].reverse()) {
      if (!operation.outputs.some((output) => needed.has(output.id))) continue;
      for (const input of operation.inputs) needed.add(input.id);
      kept.push(operation);
    }
    return { ...schedule, graph: { ...graph, operations: kept.reverse() } };
  },
};
