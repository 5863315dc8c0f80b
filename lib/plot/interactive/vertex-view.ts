import { hsl, select, type ZoomTransform, zoom, zoomIdentity } from "d3";
import type { GraphColumn } from "../../compiler/index.ts";
import { formatBytes, formatCount, plural } from "../look/format.ts";
import type { Theme } from "../look/theme.ts";
import { partColor, unitColors } from "../vertices/part-colors.ts";
import { edgeParts, type StoredEdges, type StoredVertices } from "../vertices/stored-vertices.ts";
import { createButton, createElement } from "./controls.ts";
import { createFrame } from "./frame.ts";
import type { Ask } from "./memory-source.ts";
import { createTooltip, type TooltipLine } from "./tooltip.ts";
import { drawVertices, type VertexColors, type VertexColumns, VertexGrid } from "./vertex-canvas.ts";

/** What colours may say. */
const colorings = ["part", "layer", "codelet", "tile"] as const;
type Coloring = (typeof colorings)[number];

/** What the reader did to the view; it outlives a change of theme. */
export interface VertexViewState {
  coloring?: Coloring;
  transform?: ZoomTransform;
}

/** Brightness of a pixel of an edge, where a vertex has 1. */
const edgeLight = 0.3;
/** Height of the view for its width, at most. */
const tallest = 0.75;
/** The most parts of edges that a page holds: more would make every drawing slow. */
const mostParts = 10;
/** The largest side of the canvas in its own pixels, so that fine screens do not make it slow. */
const mostPixels = 1600;

/**
 * The graph of vertices in a window of its own: it zooms with the control key and the wheel or with buttons, and is
 * dragged; colours say the part of the step, the layer, the codelet or the tile. A vertex under the pointer tells what it
 * is, and its edges stand out.
 */
