import { interpolateRgb } from "d3";
import type { GraphReport } from "../../compiler/index.ts";
import { type Canvas, drawBox, drawText, fontSize, round } from "../look/canvas.ts";
import { textWidth } from "../look/font-metrics.ts";
import { formatBytes, plural } from "../look/format.ts";
import type { Theme } from "../look/theme.ts";
import {
  type DrawnColumn,
  drawnColumn,
  drawnColumns,
  type GraphBox,
  type GraphChip,
  type GraphLayout,
  type GraphLine,
  graphMetrics,
  shortName,
} from "./fold-layout.ts";
import { runSeparator } from "./hierarchy.ts";
import { findRecomputation } from "./recomputation.ts";

const columnTitles: Readonly<Record<DrawnColumn, string>> = {
  forward: "forward ↓",
  recomputed: "computed again ↓",
  "input gradient": "input gradient ↑",
  "weight gradient": "weight gradient",
  update: "update",
};

/**
 * Draws a laid-out graph: bands of rows, lines, boxes, in this order. Elements carry `data-` attributes for the pointer.
 *
 * @param open the opened groups, where rows are marked as what a click opens and closes
 */
export function drawGraph(
  canvas: Canvas,
  report: GraphReport,
  layout: GraphLayout,
  theme: Theme,
  open?: ReadonlySet<string>,
): void {
  drawRows(canvas, layout, theme, open);
  drawLines(canvas, layout, theme);
  for (const chip of layout.chips) drawChip(canvas, chip, theme);
  const parameters = parametersByReader(report);
  const kept = findRecomputation(report)?.kept;
  for (const [index, box] of layout.boxes.entries()) {
    const group = drawOperation(canvas, report, box, index, parameters, theme);
    if (box.column === "forward" && box.operations.some((id) => kept?.has(id))) drawBookmark(group, box, theme);
  }
}

/** What is computed again has the colour of what it repeats. */
function columnColor(column: DrawnColumn, theme: Theme): string {
  return theme.columns[column === "recomputed" ? "forward" : column];
}

/** The mark of what is kept for the way back, at the upper right corner of its box. */
function drawBookmark(canvas: Canvas, box: GraphBox, theme: Theme): void {
  const left = round(box.x + box.width - 15);
  canvas
    .append("path")
    .attr("d", `M${left} ${round(box.y - 2)}h9v13l-4.5 -3.5l-4.5 3.5z`)
    .attr("fill", theme.accent)
    .attr("data-mark", "kept");
}

function drawRows(canvas: Canvas, layout: GraphLayout, theme: Theme, open: ReadonlySet<string> | undefined): void {
  let striped = false;
  layout.rows.forEach(({ group, kind, y, height }, index) => {
    const row = canvas.append("g").attr("data-row", index) as Canvas;
    if (kind === "heading") striped = false;
    else if ((striped = !striped)) drawBox(row, { x: -8, y, width: layout.width + 16, height }, theme.band, 6);
    const marked = open ? 14 : 0;
    const indent = Math.max(0, group.depth - 1) * 10 + marked;
    if (open) drawMarker(row, indent - 12, y + height / 2, open.has(group.path), theme);
    const room = graphMetrics.labels - 12 - indent;
    const [first, last] = group.label.split(runSeparator);
    // A run of layers needs two lines for its first and last name.
    const lines = last === undefined ? [first] : [`${first} to`, last];
    lines.forEach((line, position) => {
      drawText(row, line, indent, y + height / 2 + 4 + (position - (lines.length - 1) / 2) * 15, {
        weight: kind === "operations" ? "regular" : "semibold",
        fill: theme.text,
        maxWidth: room,
      });
    });
  });
}

/** A triangle that points right before what is closed, and down before what is open. */
function drawMarker(canvas: Canvas, x: number, y: number, open: boolean, theme: Theme): void {
  const shape = open ? `M${x} ${y - 2.5}h8l-4 5.5z` : `M${x + 1.5} ${y - 4}v8l5.5 -4z`;
  canvas.append("path").attr("d", shape).attr("fill", theme.muted);
}

