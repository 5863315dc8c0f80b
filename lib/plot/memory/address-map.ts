import { color, scaleLinear } from "d3";
import type { BufferLabel } from "../../memory/index.ts";
import { type Box, type Canvas, drawLine, drawText, fontSize, round } from "../look/canvas.ts";
import { fitText } from "../look/font-metrics.ts";
import { byteUnit, formatNumber } from "../look/format.ts";
import { indexedImage } from "../look/indexed-image.ts";
import { inkOn, type Theme } from "../look/theme.ts";
import { stackedCategories } from "./composition.ts";
import { gridLevels } from "./memory-grid.ts";
import type { MemoryGrid, MemoryWindow } from "./window-data.ts";

/** A buffer's place in the drawing: when it lives across, where it lies upward. */
export interface PlacedBuffer extends Box {
  readonly buffer: BufferLabel;
}

/** Places the buffers of a window in a box, the window's lowest address below; what lies outside of it is cut off. */
export function placeBuffers({ buffers, steps, addresses }: MemoryWindow, box: Box): PlacedBuffer[] {
  const x = scaleLinear(steps, [box.x, box.x + box.width]).clamp(true);
  const y = scaleLinear(addresses, [box.y + box.height, box.y]).clamp(true);
  return buffers.map((buffer) => ({
    buffer,
    x: x(buffer.start),
    y: y(buffer.offset + buffer.bytes),
    width: x(buffer.end) - x(buffer.start),
    height: y(buffer.offset) - y(buffer.offset + buffer.bytes),
  }));
}

/** Draws the address × time map: every buffer as a rectangle, or where they are too many, the grid that they all are in. */
export function drawAddressMap(
  canvas: Canvas,
  { grid }: MemoryWindow,
  placed: readonly PlacedBuffer[],
  box: Box,
  theme: Theme,
): void {
  if (grid === null) drawRectangles(canvas, placed, theme);
  else drawGrid(canvas, grid, box, theme);
}

/** Those of a category are one path, so that ten thousand buffers are six elements. */
function drawRectangles(canvas: Canvas, placed: readonly PlacedBuffer[], theme: Theme): void {
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

/** Opacity of a cell that is hardly filled: what is there must be seen. */
const leastOpacity = 0.3;

function drawGrid(canvas: Canvas, { columns, rows, cells }: MemoryGrid, box: Box, theme: Theme): void {
  const shades = stackedCategories.flatMap((category) => {
    const { r, g, b } = color(theme.categories[category])!.rgb();
    return Array.from({ length: gridLevels }, (_, level) => {
      const opacity = leastOpacity + ((1 - leastOpacity) * level) / (gridLevels - 1);
      return [r, g, b, Math.round(255 * opacity)] as const;
    });
  });
  canvas
    .append("image")
    .attr("href", indexedImage(cells, columns, rows, [[0, 0, 0, 0], ...shades]))
    .attr("x", box.x)
    .attr("y", box.y)
    .attr("width", box.width)
    .attr("height", box.height)
    .attr("preserveAspectRatio", "none")
    .style("image-rendering", "pixelated");
}

/** Writes the names of the buffers that have room for them. */
export function drawBufferNames(canvas: Canvas, placed: readonly PlacedBuffer[], theme: Theme): void {
  for (const { buffer, x, y, width, height } of placed) {
    if (height < 14 || width < 40) continue;
    const text = fitText(buffer.name, width - 10, fontSize.small, "regular", "end");
    // Three letters and an ellipsis tell nobody anything.
    if (text !== buffer.name && text.length < 7) continue;
    drawText(canvas, text, x + 6, y + Math.min(height / 2 + 3.7, 16), {
      size: fontSize.small,
      fill: inkOn(theme.categories[buffer.category]),
      halo: theme.categories[buffer.category],
    });
  }
}

/** Draws horizontal grid lines at round addresses, and to the left of the box what they are. */
export function drawAddressAxis(canvas: Canvas, [low, high]: MemoryWindow["addresses"], box: Box, theme: Theme): void {
  const { divisor, unit } = byteUnit(high);
  const y = scaleLinear([low / divisor, high / divisor], [box.y + box.height, box.y]);
  const ticks = y.ticks(Math.max(2, Math.round(box.height / 44)));
  // Deep inside of an arena ticks differ in digits that are left out elsewhere.
  const step = ticks.length > 1 ? ticks[1] - ticks[0] : 1;
  const digits = Math.max(3, Math.ceil(Math.log10(Math.max(1, high / divisor) / step)) + 1);
  for (const tick of ticks) {
    drawLine(canvas, [box.x, y(tick)], [box.x + box.width, y(tick)], tick === 0 ? theme.axis : theme.grid);
    drawText(canvas, tick === 0 ? "0" : `${formatNumber(tick, digits)} ${unit}`, box.x - 8, y(tick) + 3.5, {
      size: fontSize.small,
      fill: theme.muted,
      anchor: "end",
    });
  }
}
