import { area, curveStepAfter, scaleLinear, stack } from "d3";
import type { MemoryCategory, MemoryReport } from "../../memory/index.ts";
import { type Box, type Canvas, drawBox, drawLine, drawText, fontSize, round } from "../look/canvas.ts";
import { textWidth } from "../look/font-metrics.ts";
import { byteUnit, formatBytes, formatNumber } from "../look/format.ts";
import { inkOn, type Phase, type Theme } from "../look/theme.ts";
import { stackedCategories, stepName } from "./composition.ts";

/** One column of the stacked areas: a step, or the fullest of the steps that share a column of pixels. */
interface StackedStep {
  readonly start: number;
  readonly live: Readonly<Record<MemoryCategory, number>>;
}

/**
 * The steps to be drawn, at most `limit`. Where there are more, each run of steps is drawn as its fullest one, so that
 * no peak is lost between two pixels.
 */
export function stackedSteps(report: MemoryReport, limit: number): readonly StackedStep[] {
  const count = report.steps.length;
  const columns = Math.min(count, limit);
  const total = (step: number): number =>
    stackedCategories.reduce((sum, category) => sum + report.live[category][step], 0);
  return Array.from({ length: columns }, (_, column) => {
    const start = Math.floor((column * count) / columns);
    const end = Math.floor(((column + 1) * count) / columns);
    let fullest = start;
    for (let step = start + 1; step < end; step++) if (total(step) > total(fullest)) fullest = step;
    const live = Object.fromEntries(stackedCategories.map((category) => [category, report.live[category][fullest]]));
    return { start, live: live as Record<MemoryCategory, number> };
  });
}

/** Runs of steps of the same phase, half-open. */
export function phaseRuns(report: MemoryReport): { phase: Phase; start: number; end: number }[] {
  const runs: { phase: Phase; start: number; end: number }[] = [];
  report.steps.forEach(({ phase }, step) => {
    const last = runs.at(-1);
    if (last?.phase === phase) last.end = step + 1;
    else runs.push({ phase, start: step, end: step + 1 });
  });
  return runs;
}

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

/** Draws live bytes as areas stacked by category. Steps are as wide as each other; the box's height is `maximum` bytes. */
export function drawStack(canvas: Canvas, report: MemoryReport, box: Box, maximum: number, theme: Theme): void {
  const count = report.steps.length;
  const x = scaleLinear([0, count], [box.x, box.x + box.width]);
  const y = scaleLinear([0, maximum], [box.y + box.height, box.y]);
  const steps = stackedSteps(report, Math.max(1, Math.floor(box.width * 2)));
  const series = stack<StackedStep, MemoryCategory>()
    .keys(stackedCategories)
    .value((step, category) => step.live[category])(steps as StackedStep[]);
  const shape = area<{ start: number; low: number; high: number }>()
    .x((point) => round(x(point.start)))
    .y0((point) => round(y(point.low)))
    .y1((point) => round(y(point.high)))
    .curve(curveStepAfter);
  for (const layer of series) {
    if (layer.every(([low, high]) => low === high)) continue;
    const points = layer.map(([low, high], index) => ({ start: steps[index].start, low, high }));
    const last = points[points.length - 1];
    canvas
      .append("path")
      .attr("d", shape([...points, { ...last, start: count }]))
      .attr("fill", theme.categories[layer.key])
      .attr("data-category", layer.key);
  }
}

/**
 * Draws the strip under the steps that says which of them go forward, backward, and update. Phases that are nowhere long
 * enough to be lettered, as updates between gradients, are named below at its right end.
 *
 * @param lettered false where a legend elsewhere names the phases
 */
export function drawPhases(canvas: Canvas, report: MemoryReport, box: Box, theme: Theme, lettered = true): void {
  const x = scaleLinear([0, report.steps.length], [box.x, box.x + box.width]);
  const unnamed = new Set<Phase>(report.steps.map(({ phase }) => phase));
  for (const { phase, start, end } of phaseRuns(report)) {
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
export function drawStepAxis(canvas: Canvas, report: MemoryReport, box: Box, theme: Theme): void {
  const count = report.steps.length;
  const x = scaleLinear([0, count], [box.x, box.x + box.width]);
  const bottom = box.y + box.height;
  const ticks = scaleLinear([0, Math.max(1, count - 1)], [0, 1])
    .ticks(Math.min(count, Math.max(2, Math.round(box.width / 70))))
    .filter((tick) => Number.isInteger(tick) && tick < count);
  for (const tick of ticks) {
    const centre = x(tick + 0.5);
    drawLine(canvas, [centre, bottom], [centre, bottom + 4], theme.axis);
    drawText(canvas, String(tick), centre, bottom + 16, { size: fontSize.small, fill: theme.muted, anchor: "middle" });
  }
  drawText(canvas, "step", box.x - 8, bottom + 16, { size: fontSize.small, fill: theme.muted, anchor: "end" });
}

/** Draws the arena's size as a line across the box, named at the end that is farther from the peak. */
export function drawArena(canvas: Canvas, report: MemoryReport, box: Box, maximum: number, theme: Theme): void {
  const arenaY = box.y + box.height * (1 - report.arenaBytes / maximum);
  drawLine(canvas, [box.x, arenaY], [box.x + box.width, arenaY], theme.text, { dash: "5 4" });
  const atRight = report.peak.step + 0.5 < report.steps.length / 2;
  drawText(canvas, `arena ${formatBytes(report.arenaBytes)}`, atRight ? box.x + box.width : box.x + 4, arenaY - 5, {
    size: fontSize.small,
    fill: theme.text,
    anchor: atRight ? "end" : "start",
    halo: theme.card,
  });
}

/** Marks the fullest step with its bytes above the box. */
export function drawPeak(canvas: Canvas, report: MemoryReport, box: Box, maximum: number, theme: Theme): void {
  const { step, bytes } = report.peak;
  const peakX = box.x + ((step + 0.5) * box.width) / report.steps.length;
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
  const text = `peak ${formatBytes(bytes)} · ${stepName(report, step)}`;
  const half = textWidth(text, fontSize.body, "semibold") / 2;
  const centre = Math.max(box.x + half, Math.min(box.x + box.width - half, peakX));
  drawText(canvas, text, centre, box.y - 11, { weight: "semibold", fill: theme.accent, anchor: "middle" });
}
