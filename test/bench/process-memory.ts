import { readFileSync } from "node:fs";
import { withDescendants } from "../../kernel/realm/programs.ts";

/**
 * Bytes of memory that a process and its children hold: the proportional set size, in which what several processes share
 * is counted once. Linux only; undefined elsewhere.
 */
export function memoryOf(pid: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  const kilobytes = withDescendants(pid).map((member) => {
    const found = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${member}/smaps_rollup`, "utf8"));
    return Number(found?.[1] ?? 0);
  });
  return 1024 * kilobytes.reduce((sum, each) => sum + each, 0);
}
