import { pointer, select } from "d3";
import { type Canvas, drawBox, drawCard, drawLine } from "../look/canvas.ts";
import type { Theme } from "../look/theme.ts";
import { describeMoment, executionLayout, executionPicture, executionSummary } from "../machine/execution-picture.ts";
import type { ExecutionProfile } from "../machine/execution-profile.ts";
import { createButton, createButtonRow, createElement, widest } from "./controls.ts";
import type { Ask } from "./memory-source.ts";
import { createTooltip } from "./tooltip.ts";
import { fitRange, zoomRange } from "./zoom-range.ts";

/** What the reader did to the view; it outlives a change of theme. */
export interface ExecutionViewState {
  shown?: ExecutionProfile;
}

/** Cycles that a zoom does not go below. */
const fewestCycles = 64;

/**
 * The execution that follows the pointer: a piece of time tells its superstep, its phases, and how busy the tiles of a row
 * are. Where the kernel lives that ran it, buttons and the wheel show fewer cycles, cut as finely again.
 */
export function mountExecution(
  container: HTMLElement,
  profile: ExecutionProfile,
  theme: Theme,
  state: ExecutionViewState,
  ask?: Ask,
): void {
  const { strip, map } = executionLayout;
  const frame = createElement("div", { position: "relative", maxWidth: widest });
  const place = createElement("div", {});
  frame.append(place);
  container.append(frame);
  const tooltip = createTooltip(container, theme);
  let body: Canvas;
  let cursor: Canvas;
  let shown = profile;
  const draw = (next: ExecutionProfile): void => {
    shown = next;
    state.shown = next;
    const svg = drawCard(document, executionPicture(next), theme, executionSummary(next));
    Object.assign(svg.style, { width: "100%", height: "auto", display: "block" });
    place.replaceChildren(svg);
    body = select(svg).select("[data-part=body]") as unknown as Canvas;
    cursor = body.append("g").attr("pointer-events", "none").attr("data-part", "cursor") as Canvas;
  };
  const cellAt = (event: MouseEvent): { readonly column: number; readonly row: number | null } | null => {
    const [x, y] = pointer(event, body.node());
    const across = (x - map.x) / map.width;
    if (across < 0 || across >= 1 || y < strip.y || y > map.y + map.height) return null;
    const down = (y - map.y) / map.height;
    const row = down < 0 ? null : Math.min(shown.busy.length - 1, Math.floor(down * shown.busy.length));
    return { column: Math.floor(across * shown.columns.length), row };
  };
  frame.addEventListener("pointermove", (event) => {
    cursor.selectAll("*").remove();
    const cell = cellAt(event);
    if (cell === null) return tooltip.hide();
    const wide = map.width / shown.columns.length;
    const x = map.x + (cell.column + 0.5) * wide;
    drawLine(cursor, [x, strip.y], [x, map.y + map.height], theme.text, { width: 1.25 });
    if (cell.row !== null) {
      const height = map.height / shown.busy.length;
      const box = { x: map.x, y: map.y + cell.row * height, width: map.width, height };
      drawBox(cursor, box, "none").attr("stroke", theme.text).attr("stroke-opacity", 0.6);
    }
    tooltip.show(event, ...describeMoment(shown, cell.column, cell.row));
  });
  frame.addEventListener("pointerleave", () => {
    cursor.selectAll("*").remove();
    tooltip.hide();
  });
  draw(state.shown ?? profile);
  if (!ask) return;

  let asked = 0;
  const look = (share: number, factor: number): void => {
    const [start, end] = fitRange(zoomRange(shown.range, share, factor), profile.range, fewestCycles);
    const own = ++asked;
    if (start === profile.range[0] && end === profile.range[1]) {
      draw(profile);
      return;
    }
    ask({ start, end }).then((finer) => {
      if (finer !== null && own === asked) draw(finer as ExecutionProfile);
    }, console.error);
  };
  frame.addEventListener(
    "wheel",
    (event) => {
      const cell = cellAt(event);
      if ((!event.ctrlKey && !event.metaKey) || cell === null) return;
      event.preventDefault();
      look((cell.column + 0.5) / shown.columns.length, Math.exp(event.deltaY / 300));
    },
    { passive: false },
  );
  const buttons = createButtonRow();
  buttons.append(
    createButton(theme, "−", "Show more cycles", () => look(0.5, 2)),
    createButton(theme, "+", "Show fewer cycles", () => look(0.5, 0.5)),
    createButton(theme, "All", "Show all cycles", () => draw(profile)),
  );
  frame.append(buttons);
}
