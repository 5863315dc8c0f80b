import { readdirSync, readFileSync } from "node:fs";

/** A process and all that it has started, as long as they are in its line. */
function family(pid: number): number[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  const children = threads.flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(family)];
}

/**
 * Bytes of memory that a process and its children hold: the proportional set size, in which what several processes share
 * is counted once. Linux only; undefined elsewhere.
 */
export function memoryOf(pid: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  const kilobytes = family(pid).map((member) => {
    const found = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${member}/smaps_rollup`, "utf8"));
    return Number(found?.[1] ?? 0);
  });
  return 1024 * kilobytes.reduce((sum, each) => sum + each, 0);
}
