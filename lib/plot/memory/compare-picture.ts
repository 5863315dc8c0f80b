import type { MemoryCategory } from "../../memory/index.ts";
import { type Box, type Canvas, drawBox, drawLine, drawText, fontSize, type Picture } from "../look/canvas.ts";
import { textWidth } from "../look/font-metrics.ts";
import { formatBytes, formatCount, formatNumber } from "../look/format.ts";
import type { Theme } from "../look/theme.ts";
import { categoryNames, columnAt, nameStep, stackedCategories, totalOf } from "./composition.ts";
import { byteTicks, drawByteAxis, drawPhases, drawStack } from "./timeline.ts";
import type { MemoryColumn, MemoryWindow } from "./window-data.ts";

/** What a comparison shows of a report: bytes over time, without the buffers. */
export type ComparedMemory = Pick<MemoryWindow, "stepCount" | "steps" | "columns" | "phases" | "peak" | "arenaBytes">;

/** Several memory reports by name, to be drawn on one scale. */
export interface MemoryComparison {
  readonly kind: "memory-comparison";
  readonly title: string;
  readonly entries: readonly { readonly name: string; readonly memory: ComparedMemory }[];
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
  const panel = Math.min(400, (width - left - panelGap * (columns - 1)) / columns);
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
  return Math.max(1, ...entries.map(({ memory }) => Math.max(memory.peak.bytes, memory.arenaBytes))) * 1.02;
}

function drawComparison(canvas: Canvas, comparison: MemoryComparison, theme: Theme): number {
  const { entries } = comparison;
  const maximum = comparisonScale(comparison);
  drawLegend(
    canvas,
    entries.map(({ memory }) => memory),
    theme,
  );
  const { boxes, left } = comparisonBoxes(comparison);
  entries.forEach(({ name, memory }, index) => {
    const box = boxes[index];
    const first = entries[0].memory;
    drawText(canvas, name, box.x, box.y - 30, {
      size: fontSize.heading,
      weight: "semibold",
      fill: theme.text,
      maxWidth: box.width,
    });
    const bytes = formatBytes(memory.peak.bytes);
    drawText(canvas, bytes, box.x, box.y - 12, { weight: "semibold", fill: theme.accent });
    const beside = textWidth(bytes, fontSize.body, "semibold") + 8;
    const change = index === 0 ? "at the peak" : compareWith(memory.peak.bytes, first.peak.bytes, entries[0].name);
    drawText(canvas, change, box.x + beside, box.y - 12, { fill: theme.muted, maxWidth: box.width - beside });
    drawByteAxis(canvas, box, maximum, maximum, theme, box.x === left);
    drawStack(canvas, memory, box, maximum, theme);
    const peakX = box.x + ((memory.peak.step + 0.5) * box.width) / memory.stepCount;
    const peakY = box.y + box.height * (1 - memory.peak.bytes / maximum);
    drawLine(canvas, [box.x, peakY], [box.x + box.width, peakY], theme.accent, { dash: "2 3" });
    canvas
      .append("circle")
      .attr("cx", peakX)
      .attr("cy", peakY)
      .attr("r", 3.5)
      .attr("fill", theme.accent)
      .attr("stroke", theme.card)
      .attr("stroke-width", 1.25);
    drawPhases(canvas, memory, { x: box.x, y: box.y + box.height + 5, width: box.width, height: 8 }, theme, false);
  });
  return Math.max(...boxes.map(({ y }) => y)) + plotHeight + 16;
}

/** The categories that any report uses, and then the phases, in one line. */
function drawLegend(canvas: Canvas, memories: readonly ComparedMemory[], theme: Theme): void {
  const used = (category: MemoryCategory): boolean =>
    memories.some(({ columns }) => columns.some(({ live }) => live[category] > 0));
  let x = 0;
  const name = (text: string, color: string, height: number): void => {
    drawBox(canvas, { x, y: 5.5 - height / 2, width: 11, height }, color, 2);
    drawText(canvas, text, x + 17, 10, { fill: theme.text });
    x += 17 + textWidth(text, fontSize.body) + 16;
  };
  for (const category of stackedCategories.filter(used)) name(categoryNames[category], theme.categories[category], 11);
  drawLine(canvas, [x, -2], [x, 13], theme.axis);
  x += 16;
  const phases = new Set(memories.flatMap(({ phases }) => phases.map(({ phase }) => phase)));
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
  const told = entries.map(({ name, memory }) => {
    const { step, bytes, label } = memory.peak;
    const { live } = memory.columns[columnAt(memory, step)];
    const [largest] = [...stackedCategories].sort((a, b) => live[b] - live[a]);
    return `${name}: peak ${formatBytes(bytes)} at ${nameStep(step, label)}, most of it ${categoryNames[largest]}`;
  });
  return `${title}: ${told.join("; ")}`;
}

/**
 * The column of one program at which it does what another does in a column: the same operators of the same layer and
 * phase if there are such, else the same layer and phase, else as far on its way.
 */
export function matchingColumn(from: ComparedMemory, column: MemoryColumn, to: ComparedMemory): number {
  const far = (column.step - from.steps[0] + 0.5) / from.stepCount;
  const place = (index: number): number => (to.columns[index].step + 0.5) / to.stepCount;
  const { phase, layer, name } = column.label;
  const alike = (labels: (label: MemoryColumn["label"]) => boolean): number[] =>
    [...to.columns.keys()].filter((index) => labels(to.columns[index].label));
  const same = alike((label) => label.phase === phase && label.layer === layer && label.name === name);
  const near = same.length > 0 ? same : alike((label) => label.phase === phase && label.layer === layer);
  if (near.length === 0) return columnAt(to, Math.floor(far * to.stepCount));
  return near.reduce((best, index) => (Math.abs(place(index) - far) < Math.abs(place(best) - far) ? index : best));
}

/** What the programs hold at matching moments: of two every category beside the other's, of more the sums. */
export function describeMoment(
  { entries }: MemoryComparison,
  moments: readonly number[],
): readonly (readonly [name: string, value: string])[] {
  const columns = entries.map(({ memory }, index) => memory.columns[moments[index]]);
  const sums = columns.map(
    (column, index) =>
      [entries[index].name, `${formatBytes(totalOf(column))}, step ${formatCount(column.step)}`] as const,
  );
  if (entries.length !== 2) return sums;
  const categories = [...stackedCategories]
    .reverse()
    .filter((category) => columns.some(({ live }) => live[category] > 0))
    .map((category) => {
      const [one, other] = columns.map(({ live }) => formatBytes(live[category]));
      return [categoryNames[category], one === other ? one : `${one} → ${other}`] as const;
    });
  return [...sums, ...categories];
}