/** Draws the names of the columns, in the height above the first row. */
export function drawHeadings(canvas: Canvas, layout: GraphLayout, theme: Theme): void {
  for (const { column, x } of layout.columns) {
    const middle = x + graphMetrics.box.width / 2;
    drawBox(
      canvas,
      { x: x + 6, y: 20, width: graphMetrics.box.width - 12, height: 3 },
      columnColor(column, theme),
      1.5,
    );
    drawText(canvas, columnTitles[column], middle, 12, { weight: "semibold", fill: theme.text, anchor: "middle" });
  }
}

/** The widest line, in pixels. */
const widestLine = 7;

function drawLines(canvas: Canvas, layout: GraphLayout, theme: Theme): void {
  const most = layout.lines.reduce((largest, { bytes }) => Math.max(largest, bytes), 1);
  const group = canvas.append("g").attr("fill", "none").attr("stroke-linecap", "round");
  // Long bridges first, so that short lines lie on top of them.
  const order = layout.lines
    .map((_, index) => index)
    .sort((a, b) => reach(layout, layout.lines[b]) - reach(layout, layout.lines[a]));
  for (const index of order) {
    const line = layout.lines[index];
    const bridge = !line.outside && layout.boxes[line.from].column !== layout.boxes[line.to].column;
    group
      .append("path")
      .attr("d", linePath(layout, line))
      .attr(
        "stroke",
        line.outside
          ? sourceColor(layout.chips[line.from].source, theme)
          : columnColor(layout.boxes[line.from].column, theme),
      )
      .attr("stroke-opacity", line.outside ? 0.45 : bridge ? 0.5 : 0.85)
      .attr("stroke-width", round(1 + (widestLine - 1) * Math.sqrt(line.bytes / most)))
      .attr("data-line", index);
  }
}

function reach(layout: GraphLayout, line: GraphLine): number {
  const from = line.outside ? layout.chips[line.from] : layout.boxes[line.from];
  const to = layout.boxes[line.to];
  return Math.abs(from.x - to.x) + Math.abs(from.y - to.y);
}

/**
 * Within a column a line goes from box to box, and around those between. To the next column it leaves and arrives level;
 * across columns it runs along the border of the target's row, where no box stands, so that it never seems to come out
 * of a box that it only passes.
 */
function linePath(layout: GraphLayout, line: GraphLine): string {
  const to = layout.boxes[line.to];
  const from = line.outside ? layout.chips[line.from] : layout.boxes[line.from];
  if (!line.outside && (from as GraphBox).column === to.column) return columnPath(layout, line.from, line.to);
  const direction = from.x > to.x ? -1 : 1;
  const x1 = direction > 0 ? from.x + from.width : from.x;
  const x2 = direction > 0 ? to.x : to.x + to.width;
  const y1 = from.y + from.height / 2;
  const y2 = to.y + to.height / 2;
  if (Math.abs(x2 - x1) <= graphMetrics.columnGap + 1) {
    const middle = round((x1 + x2) / 2);
    return `M${round(x1)} ${round(y1)}C${middle} ${round(y1)} ${middle} ${round(y2)} ${round(x2)} ${round(y2)}`;
  }
  const row = layout.rows[to.row];
  const border = line.outside || y1 < row.y ? row.y : row.y + row.height;
  const bend = graphMetrics.columnGap * direction;
  const [left, right] = [round(x1 + bend), round(x2 - bend)];
  const [leave, arrive] = [round(x1 + bend / 2), round(x2 - bend / 2)];
  return (
    `M${round(x1)} ${round(y1)}C${leave} ${round(y1)} ${leave} ${round(border)} ${left} ${round(border)}` +
    `H${right}C${arrive} ${round(border)} ${arrive} ${round(y2)} ${round(x2)} ${round(y2)}`
  );
}

function columnPath(layout: GraphLayout, fromIndex: number, toIndex: number): string {
  const from = layout.boxes[fromIndex];
  const to = layout.boxes[toIndex];
  const down = to.y > from.y;
  const y1 = down ? from.y + from.height : from.y;
  const y2 = down ? to.y : to.y + to.height;
  const middle = from.x + from.width / 2;
  if (Math.abs(from.rank - to.rank) === 1) return `M${round(middle)} ${round(y1)}V${round(y2)}`;
  const side = from.x + from.width;
  const bulge = side + 14 + Math.min(22, Math.abs(to.y - from.y) / 30);
  const start = from.y + from.height / 2;
  const end = to.y + to.height / 2;
  return `M${round(side)} ${round(start)}C${round(bulge)} ${round(start)} ${round(bulge)} ${round(end)} ${round(side)} ${round(end)}`;
}

