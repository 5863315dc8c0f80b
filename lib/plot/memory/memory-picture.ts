import type { MemoryReport } from "../../memory/index.ts";
import { type Canvas, drawLine, drawText, fontSize, type Picture } from "../look/canvas.ts";
import { formatBytes, plural } from "../look/format.ts";
import type { Theme } from "../look/theme.ts";
import { drawAddressMap, drawBufferNames, placeBuffers } from "./address-map.ts";
import { stepName } from "./composition.ts";
import { drawComposition } from "./composition-panel.ts";
import { drawArena, drawByteAxis, drawPeak, drawPhases, drawStack, drawStepAxis } from "./timeline.ts";

/** Where the parts of a memory view stand, in pixels; the interactive form uses the same. */
export const memoryLayout = {
  width: 852,
  timeline: { x: 64, y: 30, width: 524, height: 230 },
  phases: { x: 64, y: 266, width: 524, height: 17 },
  map: { x: 64, y: 322, width: 524, height: 210 },
  panel: { x: 620, y: 22, width: 232, height: 520 },
  height: 556,
} as const;

/** Bytes at the top of both drawings: the arena with room for its label. */
function memoryScale(report: MemoryReport): number {
  return Math.max(report.arenaBytes, report.peak.bytes, 1) * 1.09;
}

/** Draws everything that does not follow the pointer. */
export function drawMemory(canvas: Canvas, report: MemoryReport, theme: Theme): void {
  const { timeline, phases, map } = memoryLayout;
  const maximum = memoryScale(report);
  drawByteAxis(canvas, timeline, maximum, Math.max(report.arenaBytes, report.peak.bytes), theme);
  drawStack(canvas, report, timeline, maximum, theme);
  drawPhases(canvas, report, phases, theme);

  drawText(canvas, "Where every buffer lies: addresses upward, lifespan across", map.x, map.y - 10, {
    size: fontSize.heading,
    weight: "semibold",
    fill: theme.text,
  });
  const mapScale = Math.max(report.arenaBytes, 1);
  drawByteAxis(canvas, map, mapScale, mapScale, theme);
  const placed = placeBuffers(report, map, mapScale);
  drawAddressMap(canvas, placed, theme);
  const peakX = map.x + ((report.peak.step + 0.5) * map.width) / report.steps.length;
  drawLine(canvas, [peakX, map.y], [peakX, map.y + map.height], theme.accent, { dash: "3 3" });
  drawBufferNames(canvas, placed, theme);
  drawStepAxis(canvas, report, map, theme);
  drawArena(canvas, report, timeline, maximum, theme);
  // In a group of its own: an interactive form hides it while its cursor stands elsewhere.
  drawPeak(canvas.append("g").attr("data-part", "peak") as Canvas, report, timeline, maximum, theme);
}

/** The static picture of a memory report: bytes over time, the address map, and what the peak consists of. */
export function memoryPicture(report: MemoryReport): Picture {
  return {
    title: memoryTitle(report),
    subtitle: memoryFacts(report),
    width: memoryLayout.width,
    draw(canvas, theme) {
      drawMemory(canvas, report, theme);
      drawComposition(canvas, report, report.peak.step, "At the peak", memoryLayout.panel, theme);
      return memoryLayout.height;
    },
  };
}

export function memoryTitle({ title }: MemoryReport): string {
  return title === "" ? "Memory" : `Memory: ${title}`;
}

/** How many steps and buffers, and how much the arena exceeds the peak. */
export function memoryFacts(report: MemoryReport): string {
  const waste = report.arenaBytes - report.peak.bytes;
  const packing =
    waste === 0
      ? "the arena is exactly the peak"
      : `the arena is ${formatBytes(Math.abs(waste))} ${waste > 0 ? "more" : "less"} than the peak`;
  return `Bytes alive during each of ${plural(report.steps.length, "step")}, in ${plural(report.buffers.length, "buffer")}; ${packing}.`;
}

/** The peak, when it is reached, and the arena, in one line. */
export function memorySummary(report: MemoryReport): string {
  const { step, bytes } = report.peak;
  return `memory of ${report.title}: peak ${formatBytes(bytes)} at ${stepName(report, step)} (of ${report.steps.length} steps), arena ${formatBytes(report.arenaBytes)}`;
}
