import { pointer, select } from "d3";
import type { MemoryReport } from "../../memory/index.ts";
import { type Box, type Canvas, drawBox, drawCard, drawLine, drawText } from "../look/canvas.ts";
import { textWidth } from "../look/font-metrics.ts";
import { formatBytes, plural } from "../look/format.ts";
import type { Theme } from "../look/theme.ts";
import { type PlacedBuffer, placeBuffers } from "../memory/address-map.ts";
import { categoryNames, columnAt, nameStep, totalOf } from "../memory/composition.ts";
import { drawComposition } from "../memory/composition-panel.ts";
import type { StoredWindow } from "../memory/memory-levels.ts";
import { drawMemory, memoryFacts, memoryLayout, memorySummary, memoryTitle } from "../memory/memory-picture.ts";
import type { MemoryColumn, MemoryWindow, Range } from "../memory/window-data.ts";
import { createButton, createButtonRow, createElement, widest } from "./controls.ts";
import { type Ask, readMemory } from "./memory-source.ts";
import { createTooltip } from "./tooltip.ts";
import { fitRange, moveRange, zoomRange } from "./zoom-range.ts";

/** What the reader did to the view; it outlives a change of theme. */
export interface MemoryViewState {
  steps?: Range;
  addresses?: Range;
  /** The step that a click or a key holds the cursor at. */
  held?: number | null;
}

/** What other views of the same program may do with this one. */
export interface MemoryHandle {
  /** Puts the cursor where these operations run; where it was without any. */
  show(operations: readonly number[]): void;
}

/** Steps that a zoom does not go below. */
const fewestSteps = 8;
/** A pointer that moves less than this many pixels between down and up has clicked. */
const clickReach = 4;
/** How long the pointer rests before a living kernel is asked for a finer drawing, in milliseconds. */
const restBeforeAsking = 120;

const hint =
  "Point at a step or a buffer; click to hold a step; arrow keys move it. Ctrl and the wheel zoom, dragging moves.";

/**
 * The memory view that follows the pointer: one cursor runs through the timeline and the address map, the panel says
 * what is alive at it, and a buffer under the pointer tells its name, bytes and life. A click holds the cursor; arrow
 * keys move it. Zooming in shows steps and addresses that share a pixel apart, as far as the data are stored, and beyond
 * it where a kernel answers.
 *
 * @param pointed is told which operations run at the cursor, as it moves
 */
