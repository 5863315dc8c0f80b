import type { GraphReport } from "../../compiler/index.ts";
import { boxTitle, parametersByReader } from "../graph/draw-graph.ts";
import type { GraphLayout } from "../graph/fold-layout.ts";
import type { Recomputation } from "../graph/recomputation.ts";
import { formatBytes, formatFlops, plural } from "../look/format.ts";
import type { TooltipLine } from "./tooltip.ts";

/** What a tooltip says of a box: what it is, gives, costs and reads, and whether its results are kept or made again. */
export function describeBox(
  report: GraphReport,
  layout: GraphLayout,
  index: number,
  recomputation: Recomputation | null,
): [string, TooltipLine[]] {
  const box = layout.boxes[index];
  const members = box.operations.map((id) => report.nodes[id]);
  const lines: TooltipLine[] = [];
  const [first] = members;
  if (members.length === 1) {
    lines.push(
      `${first.column}${first.layer === "" ? "" : ` of ${first.layer}`}, position ${first.id} of the schedule`,
    );
    for (const [position, type] of first.types.entries()) lines.push([position === 0 ? "gives" : "", type]);
  } else {
    const names = members.slice(0, 6).map(({ operator }) => operator);
    lines.push(names.join(", ") + (members.length > 6 ? ` and ${members.length - 6} others` : ""));
  }
  if (box.column === "recomputed") lines.push("Computed again: the first results were not kept.");
  const kept = members.filter(({ id }) => recomputation?.kept.has(id)).length;
  if (kept > 0)
    lines.push(members.length === 1 ? "Kept for the way back." : `${kept} of them are kept for the way back.`);
  lines.push(["bytes", formatBytes(members.reduce((sum, { outputBytes }) => sum + outputBytes, 0))]);
  lines.push(["work", formatFlops(members.reduce((sum, { flops }) => sum + flops, 0))]);
  const inside = new Set(box.operations);
  const reads = report.edges.filter(({ from, to }) => inside.has(to) && !(from !== null && inside.has(from)));
  for (const [position, { name, type }] of reads.slice(0, 5).entries()) {
    lines.push([position === 0 ? "reads" : "", `${name} ${type}`]);
  }
  if (reads.length > 5) lines.push(["", `and ${reads.length - 5} others`]);
  const readers = report.edges.filter(({ from, to }) => from !== null && inside.has(from) && !inside.has(to)).length;
  lines.push(["read by", plural(readers, "operator")]);
  if (layout.rows[box.row].kind === "closed") lines.push("Click to open.");
  return [members.length === 1 ? first.operator : boxTitle(report, box, parametersByReader(report)), lines];
}

/** What a tooltip says of a line: the tensors that it carries. */
export function describeLine(report: GraphReport, layout: GraphLayout, index: number): [string, TooltipLine[]] {
  const { edges, bytes } = layout.lines[index];
  const shown = edges.slice(0, 6).map((edge): TooltipLine => [report.edges[edge].name, report.edges[edge].type]);
  if (edges.length > shown.length) shown.push(`and ${edges.length - shown.length} others`);
  return [`${plural(edges.length, "tensor")}, ${formatBytes(bytes)}`, shown];
}
