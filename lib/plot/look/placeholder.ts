import { type Canvas, drawBox, drawText, type Picture } from "./canvas.ts";
import { wrapText } from "./font-metrics.ts";
import type { Theme } from "./theme.ts";

/** A picture for a report in which there is nothing to draw: it says why, and what to do. */
export function placeholder(title: string, message: string): Picture {
  const width = 560;
  return {
    title,
    width,
    draw(canvas: Canvas, theme: Theme) {
      const lines = wrapText(message, width - 48, 12);
      const height = 40 + 18 * lines.length;
      drawBox(canvas, { x: 0, y: 0, width, height }, theme.band, 6);
      lines.forEach((line, index) => {
        drawText(canvas, line, width / 2, 32 + 18 * index, { fill: theme.muted, anchor: "middle" });
      });
      return height;
    },
  };
}
