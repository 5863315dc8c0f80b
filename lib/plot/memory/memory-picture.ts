import { type Canvas, drawLine, drawText, fontSize, type Picture } from "../look/canvas.ts";
import { formatBytes, plural } from "../look/format.ts";
import type { Theme } from "../look/theme.ts";
import { drawAddressAxis, drawAddressMap, drawBufferNames, placeBuffers } from "./address-map.ts";
import { columnAt, nameStep } from "./composition.ts";
import { drawComposition } from "./composition-panel.ts";
import { drawArena, drawByteAxis, drawPeak, drawPhases, drawStack, drawStepAxis } from "./timeline.ts";
import type { MemoryWindow } from "./window-data.ts";

/** Where the parts of a memory view stand, in pixels; the interactive form uses the same. */
export const memoryLayout = {
  width: 852,
  timeline: { x: 64, y: 30, width: 524, height: 230 },
  phases: { x: 64, y: 266, width: 524, height: 17 },
  map: { x: 64, y: 322, width: 524, height: 210 },
  panel: { x: 620, y: 22, width: 232, height: 520 },
  height: 556,
} as const;

/** Bytes at the top of the timeline: the arena with room for its label. */
function memoryScale({ arenaBytes, peak }: MemoryWindow): number {
  return Math.max(arenaBytes, peak.bytes, 1) * 1.09;
}

/** Draws everything that does not follow the pointer. */
export function drawMemory(canvas: Canvas, window: MemoryWindow, theme: Theme): void {
  const { timeline, phases, map } = memoryLayout;
  const maximum = memoryScale(window);
  drawByteAxis(canvas, timeline, maximum, Math.max(window.arenaBytes, window.peak.bytes), theme);
  drawStack(canvas, window, timeline, maximum, theme);
  drawPhases(canvas, window, phases, theme);

  drawText(canvas, "Where every buffer lies: addresses upward, lifespan across", map.x, map.y - 10, {
    size: fontSize.heading,
    weight: "semibold",
    fill: theme.text,
  });
  drawAddressAxis(canvas, window.addresses, map, theme);
  const placed = placeBuffers(window, map);
  drawAddressMap(canvas, window, placed, map, theme);
  const [first, last] = window.steps;
  if (window.peak.step >= first && window.peak.step < last) {
    const peakX = map.x + ((window.peak.step - first + 0.5) * map.width) / (last - first);
    drawLine(canvas, [peakX, map.y], [peakX, map.y + map.height], theme.accent, { dash: "3 3" });
  }
  drawBufferNames(canvas, placed, theme);
  drawStepAxis(canvas, window, map, theme);
  drawArena(canvas, window, timeline, maximum, theme);
  // In a group of its own: an interactive form hides it while its cursor stands elsewhere.
  drawPeak(canvas.append("g").attr("data-part", "peak") as Canvas, window, timeline, maximum, theme);
}

/** The static picture of a memory report: bytes over time, the address map, and what the peak consists of. */
export function memoryPicture(window: MemoryWindow): Picture {
  return {
    title: memoryTitle(window),
    subtitle: memoryFacts(window),
    width: memoryLayout.width,
    draw(canvas, theme) {
      drawMemory(canvas, window, theme);
      const column = window.columns[columnAt(window, window.peak.step)];
      drawComposition(canvas, window, column, "At the peak", memoryLayout.panel, theme);
      return memoryLayout.height;
    },
  };
}

export function memoryTitle({ title }: Pick<MemoryWindow, "title">): string {
  return title === "" ? "Memory" : `Memory: ${title}`;
}

/** How many steps and buffers, how much the arena exceeds the peak, and how what is finer than a pixel is drawn. */
export function memoryFacts(window: MemoryWindow): string {
  const waste = window.arenaBytes - window.peak.bytes;
  const packing =
    waste === 0
      ? "the arena is exactly the peak"
      : `the arena is ${formatBytes(Math.abs(waste))} ${waste > 0 ? "more" : "less"} than the peak`;
  const many = window.columns.some(({ start, end }) => end - start > 1);
  const fine = [
    many ? "Of steps that share a pixel the fullest is drawn, and as a line the emptiest." : "",
    window.grid === null ? "" : "Every buffer colours its place on the map, fainter where it fills less than a pixel.",
  ].filter((text) => text !== "");
  return [
    `Bytes alive during each of ${plural(window.stepCount, "step")}, in ${plural(window.bufferCount, "buffer")}; ${packing}.`,
    ...(fine.length > 0 ? [fine.join(" ")] : []),
  ].join("\n");
}

/** The peak, when it is reached, and the arena, in one line. */
export function memorySummary({ title, peak, stepCount, arenaBytes }: MemoryWindow): string {
  return `memory of ${title}: peak ${formatBytes(peak.bytes)} at ${nameStep(peak.step, peak.label)} (of ${stepCount} steps), arena ${formatBytes(arenaBytes)}`;
}