export function mountMemory(
  container: HTMLElement,
  data: MemoryReport | StoredWindow,
  theme: Theme,
  state: MemoryViewState = {},
  ask?: Ask,
  pointed?: (operations: readonly number[]) => void,
): MemoryHandle {
  const { timeline, map, panel } = memoryLayout;
  const source = readMemory(data, ask);
  const { whole } = source;
  const picture = {
    title: memoryTitle(whole),
    subtitle: `${memoryFacts(whole)}\n${hint}`,
    width: memoryLayout.width,
    draw: () => memoryLayout.height,
  };
  const svg = drawCard(document, picture, theme, memorySummary(whole));
  Object.assign(svg.style, { width: "100%", height: "auto", display: "block", outline: "none", touchAction: "pan-y" });
  svg.setAttribute("tabindex", "0");
  const frame = createElement("div", { position: "relative", maxWidth: widest });
  const buttons = createButtonRow();
  frame.append(svg, buttons);
  container.append(frame);
  const tooltip = createTooltip(container, theme);
  const body = select(svg).select("[data-part=body]") as unknown as Canvas;
  const still = body.append("g") as Canvas;
  const side = body.append("g") as Canvas;
  const outline = body.append("g").attr("pointer-events", "none") as Canvas;
  const cursor = body.append("g").attr("pointer-events", "none").attr("data-part", "cursor") as Canvas;

  let window: MemoryWindow = whole;
  let placed: readonly PlacedBuffer[] = [];
  let shown: number | null | undefined;
  const columnOf = (step: number): MemoryColumn => window.columns[columnAt(window, step)];

  const showStep = (step: number | null): void => {
    if (shown === step) return;
    shown = step;
    side.selectAll("*").remove();
    cursor.selectAll("*").remove();
    still.select("[data-part=peak]").attr("visibility", step === null ? null : "hidden");
    const atPeak = window.peak.step >= window.steps[0] && window.peak.step < window.steps[1];
    const fullest = atPeak ? columnOf(window.peak.step) : fullestOf(window);
    const column = step === null ? fullest : columnOf(step);
    const named = step !== null ? `Step ${column.step}: ${column.label.name}` : atPeak ? "At the peak" : "Fullest here";
    drawComposition(side, window, column, named, panel, theme);
    if (step !== null) drawCursor(cursor, window, column, theme);
    pointed?.(step === null ? [] : (column.label.operations ?? []));
  };
  const showBuffer = (place: PlacedBuffer | undefined): void => {
    outline.selectAll("*").remove();
    if (!place) return;
    const above: Box = { x: place.x, y: timeline.y, width: place.width, height: timeline.height };
    drawBox(outline, above, theme.text).attr("fill-opacity", 0.07);
    drawBox(outline, place, "none", 1).attr("stroke", theme.text).attr("stroke-width", 1.75);
  };
  const draw = (next: MemoryWindow): void => {
    window = next;
    placed = placeBuffers(window, map);
    still.selectAll("*").remove();
    outline.selectAll("*").remove();
    drawMemory(still, window, theme);
    const at = shown ?? state.held ?? null;
    shown = undefined;
    showStep(at);
  };

  let asking: ReturnType<typeof setTimeout> | undefined;
  /** Shows a part, at once as it is stored, and finer as soon as a kernel has answered. */
  const look = (steps: Range, addresses: Range): void => {
    state.steps = steps;
    state.addresses = addresses;
    draw(source.cut(steps, addresses));
    clearTimeout(asking);
    const { refine } = source;
    if (!refine) return;
    asking = setTimeout(() => {
      refine(steps, addresses).then((finer) => {
        const current = state.steps === steps && state.addresses === addresses && svg.isConnected;
        if (finer && current) draw(finer);
      }, console.error);
    }, restBeforeAsking);
  };
  const lookAtAll = (): void => look(whole.steps, whole.addresses);
  const zoomBy = (factor: number, at: Point | null): void => {
    const middle = at ?? { across: 0.5, up: null };
    look(
      fitRange(zoomRange(state.steps ?? whole.steps, middle.across, factor), whole.steps, fewestSteps),
      middle.up === null
        ? (state.addresses ?? whole.addresses)
        : fitRange(zoomRange(state.addresses ?? whole.addresses, middle.up, factor), whole.addresses, 64),
    );
  };

  /** Where the pointer stands in the drawings, in shares of their width and height; null elsewhere. */
  const pointAt = (event: MouseEvent): Point | null => {
    const [x, y] = pointer(event, body.node());
    if (x < map.x || x >= map.x + map.width || y < timeline.y - 20 || y > map.y + map.height) return null;
    const up = y < map.y ? null : 1 - (y - map.y) / map.height;
    return { across: (x - map.x) / map.width, up };
  };
  const stepAt = (event: MouseEvent): number | null => {
    const point = pointAt(event);
    const [first, last] = window.steps;
    return point && Math.min(last - 1, first + Math.floor(point.across * (last - first)));
  };
  const bufferAt = (event: PointerEvent): PlacedBuffer | undefined => {
    const [x, y] = pointer(event, body.node());
    return placed.findLast((place) => {
      // A buffer thinner than the pointer is precise can still be pointed at.
      const slack = Math.max(0, (3 - place.height) / 2);
      return x >= place.x && x < place.x + place.width && y >= place.y - slack && y < place.y + place.height + slack;
    });
  };

  let pressed: { readonly x: number; readonly y: number; steps: Range; addresses: Range } | null = null;
  let dragged = false;
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || pointAt(event) === null) return;
    dragged = false;
    pressed = { x: event.clientX, y: event.clientY, steps: window.steps, addresses: window.addresses };
  });
  svg.addEventListener("pointermove", (event) => {
    if (pressed && (event.buttons & 1) === 1) {
      const [right, down] = [event.clientX - pressed.x, event.clientY - pressed.y];
      if (!dragged && Math.hypot(right, down) < clickReach) return;
      dragged = true;
      tooltip.hide();
      const scale = svg.getBoundingClientRect().width / Number(svg.getAttribute("width"));
      look(
        fitRange(moveRange(pressed.steps, -right / scale / map.width), whole.steps, fewestSteps),
        fitRange(moveRange(pressed.addresses, down / scale / map.height), whole.addresses, 64),
      );
      return;
    }
    pressed = null;
    const step = stepAt(event);
    showStep(state.held ?? step);
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
    showStep(state.held ?? null);
    showBuffer(undefined);
    tooltip.hide();
  });
  svg.addEventListener("click", (event) => {
    if (dragged) return;
    const step = stepAt(event);
    state.held = step === state.held ? null : step;
    showStep(state.held ?? step);
  });
  svg.addEventListener(
    "wheel",
    (event) => {
      const point = pointAt(event);
      if ((!event.ctrlKey && !event.metaKey) || point === null) return;
      event.preventDefault();
      zoomBy(Math.exp(event.deltaY / 300), point);
    },
    { passive: false },
  );
  svg.addEventListener("keydown", (event) => {
    const moves: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1 };
    if (event.key === "Escape") state.held = null;
    else if (event.key in moves) {
      const column = columnAt(window, state.held ?? window.peak.step) + moves[event.key];
      state.held = window.columns[Math.max(0, Math.min(window.columns.length - 1, column))].step;
    } else return;
    event.preventDefault();
    // A notebook has commands of its own for these keys.
    event.stopPropagation();
    showStep(state.held ?? null);
  });
  buttons.append(
    createButton(theme, "−", "Show more steps", () => zoomBy(2, null)),
    createButton(theme, "+", "Show fewer steps", () => zoomBy(0.5, null)),
    createButton(theme, "All", "Show all steps and addresses", lookAtAll),
  );
  if (state.steps && state.addresses) look(state.steps, state.addresses);
  else draw(whole);
  return {
    show(operations) {
      const steps = operations.flatMap((id) => source.stepOf(id) ?? []);
      showStep(steps.length > 0 ? Math.min(...steps) : (state.held ?? null));
    },
  };
}

