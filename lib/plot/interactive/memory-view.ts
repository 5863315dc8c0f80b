import { pointer, select } from "d3";
import type { MemoryReport } from "../../memory/index.ts";
import { type Box, type Canvas, drawBox, drawCard, drawLine, drawText } from "../look/canvas.ts";
import { textWidth } from "../look/font-metrics.ts";
import { formatBytes, plural } from "../look/format.ts";
import type { Theme } from "../look/theme.ts";
import { type PlacedBuffer, placeBuffers } from "../memory/address-map.ts";
import { categoryNames, stepName } from "../memory/composition.ts";
import { drawComposition } from "../memory/composition-panel.ts";
import { drawMemory, memoryFacts, memoryLayout, memorySummary, memoryTitle } from "../memory/memory-picture.ts";
import { widest } from "./controls.ts";
import { createTooltip } from "./tooltip.ts";

/**
 * The memory view that follows the pointer: one cursor runs through the timeline and the address map, the panel says
 * what is alive at it, and a buffer under the pointer tells its name, bytes and life. A click holds the cursor; arrow
 * keys move it.
 */
export function mountMemory(container: HTMLElement, report: MemoryReport, theme: Theme): void {
  const { timeline, map, panel } = memoryLayout;
  const count = report.steps.length;
  const placed = placeBuffers(report, map, Math.max(report.arenaBytes, 1));
  const picture = {
    title: memoryTitle(report),
    subtitle: `${memoryFacts(report)}\nPoint at a step or a buffer; click to hold a step; arrow keys move it.`,
    width: memoryLayout.width,
    draw(canvas: Canvas): number {
      drawMemory(canvas, report, theme);
      return memoryLayout.height;
    },
  };
  const svg = drawCard(document, picture, theme, memorySummary(report));
  Object.assign(svg.style, {
    width: "100%",
    maxWidth: widest,
    height: "auto",
    display: "block",
    outline: "none",
  });
  svg.setAttribute("tabindex", "0");
  container.append(svg);
  const tooltip = createTooltip(container, theme);
  const body = select(svg).select("[data-part=body]") as unknown as Canvas;
  const side = body.append("g") as Canvas;
  const outline = body.append("g").attr("pointer-events", "none") as Canvas;
  const cursor = body.append("g").attr("pointer-events", "none") as Canvas;
  const peak = body.select<SVGGElement>("[data-part=peak]");

  let held: number | null = null;
  let shown: number | null | undefined;
  const showStep = (step: number | null): void => {
    if (shown === step) return;
    shown = step;
    side.selectAll("*").remove();
    cursor.selectAll("*").remove();
    peak.attr("visibility", step === null ? null : "hidden");
    const { name } = report.steps[step ?? report.peak.step];
    drawComposition(
      side,
      report,
      step ?? report.peak.step,
      step === null ? "At the peak" : `Step ${step}: ${name}`,
      panel,
      theme,
    );
    if (step !== null) drawCursor(cursor, report, step, theme);
  };
  const showBuffer = (place: PlacedBuffer | undefined): void => {
    outline.selectAll("*").remove();
    if (!place) return;
    const above: Box = { x: place.x, y: timeline.y, width: place.width, height: timeline.height };
    drawBox(outline, above, theme.text).attr("fill-opacity", 0.07);
    drawBox(outline, place, "none", 1).attr("stroke", theme.text).attr("stroke-width", 1.75);
  };

  const stepAt = (event: PointerEvent | MouseEvent): number | null => {
    const [x, y] = pointer(event, body.node());
    const inside = x >= map.x && x < map.x + map.width && y >= timeline.y - 20 && y <= map.y + map.height;
    return inside ? Math.min(count - 1, Math.floor(((x - map.x) / map.width) * count)) : null;
  };
  const bufferAt = (event: PointerEvent): PlacedBuffer | undefined => {
    const [x, y] = pointer(event, body.node());
    return placed.findLast((place) => {
      // A buffer thinner than the pointer is precise can still be pointed at.
      const slack = Math.max(0, (3 - place.height) / 2);
      return x >= place.x && x < place.x + place.width && y >= place.y - slack && y < place.y + place.height + slack;
    });
  };
  svg.addEventListener("pointermove", (event) => {
    const step = stepAt(event);
    showStep(held ?? step);
    const place = step === null ? undefined : bufferAt(event);
    showBuffer(place);
    if (!place) return tooltip.hide();
    const { name, layer, category, type, bytes, offset, start, end } = place.buffer;
    tooltip.show(event, name, [
      `${type} · ${categoryNames[category]}${layer === "" ? "" : ` of ${layer}`}`,
      ["bytes", `${bytes.toLocaleString("en")} (${formatBytes(bytes)})`],
      ["address", `${offset.toLocaleString("en")} to ${(offset + bytes).toLocaleString("en")}`],
      ["alive", `${plural(end - start, "step")}: ${start} to ${end - 1}`],
    ]);
  });
  svg.addEventListener("pointerleave", () => {
    showStep(held);
    showBuffer(undefined);
    tooltip.hide();
  });
  svg.addEventListener("click", (event) => {
    const step = stepAt(event);
    held = step === held ? null : step;
    showStep(held ?? step);
  });
  svg.addEventListener("keydown", (event) => {
    const moves: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1 };
    if (event.key === "Escape") held = null;
    else if (event.key in moves) {
      held = Math.max(0, Math.min(count - 1, (held ?? report.peak.step) + moves[event.key]));
    } else return;
    event.preventDefault();
    // A notebook has commands of its own for these keys.
    event.stopPropagation();
    showStep(held);
  });
  showStep(null);
}

/** A line through both drawings, and what it stands at above them, where the peak is named otherwise. */
function drawCursor(canvas: Canvas, report: MemoryReport, step: number, theme: Theme): void {
  const { timeline, map } = memoryLayout;
  const x = map.x + ((step + 0.5) * map.width) / report.steps.length;
  // A pale line under the dark one keeps it visible on any area.
  drawLine(canvas, [x, timeline.y], [x, map.y + map.height], theme.card, { width: 3.5 });
  drawLine(canvas, [x, timeline.y - 6], [x, map.y + map.height], theme.text, { width: 1.25 });
  const total = Object.values(report.live).reduce((sum, live) => sum + live[step], 0);
  const text = `${formatBytes(total)} · ${stepName(report, step)}`;
  const half = textWidth(text, 12, "semibold") / 2;
  const middle = Math.max(timeline.x + half, Math.min(timeline.x + timeline.width - half, x));
  drawText(canvas, text, middle, timeline.y - 11, { weight: "semibold", fill: theme.text, anchor: "middle" });
}
