import { type Box, type Canvas, drawBox, drawLine, drawText, fontSize } from "../look/canvas.ts";
import { formatBytes, formatPercent, plural } from "../look/format.ts";
import type { Theme } from "../look/theme.ts";
import { categoryNames, compositionOf, stackedCategories } from "./composition.ts";
import type { MemoryColumn, MemoryWindow } from "./window-data.ts";

const rowHeight = 19;

/**
 * Draws what memory consists of during one step: every category with its bytes and share, which is the legend too, and
 * the largest buffers that fit below.
 */
export function drawComposition(
  canvas: Canvas,
  window: MemoryWindow,
  column: MemoryColumn,
  heading: string,
  box: Box,
  theme: Theme,
): void {
  const { totalBytes, categories, buffers, alive } = compositionOf(window, column);
  const right = box.x + box.width;
  let y = box.y + 11;
  drawText(canvas, heading, box.x, y, {
    size: fontSize.heading,
    weight: "semibold",
    fill: theme.text,
    maxWidth: box.width,
  });
  y += 8;
  // From the top of the stack down, as in the drawing beside it. Categories that are used at some other step stay.
  for (const category of [...stackedCategories].reverse()) {
    const bytes = categories.find((entry) => entry.category === category)?.bytes ?? 0;
    if (bytes === 0 && !window.columns.some(({ live }) => live[category] > 0)) continue;
    y += rowHeight;
    const ink = bytes > 0 ? theme.text : theme.muted;
    drawBox(canvas, { x: box.x, y: y - 10, width: 11, height: 11 }, theme.categories[category], 2);
    drawText(canvas, categoryNames[category], box.x + 18, y, { fill: ink });
    drawText(canvas, bytes === 0 ? "–" : formatBytes(bytes), right - 46, y, { fill: ink, anchor: "end" });
    drawText(canvas, bytes === 0 ? "" : formatPercent(bytes / totalBytes), right, y, {
      fill: theme.muted,
      anchor: "end",
    });
  }
  y += 9;
  drawLine(canvas, [box.x, y], [right, y], theme.axis);
  y += rowHeight - 4;
  drawText(canvas, "live", box.x + 18, y, { weight: "semibold", fill: theme.text });
  drawText(canvas, formatBytes(totalBytes), right - 46, y, { weight: "semibold", fill: theme.text, anchor: "end" });

  const room = Math.floor((box.y + box.height - y - 34) / rowHeight);
  const shown = buffers.slice(0, Math.max(0, Math.min(8, room - 1)));
  if (shown.length === 0) return;
  y += 32;
  drawText(canvas, "Largest buffers", box.x, y, { size: fontSize.heading, weight: "semibold", fill: theme.text });
  y += 4;
  for (const buffer of shown) {
    y += rowHeight;
    drawBox(canvas, { x: box.x, y: y - 10, width: 11, height: 11 }, theme.categories[buffer.category], 2);
    drawText(canvas, buffer.name, box.x + 18, y, { fill: theme.text, maxWidth: box.width - 18 - 62, keep: "end" });
    drawText(canvas, formatBytes(buffer.bytes), right, y, { fill: theme.text, anchor: "end" });
  }
  if (alive > shown.length) {
    y += rowHeight;
    drawText(canvas, `and ${plural(alive - shown.length, "other")}`, box.x + 18, y, { fill: theme.muted });
  }
}
