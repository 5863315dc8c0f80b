import { interpolateRgbBasis } from "d3";
import { type Box, type Canvas, drawBox, drawText, fontSize } from "../look/canvas.ts";
import { textWidth } from "../look/font-metrics.ts";
import { formatNumber } from "../look/format.ts";
import { inkOn, type Theme } from "../look/theme.ts";
import type { MatrixMark, Panel } from "./chart.ts";

/** In pixels; a matrix of few classes does not fill its place. */
const widestCell = 64;

/**
 * Draws a matrix as coloured cells with their numbers. On a diagonal matrix right answers and mistakes are coloured
 * apart: a hundred mistakes would be invisible on the scale of a thousand right answers. Returns the height used.
 */
export function drawMatrix(canvas: Canvas, panel: Panel, mark: MatrixMark, box: Box, theme: Theme): number {
  const columns = panel.x.categories ?? mark.values[0].map((_, index) => String(index));
  const left = 24 + Math.max(...mark.rows.map((row) => textWidth(row, fontSize.body)), 0) + 8;
  const cell = Math.min(widestCell, (box.width - left) / columns.length);
  const cellHeight = Math.min(cell, 34);
  const off = largest(mark, (row, column) => !mark.diagonal || row !== column);
  const on = largest(mark, (row, column) => mark.diagonal && row === column);
  const ramp = interpolateRgbBasis([...theme.ramp]);
  const wrong = interpolateRgbBasis([theme.ramp[0], theme.accent]);
  drawText(canvas, panel.x.label, box.x + left, box.y + 10, { fill: theme.muted });
  const top = box.y + 34;
  columns.forEach((text, column) => {
    drawText(canvas, text, box.x + left + (column + 0.5) * cell, top - 6, {
      fill: theme.text,
      anchor: "middle",
      maxWidth: cell - 2,
    });
  });
  mark.values.forEach((row, rowIndex) => {
    const y = top + rowIndex * cellHeight;
    drawText(canvas, mark.rows[rowIndex], box.x + left - 8, y + cellHeight / 2 + 4, {
      fill: theme.text,
      anchor: "end",
    });
    row.forEach((value, column) => {
      const right = mark.diagonal && rowIndex === column;
      const share = Number.isFinite(value) && value > 0 ? Math.sqrt(value / (right ? on : off)) : 0;
      const color = hex((mark.diagonal && !right ? wrong : ramp)(share));
      const place = { x: box.x + left + column * cell + 1, y: y + 1, width: cell - 2, height: cellHeight - 2 };
      drawBox(canvas, place, color, 3);
      if (value === 0 || !Number.isFinite(value) || cell < 22) return;
      drawText(canvas, formatNumber(value), place.x + place.width / 2, y + cellHeight / 2 + 4, {
        size: fontSize.small,
        weight: right ? "semibold" : "regular",
        fill: inkOn(color),
        anchor: "middle",
        maxWidth: cell - 4,
      });
    });
  });
  const bottom = top + mark.values.length * cellHeight;
  const middle = (top + bottom) / 2;
  canvas
    .append("text")
    .attr("transform", `translate(${box.x + 11},${middle}) rotate(-90)`)
    .attr("text-anchor", "middle")
    .attr("font-size", fontSize.body)
    .attr("fill", theme.muted)
    .text(panel.y.label);
  return bottom;
}

function largest(mark: MatrixMark, counts: (row: number, column: number) => boolean): number {
  let most = 1e-300;
  mark.values.forEach((row, rowIndex) => {
    row.forEach((value, column) => {
      if (counts(rowIndex, column) && value > most) most = value;
    });
  });
  return most;
}

/** `rgb(1, 2, 3)` as `#010203`. */
function hex(color: string): string {
  const channels = color.match(/\d+/g)!.slice(0, 3);
  return `#${channels.map((channel) => Number(channel).toString(16).padStart(2, "0")).join("")}`;
}
