import type { GraphReport } from "../../compiler/index.ts";
import { formatBytes, plural } from "../look/format.ts";
import { drawnColumn } from "./fold-layout.ts";

/** What a strategy that computes again has done to a graph. */
export interface Recomputation {
  /** Forward operations of which something is kept for the way back: the checkpoints. */
  readonly kept: ReadonlySet<number>;
  readonly keptBytes: number;
  /** How many operations are computed again. */
  readonly again: number;
}

/** Finds what is computed again and what is kept instead; null where nothing is, as then everything is kept. */
export function findRecomputation({ nodes, edges }: GraphReport): Recomputation | null {
  const again = nodes.reduce((count, { recomputed }) => count + (recomputed ? 1 : 0), 0);
  if (again === 0) return null;
  const kept = new Set<number>();
  const tensors = new Map<string, number>();
  for (const { from, to, name, bytes } of edges) {
    if (from === null || drawnColumn(nodes[from]) !== "forward") continue;
    const reader = drawnColumn(nodes[to]);
    if (reader === "forward" || reader === "update") continue;
    kept.add(from);
    tensors.set(name, bytes);
  }
  return { kept, keptBytes: [...tensors.values()].reduce((sum, bytes) => sum + bytes, 0), again };
}

/** What the marks mean, with their numbers. */
export function describeRecomputation({ kept, keptBytes, again }: Recomputation): string {
  return `Dashed boxes compute again what was not kept (${plural(again, "operator")}); a bookmark says that something is kept for the way back (${plural(kept.size, "operator")}, ${formatBytes(keptBytes)}).`;
}
