import type { MemoryReport } from "../../memory/index.ts";
import { Figure } from "../figure.ts";
import { checkAmount, mostMemories } from "../look/limits.ts";
import { placeholder } from "../look/placeholder.ts";
import { tesseraMime } from "../mime.ts";
import { type ComparedMemory, comparisonPicture, comparisonSummary, type MemoryComparison } from "./compare-picture.ts";
import { windowOf } from "./memory-window.ts";

/**
 * Shows the memory of several programs side by side on one scale: strategies, batches, networks. Each is compared with
 * the first.
 *
 * @param reports `program.memory` of each, by the name to be shown
 */
export function compareMemory(
  reports: Readonly<Record<string, MemoryReport>>,
  options: { readonly title?: string } = {},
): Figure {
  const title = options.title ?? "Memory compared";
  const entries = Object.entries(reports).map(([name, report]) => ({ name, report }));
  const wrong = entries.find(({ report }) => report?.kind !== "memory");
  if (wrong) {
    throw new Error(
      `plot.compareMemory: every member must be a memory report, got ${String(wrong.report?.kind ?? typeof wrong.report)} (${JSON.stringify(wrong.name)}); give program.memory`,
    );
  }
  const instead = "compareMemory(model, …) lists any number of strategies as a table";
  checkAmount("plot.compareMemory", "memories", entries.length, mostMemories, instead);
  const drawable = entries.filter(({ report }) => report.steps.length > 0);
  if (drawable.length === 0) {
    const message = "Nothing to draw: no report has steps.";
    return new Figure({
      kind: "memory-comparison",
      picture: placeholder(title, message),
      summary: `${title}: ${message}`,
    });
  }
  const comparison: MemoryComparison = {
    kind: "memory-comparison",
    title,
    entries: drawable.map(({ name, report }) => ({ name, memory: withoutBuffers(report) })),
  };
  return new Figure({
    kind: "memory-comparison",
    picture: comparisonPicture(comparison),
    summary: comparisonSummary(comparison),
    interactive: { mime: tesseraMime, data: comparison },
  });
}

/** Two pixels of a fine screen for one of the widest panel. */
const columns = 800;

function withoutBuffers(report: MemoryReport): ComparedMemory {
  const resolution = { columns, rows: 1, buffers: Number.POSITIVE_INFINITY };
  const { stepCount, steps, columns: cut, phases, peak, arenaBytes } = windowOf(report, resolution);
  return { stepCount, steps, columns: cut, phases, peak, arenaBytes };
}
