import { select } from "d3";
import type { GraphReport } from "../../compiler/index.ts";
import { drawGraph, drawHeadings } from "../graph/draw-graph.ts";
import { type GraphLayout, graphMetrics, layoutGraph } from "../graph/fold-layout.ts";
import { graphFacts, graphTitle } from "../graph/graph-picture.ts";
import { buildHierarchy, chooseOpen, type GraphGroup } from "../graph/hierarchy.ts";
import { describeRecomputation, findRecomputation } from "../graph/recomputation.ts";
import type { Canvas } from "../look/canvas.ts";
import { plural } from "../look/format.ts";
import { fontFamily, type Theme } from "../look/theme.ts";
import { createButton, createElement, createField } from "./controls.ts";
import { dragToScroll } from "./drag.ts";
import { createFrame } from "./frame.ts";
import { describeBox, describeLine } from "./graph-description.ts";
import { findOperations, pathTo } from "./graph-search.ts";
import { createTooltip } from "./tooltip.ts";

/** What the reader did to the view; it outlives a change of theme. */
export interface GraphViewState {
  open?: Set<string>;
  /** Absent while the reader has not zoomed: the graph then fills the width, whatever it becomes. */
  zoom?: number;
  query?: string;
  scroll?: { readonly left: number; readonly top: number };
}

/** What other views of the same program may do with this one. */
export interface GraphHandle {
  /** Lets the boxes of some operations stand out, the first of them in sight; no box where there are none. */
  mark(operations: readonly number[]): void;
}

/** What is opened at first, and the most that "open all" opens: beyond it a browser begins to stutter. */
const firstLimits = { rows: 60, boxes: 160 };
const mostLimits = { rows: 400, boxes: 1500 };
const tallest = 640;
const pad = 8;

/**
 * The operator graph in a window of its own: it scrolls, zooms with the control key and the wheel or with buttons, and
 * is dragged. Layers open and close by a click on their names, boxes tell what they are, and a search finds operators.
 *
 * @param pointed is told which operations the box under the pointer stands for
 */
