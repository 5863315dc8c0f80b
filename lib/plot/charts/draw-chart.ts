import { type Box, type Canvas, drawBox, drawLine, drawText, fontSize, type Picture } from "../look/canvas.ts";
import { textWidth } from "../look/font-metrics.ts";
import { plural } from "../look/format.ts";
import type { Theme } from "../look/theme.ts";
import { type PlacedAxis, placeAxis } from "./axis.ts";
import { type Chart, countLeftOut, extentOfMarks, type MarkColor, type Panel } from "./chart.ts";
import { drawMark, type Plane } from "./draw-marks.ts";
import { drawMatrix } from "./draw-matrix.ts";
import { drawEndLabels, endLabelHeight, endLabels, endLabelWidth } from "./end-labels.ts";
import { seriesColor } from "./series-color.ts";

const panelGap = 36;
const singleWidth = 700;
const fullWidth = 852;
const leastHeight = 280;

/** The static picture of a chart: panels side by side, each with its axes, marks and names. */
export function chartPicture(chart: Chart): Picture {
  const missing = countLeftOut(chart);
  const note =
    missing > 0
      ? `${plural(missing, "value is", "values are")} not drawn: not finite, or not positive on a logarithmic axis.`
      : "";
  const count = chart.panels.length;
  const width = count > 1 ? fullWidth : (matrixWidth(chart.panels[0]) ?? singleWidth);
  return {
    title: chart.title,
    subtitle: [chart.subtitle ?? "", note].filter((line) => line !== "").join("\n"),
    width,
    draw(canvas, theme) {
      const legend = drawLegend(canvas, chart, width, theme);
      const panelWidth = (width - panelGap * (count - 1)) / count;
      const heights = chart.panels.map((panel, index) => {
        const group = canvas
          .append("g")
          .attr("transform", `translate(${index * (panelWidth + panelGap)},${legend})`) as Canvas;
        return drawPanel(group, panel, panelWidth, theme);
      });
      return legend + Math.max(...heights);
    },
  };
}

function matrixWidth(panel: Panel): number | undefined {
  const matrix = panel.marks.find((mark) => mark.kind === "matrix");
  return matrix && Math.min(fullWidth, Math.max(420, 130 + matrix.values[0].length * 48));
}

/** Names of series above the panels, where they cannot stand at the ends of lines. Returns the height used. */
function drawLegend(canvas: Canvas, chart: Chart, width: number, theme: Theme): number {
  const entries = new Map<string, MarkColor>();
  for (const { marks } of chart.panels) {
    for (const mark of marks) {
      if (mark.kind === "bars" || mark.kind === "histogram" || (mark.kind === "scatter" && mark.name !== "")) {
        entries.set(mark.name, mark.color);
      }
    }
  }
  if (entries.size < 2) return 0;
  let x = 0;
  let y = 0;
  for (const [name, color] of entries) {
    const wide = 18 + Math.min(textWidth(name, fontSize.body), width - 18) + 20;
    if (x > 0 && x + wide > width + 20) {
      x = 0;
      y += 20;
    }
    drawBox(canvas, { x, y, width: 11, height: 11 }, seriesColor(theme, color), 2);
    drawText(canvas, name, x + 18, y + 10, { fill: theme.text, maxWidth: width - 18 });
    x += wide;
  }
  return y + 26;
}

function drawPanel(canvas: Canvas, panel: Panel, width: number, theme: Theme): number {
  const heading = panel.title ?? panel.y.label;
  drawText(canvas, heading, 0, 11, { size: fontSize.heading, weight: "semibold", fill: theme.text, maxWidth: width });
  const top = heading === "" ? 0 : 28;
  const matrix = panel.marks.find((mark) => mark.kind === "matrix");
  if (matrix) return drawMatrix(canvas, panel, matrix, { x: 0, y: top, width, height: 0 }, theme);

  const extentX = extentOfMarks(panel, "x") ?? [0, 1];
  const extentY = extentOfMarks(panel, "y");
  if (extentY === null) {
    drawBox(canvas, { x: 0, y: top, width, height: 80 }, theme.band, 6);
    drawText(canvas, "No finite value to draw.", width / 2, top + 44, { fill: theme.muted, anchor: "middle" });
    return top + 80;
  }
  const labels = endLabels(panel, width);
  const plotHeight = Math.max(leastHeight, labels.length * endLabelHeight);
  const bars = panel.marks.some((mark) => mark.kind === "bars" || mark.kind === "histogram");
  const linear = panel.y.scale === "linear";
  const low = bars && linear ? Math.min(0, extentY[0]) : extentY[0];
  const high = bars && linear ? Math.max(0, extentY[1]) : extentY[1];
  const y = placeAxis(panel.y, [low, high], [top + plotHeight, top], 6, "zero");
  const tickWidth = Math.max(...y.ticks.map(({ text }) => textWidth(text, fontSize.small)), 0);
  const right = labels.length > 0 ? endLabelWidth(labels) : 8;
  const box: Box = {
    x: Math.ceil(tickWidth) + 10,
    y: top,
    width: width - Math.ceil(tickWidth) - 10 - right,
    height: plotHeight,
  };
  const spacing = panel.marks.some(({ kind }) => kind === "scatter") ? "space" : "none";
  const x = placeAxis(panel.x, extentX, [box.x, box.x + box.width], Math.round(box.width / 64), spacing);
  drawAxes(canvas, panel, box, x, y, theme);
  const plane: Plane = { panel, box, x, y };
  for (const mark of panel.marks) drawMark(canvas, mark, plane, theme);
  drawEndLabels(canvas, labels, plane, theme);
  return top + plotHeight + (panel.x.label === "" ? 20 : 42);
}

function drawAxes(canvas: Canvas, panel: Panel, box: Box, x: PlacedAxis, y: PlacedAxis, theme: Theme): void {
  for (const { position, text } of y.ticks) {
    drawLine(canvas, [box.x, position], [box.x + box.width, position], theme.grid);
    drawText(canvas, text, box.x - 7, position + 3.7, { size: fontSize.small, fill: theme.muted, anchor: "end" });
  }
  const bottom = box.y + box.height;
  const zero = panel.y.scale === "linear" && y.domain[0] < 0 && y.domain[1] > 0 ? y.place(0) : bottom;
  drawLine(canvas, [box.x, zero], [box.x + box.width, zero], theme.axis);
  let lastEnd = Number.NEGATIVE_INFINITY;
  for (const { position, text } of x.ticks) {
    const widest = x.step > 0 ? x.step - 6 : 120;
    const half = Math.min(textWidth(text, fontSize.small), widest) / 2;
    if (x.step === 0) drawLine(canvas, [position, bottom], [position, bottom + 4], theme.axis);
    // On crowded axes every label that would touch the one before is left out; categories are shortened instead.
    if (x.step === 0 && position - half < lastEnd + 6) continue;
    drawText(canvas, text, position, bottom + 17, {
      size: fontSize.small,
      fill: x.step > 0 ? theme.text : theme.muted,
      anchor: "middle",
      maxWidth: widest,
    });
    lastEnd = position + half;
  }
  drawText(canvas, panel.x.label, box.x + box.width / 2, bottom + 37, {
    fill: theme.muted,
    anchor: "middle",
    maxWidth: box.width,
  });
}
