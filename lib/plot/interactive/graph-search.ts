import type { GraphReport } from "../../compiler/index.ts";
import type { GraphGroup } from "../graph/hierarchy.ts";
import { findRecomputation } from "../graph/recomputation.ts";

/** Operations in whose operator, layer, column, types, tensors or marks (`recomputed`, `kept`) every word of the query occurs, in the schedule's order. */
export function findOperations(report: GraphReport, query: string): number[] {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0) return [];
  const kept = findRecomputation(report)?.kept;
  const texts = report.nodes.map(({ id, operator, layer, column, types, recomputed }) => {
    const marks = `${recomputed ? " recomputed" : ""}${kept?.has(id) ? " kept" : ""}`;
    return `${operator} ${layer} ${column} ${types.join(" ")}${marks}`;
  });
  for (const { to, name } of report.edges) texts[to] += ` ${name}`;
  return report.nodes
    .filter((_, index) => words.every((word) => texts[index].toLowerCase().includes(word)))
    .map(({ id }) => id);
}

/** The groups to open, from the outermost, until an operation stands in a box of its own. */
export function pathTo(root: GraphGroup, operation: number): GraphGroup[] {
  const holds = (group: GraphGroup): boolean => group.own.includes(operation) || group.children.some(holds);
  const path: GraphGroup[] = [];
  for (let group: GraphGroup | undefined = holds(root) ? root : undefined; group; group = group.children.find(holds))
    path.push(group);
  return path;
}
