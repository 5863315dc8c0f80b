import { scaleLinear } from "d3";
import type { BufferLabel, MemoryReport } from "../../memory/index.ts";
import { type Box, type Canvas, drawText, fontSize, round } from "../look/canvas.ts";
import { fitText } from "../look/font-metrics.ts";
import { inkOn, type Theme } from "../look/theme.ts";
import { stackedCategories } from "./composition.ts";

/** A buffer's place in the drawing: when it lives across, where it lies upward. */
export interface PlacedBuffer extends Box {
  readonly buffer: BufferLabel;
}

/** Places every buffer of the report in a box as wide as all steps and as high as `maximum` bytes, address 0 below. */
export function placeBuffers(report: MemoryReport, box: Box, maximum: number): PlacedBuffer[] {
  const x = scaleLinear([0, report.steps.length], [box.x, box.x + box.width]);
  const y = scaleLinear([0, maximum], [box.y + box.height, box.y]);
  return report.buffers.map((buffer) => ({
    buffer,
    x: x(buffer.start),
    y: y(buffer.offset + buffer.bytes),
    width: x(buffer.end) - x(buffer.start),
    height: y(buffer.offset) - y(buffer.offset + buffer.bytes),
  }));
}

/**
 * Draws the address × time map: one rectangle for each buffer. Those of a category are one path, so that a hundred
 * thousand buffers are six elements.
 */
export function drawAddressMap(canvas: Canvas, placed: readonly PlacedBuffer[], theme: Theme): void {
  for (const category of stackedCategories) {
    const members = placed.filter(({ buffer }) => buffer.category === category);
    if (members.length === 0) continue;
    const path = members.map((place) => {
      // A gap shows where one buffer ends and the next begins, unless it would eat the buffer.
      const gap = place.height > 3 && place.width > 3 ? 0.5 : 0;
      const height = Math.max(place.height - 2 * gap, 0.35);
      return `M${round(place.x + gap)} ${round(place.y + gap)}h${round(place.width - 2 * gap)}v${round(height)}h${round(-(place.width - 2 * gap))}z`;
    });
    canvas
      .append("path")
      .attr("d", path.join(""))
      .attr("fill", theme.categories[category])
      .attr("data-category", category);
  }
}

/** Writes the names of the buffers that have room for them. */
export function drawBufferNames(canvas: Canvas, placed: readonly PlacedBuffer[], theme: Theme): void {
  for (const { buffer, x, y, width, height } of placed) {
    if (height < 14 || width < 40) continue;
    const text = fitText(buffer.name, width - 10, fontSize.small);
    // Three letters and an ellipsis tell nobody anything.
    if (text !== buffer.name && text.length < 7) continue;
    drawText(canvas, text, x + 6, y + Math.min(height / 2 + 3.7, 16), {
      size: fontSize.small,
      fill: inkOn(theme.categories[buffer.category]),
      halo: theme.categories[buffer.category],
    });
  }
}
