import type { MemoryReport } from "../../memory/index.ts";
import { Figure } from "../figure.ts";
import { plural } from "../look/format.ts";
import { placeholder } from "../look/placeholder.ts";
import { tesseraMime } from "../mime.ts";
import { memoryPicture, memorySummary, memoryTitle } from "./memory-picture.ts";

/**
 * Shows where every byte of a program goes, step by step and address by address.
 *
 * @param options.title what to call the program instead of the report's own title
 */
export function memory(titled: MemoryReport, options: { readonly title?: string } = {}): Figure {
  const report = { ...titled, title: options.title ?? titled.title };
  if (report.steps.length === 0 || report.buffers.length === 0) {
    const message = `Nothing to draw: ${plural(report.steps.length, "step")}, ${plural(report.buffers.length, "buffer")}.`;
    return new Figure({
      kind: "memory",
      picture: placeholder(memoryTitle(report), message),
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
