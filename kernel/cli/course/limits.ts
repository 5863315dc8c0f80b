import { availableParallelism, freemem } from "node:os";
import { findProtection } from "../../course/index.ts";
import { BadInput } from "../../headless/index.ts";
import { readBytes, readCount, readNumber } from "../numbers.ts";

/** Options of the commands that run strangers' code. */
export const limitOptions = {
  "cell-timeout": { type: "string", default: "30" },
  timeout: { type: "string", default: "300" },
  memory: { type: "string", default: "2G" },
  "max-output": { type: "string", default: "1M" },
  "max-processes": { type: "string", default: "256" },
  "max-disk": { type: "string", default: "128M" },
  jobs: { type: "string" },
  "no-sandbox": { type: "boolean", default: false },
} as const;

export const limitHelp = `  --cell-timeout S     seconds that each cell may run (default: 30)
  --timeout S          seconds that each notebook may run (default: 300)
  --memory SIZE        memory of a submission's processes, each kernel's own 400M included (default: 2G)
  --max-output SIZE    what a notebook may show (default: 1M)
  --max-processes N    processes and threads of a submission (default: 256)
  --max-disk SIZE      what it may write (default: 128M)
  --no-sandbox         run without bubblewrap: strangers' code may then read your files and use your network`;

/** The limits that were asked for. */
export function readLimits(values: Readonly<Record<string, unknown>>) {
  const text = (name: string): string => String(values[name]);
  return {
    cellSeconds: readNumber("--cell-timeout", text("cell-timeout")),
    notebookSeconds: readNumber("--timeout", text("timeout")),
    memoryBytes: readBytes("--memory", text("memory")),
    outputBytes: readBytes("--max-output", text("max-output")),
    processes: readCount("--max-processes", text("max-processes"), 64),
    diskBytes: readBytes("--max-disk", text("max-disk")),
    isSandboxed: values["no-sandbox"] !== true,
  };
}

/**
 * Refuses to run strangers' code where nothing holds it, unless that is wanted.
 *
 * @throws BadInput with the reason
 */
export function insistOnProtection(isSandboxed: boolean): void {
  if (!isSandboxed) return;
  const { bubblewrap, trouble } = findProtection();
  if (bubblewrap) return;
  throw new BadInput(
    `sandbox: strangers' code must be held by bubblewrap, got none (${trouble}), install it (apt-get install bubblewrap), or accept the danger with --no-sandbox`,
  );
}

/** How many submissions to grade at a time: as many as were asked for, or as the machine bears. */
export function readJobs(given: unknown): number {
  if (given !== undefined) return readCount("--jobs", String(given), 1);
  const byMemory = Math.floor(freemem() / (1.5 * 2 ** 30));
  return Math.max(1, Math.min(availableParallelism(), byMemory));
}
