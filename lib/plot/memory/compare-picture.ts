import type { MemoryCategory, MemoryReport } from "../../memory/index.ts";
import { type Box, type Canvas, drawBox, drawLine, drawText, fontSize, type Picture } from "../look/canvas.ts";
import { textWidth } from "../look/font-metrics.ts";
import { formatBytes, formatNumber } from "../look/format.ts";
import type { Theme } from "../look/theme.ts";
import { categoryNames, compositionAt, stackedCategories, stepName } from "./composition.ts";
import { byteTicks, drawByteAxis, drawPhases, drawStack } from "./timeline.ts";

/** Several memory reports by name, to be drawn on one scale. */
export interface MemoryComparison {
  readonly kind: "memory-comparison";
  readonly title: string;
  readonly entries: readonly { readonly name: string; readonly report: MemoryReport }[];
}

const width = 852;
const plotHeight = 210;
const panelGap = 22;
const mostInRow = 4;
const rowHeight = plotHeight + 92;

/** Where the panels stand: rows of at most four, all of one size. */
export function comparisonBoxes(comparison: MemoryComparison): {
  readonly boxes: readonly Box[];
  readonly left: number;
} {
  const { entries } = comparison;
  const rows = Math.ceil(entries.length / mostInRow);
  const columns = Math.ceil(entries.length / rows);
  const ticks = byteTicks(comparisonScale(comparison), 5);
  const left = Math.ceil(Math.max(...ticks.map(({ text }) => textWidth(text, fontSize.small)))) + 10;
  const panel = Math.min(320, (width - left - panelGap * (columns - 1)) / columns);
  const boxes = entries.map((_, index) => ({
    x: left + (index % columns) * (panel + panelGap),
    y: 76 + Math.floor(index / columns) * rowHeight,
    width: panel,
    height: plotHeight,
  }));
  return { boxes, left };
}

/** Bytes at the top of every panel. */
function comparisonScale({ entries }: MemoryComparison): number {
  return Math.max(1, ...entries.map(({ report }) => Math.max(report.peak.bytes, report.arenaBytes))) * 1.02;
}

function drawComparison(canvas: Canvas, comparison: MemoryComparison, theme: Theme): number {
  const { entries } = comparison;
  const maximum = comparisonScale(comparison);
  drawLegend(
    canvas,
    entries.map(({ report }) => report),
    theme,
  );
  const { boxes, left } = comparisonBoxes(comparison);
  entries.forEach(({ name, report }, index) => {
    const box = boxes[index];
    const first = entries[0].report;
    drawText(canvas, name, box.x, box.y - 30, {
      size: fontSize.heading,
      weight: "semibold",
      fill: theme.text,
      maxWidth: box.width,
    });
    const bytes = formatBytes(report.peak.bytes);
    drawText(canvas, bytes, box.x, box.y - 12, { weight: "semibold", fill: theme.accent });
    const beside = textWidth(bytes, fontSize.body, "semibold") + 8;
    const change = index === 0 ? "at the peak" : compareWith(report.peak.bytes, first.peak.bytes, entries[0].name);
    drawText(canvas, change, box.x + beside, box.y - 12, { fill: theme.muted, maxWidth: box.width - beside });
    drawByteAxis(canvas, box, maximum, maximum, theme, box.x === left);
    drawStack(canvas, report, box, maximum, theme);
    const peakX = box.x + ((report.peak.step + 0.5) * box.width) / report.steps.length;
    const peakY = box.y + box.height * (1 - report.peak.bytes / maximum);
    drawLine(canvas, [box.x, peakY], [box.x + box.width, peakY], theme.accent, { dash: "2 3" });
    canvas
      .append("circle")
      .attr("cx", peakX)
      .attr("cy", peakY)
      .attr("r", 3.5)
      .attr("fill", theme.accent)
      .attr("stroke", theme.card)
      .attr("stroke-width", 1.25);
    drawPhases(canvas, report, { x: box.x, y: box.y + box.height + 5, width: box.width, height: 8 }, theme, false);
  });
  return Math.max(...boxes.map(({ y }) => y)) + plotHeight + 16;
}

/** The categories that any report uses, and then the phases, in one line. */
function drawLegend(canvas: Canvas, reports: readonly MemoryReport[], theme: Theme): void {
  const used = (category: MemoryCategory): boolean =>
    reports.some(({ live }) => live[category].some((bytes) => bytes > 0));
  let x = 0;
  const name = (text: string, color: string, height: number): void => {
    drawBox(canvas, { x, y: 5.5 - height / 2, width: 11, height }, color, 2);
    drawText(canvas, text, x + 17, 10, { fill: theme.text });
    x += 17 + textWidth(text, fontSize.body) + 16;
  };
  for (const category of stackedCategories.filter(used)) name(categoryNames[category], theme.categories[category], 11);
  drawLine(canvas, [x, -2], [x, 13], theme.axis);
  x += 16;
  const phases = new Set(reports.flatMap(({ steps }) => steps.map(({ phase }) => phase)));
  for (const phase of phases) name(phase, theme.phases[phase], 6);
}

/** How much more or less: as a factor where it is large, else in percent. */
function compareWith(bytes: number, reference: number, name: string): string {
  const ratio = bytes / reference;
  if (bytes === reference) return `as ${name}`;
  if (ratio >= 2) return `${formatNumber(ratio)} × ${name}`;
  const percent = Math.abs(ratio - 1) * 100;
  return `${formatNumber(percent)} % ${ratio > 1 ? "more" : "less"} than ${name}`;
}

/** The static picture of a comparison. */
export function comparisonPicture(comparison: MemoryComparison): Picture {
  return {
    title: comparison.title,
    subtitle: comparisonFacts,
    width,
    draw: (canvas, theme) => drawComparison(canvas, comparison, theme),
  };
}

const comparisonFacts = "Bytes alive during each step, all on one scale; the strip below says what each step is for.";

/** Every peak with what it mostly consists of, in one line. */
export function comparisonSummary({ title, entries }: MemoryComparison): string {
  const told = entries.map(({ name, report }) => {
    const [largest] = [...compositionAt(report, report.peak.step).categories].sort((a, b) => b.bytes - a.bytes);
    const most = largest ? `, most of it ${categoryNames[largest.category]}` : "";
    return `${name}: peak ${formatBytes(report.peak.bytes)} at ${stepName(report, report.peak.step)}${most}`;
  });
  return `${title}: ${told.join("; ")}`;
}