/** A place in the drawings, in shares from the left and, in the address map, from below. */
interface Point {
  readonly across: number;
  readonly up: number | null;
}

function fullestOf({ columns }: MemoryWindow): MemoryColumn {
  return columns.reduce((fullest, column) => (totalOf(column) > totalOf(fullest) ? column : fullest));
}

/** A line through each of the drawings, and what it stands at above them, where the peak is named otherwise. */
function drawCursor(canvas: Canvas, window: MemoryWindow, column: MemoryColumn, theme: Theme): void {
  const { timeline, map } = memoryLayout;
  const [first, last] = window.steps;
  const x = map.x + ((column.step - first + 0.5) * map.width) / (last - first);
  // Not through the heading between them.
  for (const { y, height } of [timeline, map]) {
    // A pale line under the dark one keeps it visible on any area.
    drawLine(canvas, [x, y], [x, y + height], theme.card, { width: 3.5 });
    drawLine(canvas, [x, y - (y === timeline.y ? 6 : 0)], [x, y + height], theme.text, { width: 1.25 });
  }
  const text = `${formatBytes(totalOf(column))} · ${nameStep(column.step, column.label)}`;
  const half = textWidth(text, 12, "semibold") / 2;
  const middle = Math.max(timeline.x + half, Math.min(timeline.x + timeline.width - half, x));
  drawText(canvas, text, middle, timeline.y - 11, { weight: "semibold", fill: theme.text, anchor: "middle" });
}
