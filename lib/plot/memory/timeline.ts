import { area, curveStepAfter, line, scaleLinear, stack } from "d3";
import type { MemoryCategory } from "../../memory/index.ts";
import { type Box, type Canvas, drawBox, drawLine, drawText, fontSize, round } from "../look/canvas.ts";
import { textWidth } from "../look/font-metrics.ts";
import { byteUnit, formatBytes, formatCount, formatNumber } from "../look/format.ts";
import { inkOn, type Phase, type Theme } from "../look/theme.ts";
import { nameStep, stackedCategories } from "./composition.ts";
import type { MemoryColumn, MemoryWindow } from "./window-data.ts";

/** Ticks of an axis of bytes at round numbers of one binary unit, which is named with the axis. */
export function byteTicks(maximum: number, count: number): { bytes: number; text: string }[] {
  const { divisor, unit } = byteUnit(maximum);
  return scaleLinear([0, maximum / divisor], [0, 1])
    .ticks(count)
    .map((value) => ({ bytes: value * divisor, text: value === 0 ? "0" : `${formatNumber(value)} ${unit}` }));
}

/** Draws horizontal grid lines up to `highest` bytes, and to the left of the box how many bytes they mean. */
export function drawByteAxis(
  canvas: Canvas,
  box: Box,
  maximum: number,
  highest: number,
  theme: Theme,
  labels = true,
): void {
  const y = scaleLinear([0, maximum], [box.y + box.height, box.y]);
  for (const { bytes, text } of byteTicks(highest, Math.max(2, Math.round(box.height / 44)))) {
    drawLine(canvas, [box.x, y(bytes)], [box.x + box.width, y(bytes)], bytes === 0 ? theme.axis : theme.grid);
    if (labels) {
      drawText(canvas, text, box.x - 8, y(bytes) + 3.5, { size: fontSize.small, fill: theme.muted, anchor: "end" });
    }
  }
}

/**
 * Draws live bytes as areas stacked by category, the fullest step of each column; where columns have several steps, a line
 * says what the emptiest of them has. Steps are as wide as each other; the box's height is `maximum` bytes.
 */
export function drawStack(
  canvas: Canvas,
  { columns, steps }: Pick<MemoryWindow, "columns" | "steps">,
  box: Box,
  maximum: number,
  theme: Theme,
): void {
  const x = scaleLinear(steps, [box.x, box.x + box.width]);
  const y = scaleLinear([0, maximum], [box.y + box.height, box.y]);
  const series = stack<MemoryColumn, MemoryCategory>()
    .keys(stackedCategories)
    .value((column, category) => column.live[category])(columns as MemoryColumn[]);
  const shape = area<{ start: number; low: number; high: number }>()
    .x((point) => round(x(point.start)))
    .y0((point) => round(y(point.low)))
    .y1((point) => round(y(point.high)))
    .curve(curveStepAfter);
  for (const layer of series) {
    if (layer.every(([low, high]) => low === high)) continue;
    const points = layer.map(([low, high], index) => ({ start: columns[index].start, low, high }));
    const last = points[points.length - 1];
    canvas
      .append("path")
      .attr("d", shape([...points, { ...last, start: steps[1] }]))
      .attr("fill", theme.categories[layer.key])
      .attr("data-category", layer.key);
  }
  if (columns.every(({ start, end }) => end - start === 1)) return;
  const emptiest = line<MemoryColumn>()
    .x(({ start }) => round(x(start)))
    .y(({ least }) => round(y(least)))
    .curve(curveStepAfter);
  canvas
    .append("path")
    .attr("d", emptiest(columns))
    .attr("fill", "none")
    .attr("stroke", theme.card)
    .attr("stroke-opacity", 0.75)
    .attr("stroke-width", 0.75)
    .attr("data-part", "emptiest");
}

/**
 * Draws the strip under the steps that says which of them go forward, backward, and update. Phases that are nowhere long
 * enough to be lettered, as updates between gradients, are named below at its right end.
 *
 * @param lettered false where a legend elsewhere names the phases
 */
