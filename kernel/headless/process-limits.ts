import { readdirSync, readFileSync } from "node:fs";

/** What a process and all that descends from it may use together. */
export interface ProcessLimits {
  /** Resident memory. */
  readonly memoryBytes?: number;
  readonly processes?: number;
}

/** A limit that was passed. */
export interface Excess {
  readonly kind: "out-of-memory" | "too-many-processes";
  readonly text: string;
}

/** A process that takes memory as fast as the machine gives it gains half a gigabyte between two looks. */
const millisecondsBetweenLooks = 50;

const pageBytes = 4096;

/**
 * Looks at a process and its descendants from time to time, and tells when they use more than they may. Works where
 * `/proc` does; elsewhere there is nothing to look at, and no limit holds. A sandbox with control groups holds them
 * harder.
 *
 * @returns stops looking
 */
export function watchProcess(pid: number, limits: ProcessLimits, exceeded: (excess: Excess) => void): () => void {
  const { memoryBytes = Number.POSITIVE_INFINITY, processes = Number.POSITIVE_INFINITY } = limits;
  if (pid === 0 || (!Number.isFinite(memoryBytes) && !Number.isFinite(processes))) return () => {};
  const timer = setInterval(() => {
    const found = familyOf(pid);
    const resident = found.reduce((sum, { bytes }) => sum + bytes, 0);
    if (resident > memoryBytes) {
      clearInterval(timer);
      const text = `the notebook needed more memory than its limit of ${megabytes(memoryBytes)}, got ${megabytes(resident)}`;
      exceeded({ kind: "out-of-memory", text });
    } else if (found.length > processes) {
      clearInterval(timer);
      exceeded({
        kind: "too-many-processes",
        text: `the notebook started more processes than its limit of ${processes}`,
      });
    }
  }, millisecondsBetweenLooks);
  timer.unref();
  return () => clearInterval(timer);
}

/** Ends a process and all that descends from it, the parents first: what is being started meanwhile has no parent then. */
export function killFamily(pid: number): void {
  const family = familyOf(pid);
  for (const member of family.length > 0 ? family : [{ pid }]) {
    try {
      process.kill(member.pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}

interface Member {
  readonly pid: number;
  readonly bytes: number;
}

/** A process and all that descends from it, with their resident memory; shared pages count each time. */
function familyOf(root: number): Member[] {
  const found: Member[] = [];
  const waiting = [root];
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    try {
      const [, resident] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
      found.push({ pid, bytes: Number(resident) * pageBytes });
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        const children = readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8");
        waiting.push(...children.trim().split(" ").filter(Boolean).map(Number));
      }
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}
