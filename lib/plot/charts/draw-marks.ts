import { area, line } from "d3";
import { type Box, type Canvas, drawBox, drawText, fontSize, round } from "../look/canvas.ts";
import { textWidth } from "../look/font-metrics.ts";
import type { Theme } from "../look/theme.ts";
import { type PlacedAxis, tickText } from "./axis.ts";
import type { BarsMark, HistogramMark, LineMark, Mark, Panel, ScatterMark } from "./chart.ts";
import { seriesColor } from "./series-color.ts";

/** A panel's axes laid out in pixels. */
export interface Plane {
  readonly panel: Panel;
  readonly box: Box;
  readonly x: PlacedAxis;
  readonly y: PlacedAxis;
}

/** Draws one mark of a panel; matrices have a drawing of their own. */
export function drawMark(canvas: Canvas, mark: Mark, plane: Plane, theme: Theme): void {
  switch (mark.kind) {
    case "line":
      drawLineMark(canvas, mark, plane, theme);
      break;
    case "scatter":
      drawScatter(canvas, mark, plane, theme);
      break;
    case "bars":
      drawBars(canvas, mark, plane, theme);
      break;
    case "histogram":
      drawHistogram(canvas, mark, plane, theme);
      break;
    case "matrix":
      throw new Error("internal: a matrix has no axes to be drawn on");
  }
}

/** True where a value can be placed on both axes. */
export function isPlaceable(plane: Plane, x: number, y: number): boolean {
  const fits = (value: number, scale: string): boolean => Number.isFinite(value) && (scale !== "log" || value > 0);
  return fits(x, plane.panel.x.scale) && fits(y, plane.panel.y.scale);
}

function drawLineMark(canvas: Canvas, mark: LineMark, plane: Plane, theme: Theme): void {
  const color = seriesColor(theme, mark.color);
  const indices = mark.x.map((_, index) => index);
  const { band } = mark;
  if (band) {
    const shape = area<number>()
      .defined(
        (index) =>
          isPlaceable(plane, mark.x[index], band.low[index]) && isPlaceable(plane, mark.x[index], band.high[index]),
      )
      .x((index) => round(plane.x.place(mark.x[index])))
      .y0((index) => round(plane.y.place(band.low[index])))
      .y1((index) => round(plane.y.place(band.high[index])));
    canvas.append("path").attr("d", shape(indices)).attr("fill", color).attr("fill-opacity", 0.18);
  }
  const shape = line<number>()
    .defined((index) => isPlaceable(plane, mark.x[index], mark.y[index]))
    .x((index) => round(plane.x.place(mark.x[index])))
    .y((index) => round(plane.y.place(mark.y[index])));
  const path = canvas
    .append("path")
    .attr("d", shape(indices))
    .attr("fill", "none")
    .attr("stroke", color)
    .attr("stroke-width", mark.faint ? 1 : 2.25)
    .attr("stroke-linejoin", "round")
    .attr("stroke-linecap", "round");
  if (mark.dash) path.attr("stroke-dasharray", "6 5");
  if (mark.faint) path.attr("stroke-opacity", 0.35);
  // A point between two gaps has no line; it is shown as a dot, as are all points where they are few.
  for (const index of indices) {
    if (!isPlaceable(plane, mark.x[index], mark.y[index])) continue;
    const alone = [index - 1, index + 1].every((other) => !isPlaceable(plane, mark.x[other], mark.y[other]));
    if (alone || mark.points)
      drawDot(canvas, plane.x.place(mark.x[index]), plane.y.place(mark.y[index]), color, theme, 3.5);
  }
}

function drawDot(canvas: Canvas, x: number, y: number, color: string, theme: Theme, radius: number): void {
  canvas
    .append("circle")
    .attr("cx", round(x))
    .attr("cy", round(y))
    .attr("r", radius)
    .attr("fill", color)
    .attr("stroke", theme.card)
    .attr("stroke-width", 1.25);
}

function drawScatter(canvas: Canvas, mark: ScatterMark, plane: Plane, theme: Theme): void {
  const color = seriesColor(theme, mark.color);
  const many = mark.x.length > 400;
  mark.x.forEach((x, index) => {
    if (!isPlaceable(plane, x, mark.y[index])) return;
    const left = plane.x.place(x);
    const top = plane.y.place(mark.y[index]);
    drawDot(canvas, left, top, color, theme, many ? 2.5 : 4.5);
    const label = mark.labels?.[index];
    if (label === undefined || many) return;
    const before = left + 10 + textWidth(label, fontSize.small) > plane.box.x + plane.box.width;
    drawText(canvas, label, before ? left - 9 : left + 9, top + 3.7, {
      size: fontSize.small,
      fill: theme.text,
      anchor: before ? "end" : "start",
      halo: theme.card,
    });
  });
}

function drawBars(canvas: Canvas, mark: BarsMark, plane: Plane, theme: Theme): void {
  const series = plane.panel.marks.filter((other) => other.kind === "bars");
  const position = series.indexOf(mark);
  const groupWidth = Math.min(plane.x.step * 0.76, 72 * (plane.panel.stacked ? 1 : series.length));
  const width = plane.panel.stacked ? groupWidth : groupWidth / series.length;
  const logarithmic = plane.panel.y.scale === "log";
  mark.values.forEach((value, index) => {
    if (value === null || !Number.isFinite(value) || (logarithmic && value <= 0)) return;
    const below = plane.panel.stacked
      ? series.slice(0, position).reduce((sum, other) => sum + (other.values[index] || 0), 0)
      : 0;
    const base = logarithmic ? plane.box.y + plane.box.height : plane.y.place(below);
    const end = plane.y.place(below + value);
    const left = plane.x.place(index) - groupWidth / 2 + (plane.panel.stacked ? 0 : position * width);
    const color = seriesColor(theme, mark.color);
    drawBox(
      canvas,
      { x: left + 0.75, y: Math.min(base, end), width: width - 1.5, height: Math.abs(end - base) },
      color,
      2,
    );
    const text = tickText(value, plane.panel.y.unit);
    if (plane.panel.stacked || textWidth(text, fontSize.small) > Math.max(width, plane.x.step / series.length)) return;
    drawText(canvas, text, left + width / 2, value < 0 ? end + 13 : end - 5, {
      size: fontSize.small,
      fill: theme.text,
      anchor: "middle",
      halo: theme.card,
    });
  });
}

function drawHistogram(canvas: Canvas, mark: HistogramMark, plane: Plane, theme: Theme): void {
  const series = plane.panel.marks.filter((other) => other.kind === "histogram").length;
  const base = plane.panel.y.scale === "log" ? plane.box.y + plane.box.height : plane.y.place(0);
  const color = seriesColor(theme, mark.color);
  // Several histograms overlap: each is an outline over a pale body.
  const steps = mark.counts.map((count, index) => {
    const top = count > 0 ? plane.y.place(count) : base;
    return `L${round(plane.x.place(mark.edges[index]))} ${round(top)}H${round(plane.x.place(mark.edges[index + 1]))}`;
  });
  const start = round(plane.x.place(mark.edges[0]));
  const end = round(plane.x.place(mark.edges[mark.edges.length - 1]));
  canvas
    .append("path")
    .attr("d", `M${start} ${round(base)}${steps.join("")}L${end} ${round(base)}z`)
    .attr("fill", color)
    .attr("fill-opacity", series > 1 ? 0.22 : 0.85)
    .attr("stroke", color)
    .attr("stroke-width", series > 1 ? 1.75 : 0.5)
    .attr("stroke-linejoin", "round");
}
