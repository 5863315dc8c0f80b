import type { MemoryReport } from "../../memory/index.ts";
import { Figure } from "../figure.ts";
import { formatBytes, plural } from "../look/format.ts";
import { placeholder } from "../look/placeholder.ts";
import { tesseraMime } from "../mime.ts";
import { stepName } from "./composition.ts";
import { memoryPicture } from "./memory-picture.ts";

/** Shows where every byte of a program goes, step by step and address by address. */
export function memory(report: MemoryReport): Figure {
  if (report.steps.length === 0 || report.buffers.length === 0) {
    const message = `Nothing to draw: ${plural(report.steps.length, "step")}, ${plural(report.buffers.length, "buffer")}.`;
    return new Figure({
      kind: "memory",
      picture: placeholder(`Memory: ${report.title}`, message),
      summary: `memory of ${report.title}: ${message}`,
    });
  }
  return new Figure({
    kind: "memory",
    picture: memoryPicture(report),
    summary: memorySummary(report),
    interactive: { mime: tesseraMime, data: report },
  });
}

/** The peak, when it is reached, and the arena, in one line. */
export function memorySummary(report: MemoryReport): string {
  const { step, bytes } = report.peak;
  return `memory of ${report.title}: peak ${formatBytes(bytes)} at ${stepName(report, step)} (of ${report.steps.length} steps), arena ${formatBytes(report.arenaBytes)}`;
}