export function mountGraph(
  container: HTMLElement,
  report: GraphReport,
  theme: Theme,
  state: GraphViewState,
  pointed?: (operations: readonly number[]) => void,
): GraphHandle {
  const root = buildHierarchy(report);
  const recomputation = findRecomputation(report);
  state.open ??= chooseOpen(root, firstLimits);
  let layout: GraphLayout;
  let found: ReadonlySet<number> = new Set<number>();
  // The hit at which the reader is.
  let current: number | undefined;
  let marked: ReadonlySet<number> = new Set<number>();

  const facts = [graphFacts(report), ...(recomputation ? [describeRecomputation(recomputation)] : [])].join("\n");
  const { card, bar } = createFrame(theme, graphTitle(report), facts);
  const { view, top, sheet } = createView(theme);
  card.append(view);
  container.append(card);
  const tooltip = createTooltip(container, theme);

  const fullWidth = (): number => layout.width + 2 * pad + 8;
  const currentZoom = (): number => {
    if (state.zoom !== undefined) return state.zoom;
    // Not attached yet: drawn again when it is.
    return view.clientWidth === 0 ? 1 : Math.max(0.3, Math.min(1.12, (view.clientWidth - 4) / fullWidth()));
  };
  const draw = (): void => {
    layout = layoutGraph(report, root, state.open!);
    const zoom = currentZoom();
    const width = fullWidth();
    const make = (parent: HTMLElement, y: number, height: number): Canvas => {
      const svg = select(parent).html("").append("svg").attr("font-family", fontFamily);
      svg.style("display", "block").style("margin", "0 auto");
      svg
        .attr("viewBox", `${-pad - 4} ${y} ${width} ${height}`)
        .attr("width", width * zoom)
        .attr("height", height * zoom);
      return svg.append("g") as unknown as Canvas;
    };
    drawHeadings(make(top, 0, graphMetrics.top - 6), layout, theme);
    drawGraph(make(sheet, graphMetrics.top, layout.height - graphMetrics.top + 6), report, layout, theme, state.open);
    for (const row of sheet.querySelectorAll<SVGElement>("[data-row]")) {
      row.setAttribute("role", "button");
      row.setAttribute("tabindex", "0");
      row.setAttribute("aria-expanded", String(state.open!.has(layout.rows[Number(row.dataset.row)].group.path)));
      for (const label of row.querySelectorAll<SVGElement>("text, path")) label.style.cursor = "pointer";
    }
    markFound();
  };

  const markFound = (): void => {
    for (const element of sheet.querySelectorAll<SVGElement>("[data-box]")) {
      const { operations } = layout.boxes[Number(element.dataset.box)];
      const here = operations.some((id) => marked.has(id));
      const hit = operations.some((id) => found.has(id));
      const chosen = current !== undefined && operations.includes(current);
      const frame = element.querySelector("rect")!;
      frame.style.stroke = here ? theme.text : hit ? theme.accent : "";
      frame.style.strokeWidth = chosen ? "6" : here || hit ? "3" : "";
    }
  };

  const toggle = (group: GraphGroup): void => {
    if (state.open!.has(group.path)) state.open!.delete(group.path);
    else state.open!.add(group.path);
    tooltip.hide();
    draw();
  };

  const setZoom = (zoom: number, at?: { x: number; y: number }): void => {
    const before = currentZoom();
    state.zoom = Math.max(0.15, Math.min(3, zoom));
    const point = at ?? { x: view.clientWidth / 2, y: view.clientHeight / 2 };
    const left = (view.scrollLeft + point.x) * (state.zoom / before) - point.x;
    const down = (view.scrollTop + point.y) * (state.zoom / before) - point.y;
    draw();
    view.scrollTo(left, down);
  };
  const fit = (): void => {
    delete state.zoom;
    draw();
  };

  const goTo = (id: number): void => {
    for (const group of pathTo(root, id)) state.open!.add(group.path);
    draw();
    const box = layout.boxes.find(({ operations }) => operations.includes(id))!;
    const zoom = currentZoom();
    view.scrollTo({ left: box.x * zoom - view.clientWidth / 2, top: box.y * zoom - view.clientHeight / 2 });
  };
  const hits = createElement("span", { color: theme.muted, minWidth: "64px" });
  let next = 0;
  const leave = (): void => {
    focusOn(sheet, layout, null);
    tooltip.hide();
  };
  const search = (query: string): void => {
    state.query = query;
    found = new Set(findOperations(report, query));
    next = 0;
    current = undefined;
    const how = found.size === 0 ? "" : ", Enter goes there";
    hits.textContent = query.trim() === "" ? "" : `${found.size.toLocaleString("en")} found${how}`;
    leave();
    markFound();
  };
  const goToNext = (): void => {
    const list = [...found];
    if (list.length === 0) return;
    current = list[next++ % list.length];
    const place = list.indexOf(current) + 1;
    hits.textContent = `${place.toLocaleString("en")} of ${list.length.toLocaleString("en")} found`;
    leave();
    goTo(current);
  };
  const field = createField(theme, "Search operators, layers, types, tensors", search, goToNext);
  field.value = state.query ?? "";
  const openAll = createButton(theme, "Open all", "Open every layer", () => {
    state.open = chooseOpen(root, mostLimits);
    if (root.size > mostLimits.boxes)
      hits.textContent = `${plural(root.size, "operator")}: open single layers by their names`;
    draw();
  });
  const closeAll = createButton(theme, "Close all", "Close every layer", () => {
    state.open = new Set([root.path]);
    draw();
  });
  bar.append(
    field,
    hits,
    createElement("span", { flex: "1" }),
    openAll,
    closeAll,
    createButton(theme, "−", "Smaller", () => setZoom(currentZoom() / 1.25)),
    createButton(theme, "+", "Larger", () => setZoom(currentZoom() * 1.25)),
    createButton(theme, "Fit", "Fit the width", fit),
  );

  draw();
  if (state.query) search(state.query);
  let drawnAt = view.clientWidth;
  const sizes = new ResizeObserver(() => {
    if (state.zoom === undefined && Math.abs(view.clientWidth - drawnAt) > 1) draw();
    drawnAt = view.clientWidth;
  });
  sizes.observe(view);
  if (state.scroll) view.scrollTo(state.scroll);
  view.addEventListener("scroll", () => {
    // What it told of is no longer under the pointer.
    tooltip.hide();
    state.scroll = { left: view.scrollLeft, top: view.scrollTop };
  });

  view.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const frame = view.getBoundingClientRect();
      setZoom(currentZoom() * Math.exp(-event.deltaY / 300), {
        x: event.clientX - frame.left,
        y: event.clientY - frame.top,
      });
    },
    { passive: false },
  );
  dragToScroll(view);
  sheet.addEventListener("click", (event) => {
    const target = event.target as Element;
    const row = target.closest<SVGElement>("[data-row]");
    const box = target.closest<SVGElement>("[data-box]");
    if (row && target.tagName !== "rect") toggle(layout.rows[Number(row.dataset.row)].group);
    else if (box) {
      const row = layout.rows[layout.boxes[Number(box.dataset.box)].row];
      if (row.kind === "closed") toggle(row.group);
    }
  });
  sheet.addEventListener("keydown", (event) => {
    const row = (event.target as Element).closest<SVGElement>("[data-row]");
    if (!row || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    // A notebook has commands of its own for these keys.
    event.stopPropagation();
    const { group } = layout.rows[Number(row.dataset.row)];
    toggle(group);
    const position = layout.rows.findIndex((other) => other.group === group);
    sheet.querySelector<SVGElement>(`[data-row="${position}"]`)?.focus();
  });
  sheet.addEventListener("pointermove", (event) => {
    const target = event.target as Element;
    const box = target.closest<SVGElement>("[data-box]");
    const line = target.closest<SVGElement>("[data-line]");
    if (box) {
      const index = Number(box.dataset.box);
      focusOn(sheet, layout, index);
      tooltip.show(event, ...describeBox(report, layout, index, recomputation));
      pointed?.(layout.boxes[index].operations);
    } else if (line) {
      focusOn(sheet, layout, null);
      tooltip.show(event, ...describeLine(report, layout, Number(line.dataset.line)));
    } else {
      focusOn(sheet, layout, null);
      tooltip.hide();
      pointed?.([]);
    }
  });
  sheet.addEventListener("pointerleave", () => {
    focusOn(sheet, layout, null);
    tooltip.hide();
    pointed?.([]);
  });
  return {
    mark(operations) {
      marked = new Set(operations);
      markFound();
      const box = layout.boxes.find((candidate) => candidate.operations.some((id) => marked.has(id)));
      if (!box) return;
      // Rows begin below the names of the columns, which stay in sight.
      const zoom = currentZoom();
      const above = (box.y - graphMetrics.top) * zoom;
      const room = view.clientHeight - top.clientHeight - box.height * zoom;
      if (above < view.scrollTop || above > view.scrollTop + room) view.scrollTo({ top: above - room / 2 });
    },
  };
}

/** Lets only the lines of one box stand out, or all alike. */
function focusOn(sheet: HTMLElement, layout: GraphLayout, index: number | null): void {
  if (sheet.dataset.focus === String(index)) return;
  sheet.dataset.focus = String(index);
  for (const element of sheet.querySelectorAll<SVGElement>("[data-line]")) {
    const { from, to, outside } = layout.lines[Number(element.dataset.line)];
    const joined = to === index || (from === index && !outside);
    element.style.strokeOpacity = index === null ? "" : joined ? "1" : "0.1";
  }
}

/** The empty places behind the controls: for the names of columns, which stay in sight, and for the graph. */
function createView(theme: Theme): Readonly<Record<"view" | "top" | "sheet", HTMLElement>> {
  const view = createElement("div", {
    overflow: "auto",
    maxHeight: `${tallest}px`,
    borderTop: `1px solid ${theme.outline}`,
    cursor: "grab",
    position: "relative",
  });
  view.tabIndex = 0;
  const top = createElement("div", {
    position: "sticky",
    top: "0",
    zIndex: "1",
    background: theme.card,
    paddingTop: "7px",
  });
  const sheet = createElement("div", {});
  view.append(top, sheet);
  return { view, top, sheet };
}
