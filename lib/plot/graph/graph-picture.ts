import type { GraphReport } from "../../compiler/index.ts";
import type { Picture } from "../look/canvas.ts";
import { formatBytes, formatCount, formatFlops, plural } from "../look/format.ts";
import { countByColumn, drawGraph, drawHeadings } from "./draw-graph.ts";
import { layoutGraph } from "./fold-layout.ts";
import { buildHierarchy, chooseOpen } from "./hierarchy.ts";
import { describeRecomputation, findRecomputation } from "./recomputation.ts";

/** What a picture on a page can hold; what is more stays closed. */
const pictureLimits = { rows: 40, boxes: 64 };

export function graphTitle({ title }: GraphReport): string {
  return title === "" ? "Operator graph" : `Operator graph: ${title}`;
}

/** The static picture of an operator graph, opened as far as a page can hold. */
export function graphPicture(report: GraphReport): Picture {
  const root = buildHierarchy(report);
  const layout = layoutGraph(report, root, chooseOpen(root, pictureLimits));
  const widest = layout.lines.reduce((most, { bytes }) => Math.max(most, bytes), 0);
  const closed = layout.rows.some(({ kind }) => kind === "closed");
  const recomputation = findRecomputation(report);
  const elsewhere = recomputation === null ? "gradients and updates" : "gradients, updates and what is computed again";
  const notDrawn = [
    layout.hidden.inside > 0 ? `${plural(layout.hidden.inside, "tensor")} inside of boxes` : "",
    layout.hidden.outside > 0 ? `${plural(layout.hidden.outside, "tensor")} read from outside by ${elsewhere}` : "",
  ].filter((text) => text !== "");
  const width = closed ? "the widest line carries" : "the widest carries";
  return {
    title: graphTitle(report),
    subtitle: [
      graphFacts(report),
      `A line is a tensor, in the colour of the column that made it; ${width} ${formatBytes(widest)}.`,
      recomputation === null ? "" : describeRecomputation(recomputation),
      notDrawn.length > 0 ? `Not drawn: ${notDrawn.join(", ")}.` : "",
    ]
      .filter((text) => text !== "")
      .join("\n"),
    width: layout.width,
    draw(canvas, theme) {
      drawHeadings(canvas, layout, theme);
      drawGraph(canvas, report, layout, theme);
      return layout.height;
    },
  };
}

/** `46 operators in 18 layers: 20 forward, 9 input gradient, … ; 71 tensors; 12.3 MFLOP a step.` */
export function graphFacts(report: GraphReport): string {
  const counts = countByColumn(report);
  const parts = [...counts]
    .filter(([, count]) => count > 0)
    .map(([column, count]) => `${formatCount(count)} ${column === "recomputed" ? "computed again" : column}`);
  const flops = report.nodes.reduce((sum, node) => sum + node.flops, 0);
  return `${plural(report.nodes.length, "operator")} (${parts.join(", ")}) joined by ${plural(report.edges.length, "edge")}; ${formatFlops(flops)} in all.`;
}

export function graphSummary(report: GraphReport): string {
  return `operator graph of ${report.title}: ${graphFacts(report)}`;
}