export function mountVertices(
  container: HTMLElement,
  stored: StoredVertices,
  theme: Theme,
  state: VertexViewState,
  ask?: Ask,
): () => void {
  let columns = readColumns(stored);
  const grid = new VertexGrid(columns, stored.width, stored.height);
  const sectionOf = sectionsOf(stored);
  const { card, caption, bar } = createFrame(theme, stored.title, describeView(stored, columns));
  const stage = createElement("div", { position: "relative", background: "#000000" });
  card.append(stage);
  container.append(card);
  const canvas = createElement("canvas", { display: "block", width: "100%", cursor: "grab", touchAction: "none" });
  const marks = createElement("canvas", { position: "absolute", inset: "0", width: "100%", pointerEvents: "none" });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${stored.title}: ${stored.facts}`);
  stage.append(canvas, marks);
  const tooltip = createTooltip(container, theme);

  let transform = state.transform ?? zoomIdentity;
  let coloring = state.coloring ?? "part";
  let colors = colorVertices(stored, sectionOf, coloring);
  // Pixels of the canvas for a step of the stored positions, before any zoom.
  let fitted = 1;

  const placement = () => ({ scale: fitted * transform.k, left: transform.x, top: transform.y });
  const paint = (): void => {
    const width = Math.min(mostPixels, Math.round(stage.clientWidth * Math.min(2, devicePixelRatio)));
    if (width === 0) return;
    const height = Math.round(Math.min(width * tallest, (width * stored.height) / stored.width));
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = marks.width = width;
      canvas.height = marks.height = height;
    }
    fitted = Math.min(width / stored.width, height / stored.height);
    const context = canvas.getContext("2d")!;
    const image = context.createImageData(width, height);
    drawVertices(image, columns, colors, placement(), edgeLight, Math.min(4, Math.floor(Math.sqrt(transform.k))));
    context.putImageData(image, 0, 0);
  };
  let painting = 0;
  const paintSoon = (): void => {
    if (painting === 0) {
      painting = requestAnimationFrame(() => {
        painting = 0;
        paint();
      });
    }
  };

  const wheelZoom = zoom<HTMLCanvasElement, unknown>()
    .scaleExtent([0.5, 400])
    // The wheel alone scrolls the page, as above the other figures.
    .filter((event: MouseEvent) => (event.type === "wheel" ? event.ctrlKey || event.metaKey : event.button === 0))
    .wheelDelta(({ deltaY }) => -deltaY / (300 * Math.LN2))
    .on("zoom", (event: { readonly transform: ZoomTransform }) => {
      // The canvas has its own pixels, finer than the page's.
      const ratio = canvas.width / Math.max(1, canvas.clientWidth);
      transform = event.transform;
      state.transform = transform;
      transform = zoomIdentity.translate(transform.x * ratio, transform.y * ratio).scale(transform.k);
      hover(-1);
      tooltip.hide();
      paintSoon();
    });
  const zoomed = select(canvas).call(wheelZoom);

  const hover = (vertex: number): void => {
    const context = marks.getContext("2d")!;
    context.clearRect(0, 0, marks.width, marks.height);
    if (vertex < 0) return;
    const { scale, left, top } = placement();
    const place = (index: number): [number, number] => [
      columns.x[index] * scale + left,
      columns.y[index] * scale + top,
    ];
    context.strokeStyle = "rgba(255,255,255,0.75)";
    context.lineWidth = 1.25;
    context.beginPath();
    for (const other of neighboursOf(columns, vertex)) {
      context.moveTo(...place(vertex));
      context.lineTo(...place(other));
    }
    context.stroke();
    context.beginPath();
    context.arc(...place(vertex), 7, 0, 2 * Math.PI);
    context.lineWidth = 2.5;
    context.strokeStyle = "#ffffff";
    context.stroke();
  };
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons !== 0) return;
    const frame = canvas.getBoundingClientRect();
    const ratio = canvas.width / Math.max(1, frame.width);
    const { scale, left, top } = placement();
    const atX = ((event.clientX - frame.left) * ratio - left) / scale;
    const atY = ((event.clientY - frame.top) * ratio - top) / scale;
    const vertex = grid.nearest(atX, atY, (8 * ratio) / scale);
    hover(vertex);
    if (vertex < 0) tooltip.hide();
    else tooltip.show(event, ...describe(stored, columns, sectionOf, vertex));
  });
  canvas.addEventListener("pointerleave", () => {
    hover(-1);
    tooltip.hide();
  });

  const legend = createElement("div", { display: "flex", flexWrap: "wrap", gap: "2px 14px", padding: "8px 24px 14px" });
  const choose = (next: Coloring): void => {
    coloring = next;
    state.coloring = next;
    colors = colorVertices(stored, sectionOf, coloring);
    for (const [name, button] of buttons) {
      button.setAttribute("aria-pressed", String(name === coloring));
      button.style.borderColor = name === coloring ? theme.text : theme.outline;
    }
    fillLegend(legend, stored, sectionOf, colors, coloring, theme);
    paintSoon();
  };
  const buttons = new Map(
    colorings
      .filter((name) => name !== "tile" || stored.tiles !== undefined)
      .map((name) => [name, createButton(theme, name, `Colour by ${name}`, () => choose(name))] as const),
  );
  bar.append(
    createElement("span", { color: theme.muted }, "Colour by"),
    ...buttons.values(),
    createElement("span", { flex: "1" }),
    createButton(theme, "−", "Smaller", () => void zoomed.call(wheelZoom.scaleBy, 1 / 1.5)),
    createButton(theme, "+", "Larger", () => void zoomed.call(wheelZoom.scaleBy, 1.5)),
    createButton(theme, "All", "Show the whole graph again", () => {
      zoomed.call(wheelZoom.transform, zoomIdentity);
    }),
  );
  card.append(legend);
  choose(coloring);
  if (state.transform) zoomed.call(wheelZoom.transform, state.transform);
  const sizes = new ResizeObserver(paintSoon);
  sizes.observe(stage);
  let ended = false;
  /** Gets what is not stored, part after part, and draws it as it comes. */
  const fetchEdges = async (): Promise<void> => {
    const parts = Math.min(mostParts, edgeParts(stored.edgeCount));
    for (let part = 1; part < parts && !ended; part++) {
      const more = (await ask?.({ part })) as StoredEdges | null | undefined;
      if (!more || ended) return;
      columns = addEdges(columns, more);
      caption.textContent = describeView(stored, columns);
      paintSoon();
    }
  };
  fetchEdges().catch(console.error);
  return () => {
    ended = true;
    sizes.disconnect();
    cancelAnimationFrame(painting);
  };
}

function readColumns(stored: StoredVertices): VertexColumns {
  const none = new Uint32Array(0);
  const places = { x: Float32Array.from(stored.x), y: Float32Array.from(stored.y) };
  return addEdges({ ...places, producers: none, consumers: none }, stored);
}

/** The same vertices with more edges. */
function addEdges(columns: VertexColumns, { degrees, reaches }: StoredEdges): VertexColumns {
  const before = columns.producers.length;
  const producers = new Uint32Array(before + reaches.length);
  const consumers = new Uint32Array(before + reaches.length);
  producers.set(columns.producers);
  consumers.set(columns.consumers);
  let edge = 0;
  degrees.forEach((degree, vertex) => {
    for (let index = 0; index < degree; index++, edge++) {
      consumers[before + edge] = vertex;
      producers[before + edge] = vertex - reaches[edge];
    }
  });
  return { ...columns, producers, consumers };
}

function sectionsOf({ sections, x }: StoredVertices): Uint16Array {
  const sectionOf = new Uint16Array(x.length);
  sections.forEach(({ start, end }, section) => {
    sectionOf.fill(section, start, end);
  });
  return sectionOf;
}

/** Vertices that a vertex reads from or is read by, at most a thousand of them. */
function neighboursOf({ producers, consumers }: VertexColumns, vertex: number): number[] {
  const found: number[] = [];
  for (let edge = 0; edge < producers.length && found.length < 1000; edge++) {
    if (producers[edge] === vertex) found.push(consumers[edge]);
    else if (consumers[edge] === vertex) found.push(producers[edge]);
  }
  return found;
}

/** What the vertex is called where it is coloured so. */
function labelOf(stored: StoredVertices, section: number, vertex: number, coloring: Coloring): string {
  if (coloring === "tile") return String(stored.tiles?.[vertex] ?? "");
  return stored.sections[section][coloring];
}

function colorVertices(stored: StoredVertices, sectionOf: Uint16Array, coloring: Coloring): VertexColors {
  const colors = new Uint8Array(3 * stored.x.length);
  const partColors = unitColors(stored.sections);
  const names = new Map<string, number>();
  for (let vertex = 0; vertex < stored.x.length; vertex++) {
    const section = sectionOf[vertex];
    if (coloring === "part") {
      colors.set(partColors(section, 0.5), 3 * vertex);
      continue;
    }
    const label = labelOf(stored, section, vertex, coloring);
    if (!names.has(label)) names.set(label, names.size);
    // Hues turn by the golden angle, so that neighbours differ most.
    const { r, g, b } = hsl((200 + names.get(label)! * 137.508) % 360, 0.9, 0.58).rgb();
    colors.set([r, g, b], 3 * vertex);
  }
  return colors;
}

/** The names with most vertices beside their colours. */
function fillLegend(
  legend: HTMLElement,
  stored: StoredVertices,
  sectionOf: Uint16Array,
  colors: VertexColors,
  coloring: Coloring,
  theme: Theme,
): void {
  const entries = new Map<string, { count: number; color: string }>();
  for (let vertex = 0; vertex < sectionOf.length; vertex++) {
    const label = labelOf(stored, sectionOf[vertex], vertex, coloring);
    const entry = entries.get(label);
    if (entry) entry.count++;
    else entries.set(label, { count: 1, color: `rgb(${colors.subarray(3 * vertex, 3 * vertex + 3).join(",")})` });
  }
  const sorted = [...entries].sort(([, a], [, b]) => b.count - a.count);
  const shown = sorted.slice(0, 14).map(([label, { count, color }]) => {
    const item = createElement("span", { display: "inline-flex", alignItems: "center", gap: "6px" });
    const shades = coloring === "part" ? shadesOf(label as GraphColumn) : [color, color];
    const background = `linear-gradient(to right, ${shades.join(", ")})`;
    item.append(
      createElement("span", { width: `${9 + shades.length}px`, height: "11px", borderRadius: "2px", background }),
      createElement("span", {}, label === "" ? "no layer" : label),
      createElement("span", { color: theme.muted }, formatCount(count)),
    );
    return item;
  });
  const others = sorted.length - shown.length;
  const notes = [
    ...(others > 0 ? [`and ${plural(others, "other")}`] : []),
    ...(coloring === "part" ? ["shades run from the first layer to the last"] : []),
  ];
  legend.replaceChildren(...shown, ...notes.map((note) => createElement("span", { color: theme.muted }, note)));
}

/** The colours of a part from the first layer to the last. */
function shadesOf(part: GraphColumn): string[] {
  const steps = 12;
  return Array.from({ length: steps }, (_, step) => `rgb(${partColor(part, step / (steps - 1)).join(",")})`);
}

function describe(
  stored: StoredVertices,
  { producers, consumers }: VertexColumns,
  sectionOf: Uint16Array,
  vertex: number,
): [string, TooltipLine[]] {
  const { layer, part, codelet } = stored.sections[sectionOf[vertex]];
  let reads = 0;
  let readers = 0;
  for (let edge = 0; edge < producers.length; edge++) {
    if (consumers[edge] === vertex) reads++;
    if (producers[edge] === vertex) readers++;
  }
  const few = producers.length < stored.edgeCount ? " of those shown" : "";
  return [
    codelet,
    [
      `${part}${layer === "" ? "" : ` of ${layer}`}`,
      ["vertex", formatCount(vertex)],
      ...(stored.tiles ? [["tile", formatCount(stored.tiles[vertex])] as const] : []),
      ...(stored.bytes ? [["makes", formatBytes(stored.bytes[vertex])] as const] : []),
      ["reads", `${plural(reads, "edge")}${few}`],
      ["read by", `${plural(readers, "vertex", "vertices")}${few}`],
    ],
  ];
}

/** What the view shows, and how to move in it. */
function describeView({ facts, edgeCount }: StoredVertices, { producers: { length } }: VertexColumns): string {
  const some = length < edgeCount ? ` ${formatCount(length)} of them, evenly chosen, are in this view.` : "";
  return `${facts}.${some} Ctrl and the wheel zoom, dragging moves.`;
}
