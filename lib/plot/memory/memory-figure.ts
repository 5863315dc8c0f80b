import type { GraphReport } from "../../compiler/index.ts";
import type { MemoryReport } from "../../memory/index.ts";
import { Figure } from "../figure.ts";
import type { InteractiveForm } from "../figure-content.ts";
import { graphSummary } from "../graph/graph-picture.ts";
import { plural } from "../look/format.ts";
import { placeholder } from "../look/placeholder.ts";
import { tesseraMime } from "../mime.ts";
import { type LinkedMemory, linkedPicture } from "./linked-picture.ts";
import { type StoredWindow, storeWindow } from "./memory-levels.ts";
import { memoryPicture, memorySummary, memoryTitle } from "./memory-picture.ts";
import { drawingResolution, type WindowResolution, windowOf } from "./memory-window.ts";
import type { MemoryWindow, Range } from "./window-data.ts";

/** What a notebook stores of a report that is too large for it, if there is room: four times what a drawing needs. */
const fine: WindowResolution = { columns: 2096, rows: 840, buffers: drawingResolution.buffers };

/** A part of a report that an interactive form asks for. */
export interface WindowRequest {
  readonly steps: Range;
  readonly addresses: Range;
}

/** How memory is shown. */
export interface MemoryOptions {
  /** What to call the program instead of the report's own title. */
  readonly title?: string;
  /** The graph of the same program: it stands below, and one cursor runs through both. */
  readonly graph?: GraphReport;
}

/**
 * Shows where every byte of a program goes, step by step and address by address. Millions of buffers are drawn too: every
 * one of them, and what is finer than a pixel as its sum.
 */
export function memory(titled: MemoryReport, options: MemoryOptions = {}): Figure {
  const report = { ...titled, title: options.title ?? titled.title };
  if (report.steps.length === 0 || report.buffers.length === 0) {
    const message = `Nothing to draw: ${plural(report.steps.length, "step")}, ${plural(report.buffers.length, "buffer")}.`;
    return new Figure({
      kind: "memory",
      picture: placeholder(memoryTitle(report), message),
      summary: `memory of ${report.title}: ${message}`,
    });
  }
  const window = windowOf(report);
  const graph = options.graph && { ...options.graph, title: report.title };
  if (graph === undefined || graph.nodes.length === 0) {
    return new Figure({
      kind: "memory",
      picture: memoryPicture(window),
      summary: memorySummary(window),
      interactive: levelsOf(report, window, (memoryData) => memoryData),
    });
  }
  const linked = (memoryData: MemoryReport | StoredWindow): LinkedMemory => ({
    kind: "memory-and-graph",
    memory: memoryData,
    graph,
  });
  return new Figure({
    kind: "memory-and-graph",
    picture: linkedPicture(window, graph),
    summary: `${memorySummary(window)}; ${graphSummary(graph)}`,
    interactive: levelsOf(report, window, linked),
  });
}

/** What a page gets: all of a report that is drawn buffer by buffer, and of a larger one what a notebook can hold. */
function levelsOf(
  report: MemoryReport,
  window: MemoryWindow,
  wrap: (memoryData: MemoryReport | StoredWindow) => unknown,
): InteractiveForm {
  const coarse = (): unknown => wrap(storeWindow(window));
  if (window.grid === null) return { mime: tesseraMime, data: wrap(report), coarser: [coarse] };
  return {
    mime: tesseraMime,
    get data() {
      return wrap(storeWindow(windowOf(report, fine)));
    },
    coarser: [coarse],
    details: (request) => {
      const { steps, addresses } = request as WindowRequest;
      return storeWindow(windowOf(report, drawingResolution, steps, addresses));
    },
  };
}