export function drawPhases(
  canvas: Canvas,
  { steps, phases }: Pick<MemoryWindow, "steps" | "phases">,
  box: Box,
  theme: Theme,
  lettered = true,
): void {
  const x = scaleLinear(steps, [box.x, box.x + box.width]);
  const unnamed = new Set<Phase>(phases.map(({ phase }) => phase));
  for (const { phase, start, end } of phases) {
    const left = x(start);
    const width = x(end) - left;
    // Where phases alternate in single pixels, gaps between them would be all there is to see.
    const gap = width > 3 ? 0.5 : 0;
    drawBox(canvas, { ...box, x: left + gap, width: width - 2 * gap }, theme.phases[phase], width > 6 ? 2 : 0);
    if (lettered && textWidth(phase, fontSize.small, "semibold") <= width - 8) {
      unnamed.delete(phase);
      drawText(canvas, phase, left + width / 2, box.y + box.height / 2 + 3.7, {
        size: fontSize.small,
        weight: "semibold",
        fill: inkOn(theme.phases[phase]),
        anchor: "middle",
      });
    }
  }
  if (!lettered) return;
  let right = box.x + box.width;
  const baseline = box.y + box.height + 15;
  for (const phase of [...unnamed].reverse()) {
    drawText(canvas, phase, right, baseline, { size: fontSize.small, fill: theme.muted, anchor: "end" });
    right -= textWidth(phase, fontSize.small) + 15;
    drawBox(canvas, { x: right, y: baseline - 8.5, width: 10, height: 9 }, theme.phases[phase], 2);
    right -= 12;
  }
}

/** Draws the numbers of steps below the box, and what they count. */
export function drawStepAxis(
  canvas: Canvas,
  { steps: [first, last] }: Pick<MemoryWindow, "steps">,
  box: Box,
  theme: Theme,
): void {
  const count = last - first;
  const x = scaleLinear([first, last], [box.x, box.x + box.width]);
  const bottom = box.y + box.height;
  const ticks = scaleLinear([first, Math.max(first + 1, last - 1)], [0, 1])
    .ticks(Math.min(count, Math.max(2, Math.round(box.width / 80))))
    .filter((tick) => Number.isInteger(tick) && tick < last);
  for (const tick of ticks) {
    const centre = x(tick + 0.5);
    const text = formatCount(tick);
    const half = textWidth(text, fontSize.small) / 2;
    drawLine(canvas, [centre, bottom], [centre, bottom + 4], theme.axis);
    drawText(canvas, text, Math.max(box.x - 4 + half, Math.min(centre, box.x + box.width - half)), bottom + 16, {
      size: fontSize.small,
      fill: theme.muted,
      anchor: "middle",
    });
  }
  drawText(canvas, "step", box.x - 8, bottom + 16, { size: fontSize.small, fill: theme.muted, anchor: "end" });
}

/** Draws the arena's size as a line across the box, named at the end that is farther from the peak. */
export function drawArena(canvas: Canvas, window: MemoryWindow, box: Box, maximum: number, theme: Theme): void {
  const arenaY = box.y + box.height * (1 - window.arenaBytes / maximum);
  drawLine(canvas, [box.x, arenaY], [box.x + box.width, arenaY], theme.text, { dash: "5 4" });
  const [first, last] = window.steps;
  const atRight = window.peak.step + 0.5 < (first + last) / 2;
  drawText(canvas, `arena ${formatBytes(window.arenaBytes)}`, atRight ? box.x + box.width : box.x + 4, arenaY - 5, {
    size: fontSize.small,
    fill: theme.text,
    anchor: atRight ? "end" : "start",
    halo: theme.card,
  });
}

/** Marks the fullest step with its bytes above the box, if the window has it. */
export function drawPeak(canvas: Canvas, window: MemoryWindow, box: Box, maximum: number, theme: Theme): void {
  const { step, bytes, label } = window.peak;
  const [first, last] = window.steps;
  if (step < first || step >= last) return;
  const peakX = box.x + ((step - first + 0.5) * box.width) / (last - first);
  const peakY = box.y + box.height * (1 - bytes / maximum);
  drawLine(canvas, [peakX, box.y - 6], [peakX, peakY], theme.accent, { width: 1.5 });
  canvas
    .append("circle")
    .attr("cx", round(peakX))
    .attr("cy", round(peakY))
    .attr("r", 4)
    .attr("fill", theme.accent)
    .attr("stroke", theme.card)
    .attr("stroke-width", 1.5);
  const text = `peak ${formatBytes(bytes)} · ${nameStep(step, label)}`;
  const half = textWidth(text, fontSize.body, "semibold") / 2;
  const centre = Math.max(box.x + half, Math.min(box.x + box.width - half, peakX));
  drawText(canvas, text, centre, box.y - 11, { weight: "semibold", fill: theme.accent, anchor: "middle" });
}