function drawChip(canvas: Canvas, chip: GraphChip, theme: Theme): void {
  const group = canvas.append("g").attr("data-chip", chip.name) as Canvas;
  drawBox(group, chip, theme.card, chip.height / 2).attr("stroke", sourceColor(chip.source, theme));
  drawText(group, shortName(chip.name), chip.x + chip.width / 2, chip.y + 14, {
    size: fontSize.small,
    fill: theme.text,
    anchor: "middle",
    maxWidth: chip.width - 14,
  });
}

/** What comes from outside has the colour of its memory category. */
function sourceColor(source: GraphChip["source"], theme: Theme): string {
  switch (source) {
    case "parameter":
      return theme.categories.weights;
    case "state":
      return theme.categories.optimizer;
    case "data":
    case "hyperparameter":
    case "operation":
      return theme.axis;
  }
}

/** The short names of the parameters that operations read. */
export function parametersByReader(report: GraphReport): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const { source, to, name } of report.edges) if (source === "parameter") names.set(to, shortName(name));
  return names;
}

function drawOperation(
  canvas: Canvas,
  report: GraphReport,
  box: GraphBox,
  index: number,
  parameters: ReadonlyMap<number, string>,
  theme: Theme,
): Canvas {
  const color = columnColor(box.column, theme);
  const group = canvas.append("g").attr("data-box", index) as Canvas;
  const fill = interpolateRgb(theme.card, color)(box.operations.length > 1 ? 0.26 : 0.13);
  const frame = drawBox(group, box, fill, 6).attr("stroke", color).attr("stroke-width", 1.25);
  if (box.column === "recomputed") frame.attr("stroke-dasharray", "5 3").attr("stroke-width", 1.5);
  const middle = box.x + box.width / 2;
  const room = box.width - 12;
  const title = boxTitle(report, box, parameters);
  drawText(group, title, middle, box.y + 14, {
    size: textWidth(title, fontSize.body, "semibold") <= room ? fontSize.body : fontSize.small,
    weight: "semibold",
    fill: theme.text,
    anchor: "middle",
    maxWidth: room,
    keep: "both",
  });
  drawText(group, boxDetail(report, box, title, room), middle, box.y + 27, {
    size: fontSize.small,
    // On the stronger fill of several operators muted letters would be too pale.
    fill: box.operations.length > 1 ? theme.text : theme.muted,
    anchor: "middle",
    maxWidth: room,
  });
  return group;
}

/** The operator, those of a closed group joined as in `matmul + addBias`, or which parameter is updated. */
export function boxTitle(
  report: GraphReport,
  { operations, column }: GraphBox,
  parameters: ReadonlyMap<number, string>,
): string {
  const names = operations.map((id) => report.nodes[id].operator);
  const joined = names.join(" + ");
  if (names.length === 1) return joined;
  const updated = new Set(column === "update" ? operations.flatMap((id) => parameters.get(id) ?? []) : []);
  if (updated.size === 1) return `update ${[...updated][0]}`;
  if (names.length <= 3 && textWidth(joined, fontSize.body, "semibold") <= graphMetrics.box.width - 12) return joined;
  return plural(names.length, "operator");
}

/** What it puts out: the type of its one output if it fits, else bytes; of a chain that updates, its length. */
function boxDetail(report: GraphReport, { operations }: GraphBox, title: string, room: number): string {
  if (title.startsWith("update ")) return plural(operations.length, "operator");
  const types = operations.length === 1 ? report.nodes[operations[0]].types : [];
  if (types.length === 1 && textWidth(types[0], fontSize.small) <= room) return types[0];
  return formatBytes(operations.reduce((sum, id) => sum + report.nodes[id].outputBytes, 0));
}

/** Operations by column, for captions. */
export function countByColumn(report: GraphReport): ReadonlyMap<DrawnColumn, number> {
  const counts = new Map<DrawnColumn, number>(drawnColumns.map((column) => [column, 0]));
  for (const node of report.nodes) counts.set(drawnColumn(node), counts.get(drawnColumn(node))! + 1);
  return counts;
}
