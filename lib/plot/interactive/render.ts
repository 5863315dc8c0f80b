import type { GraphReport } from "../../compiler/index.ts";
import type { MemoryReport } from "../../memory/index.ts";
import type { ProgramTree } from "../../simulator/index.ts";
import type { Theme } from "../look/theme.ts";
import type { ExecutionProfile } from "../machine/execution-profile.ts";
import { type TileMemoryProfile, tileMemoryPicture, tileMemorySummary } from "../machine/tile-memory-picture.ts";
import type { MemoryComparison } from "../memory/compare-picture.ts";
import type { LinkedMemory } from "../memory/linked-picture.ts";
import type { StoredWindow } from "../memory/memory-levels.ts";
import { plotlyMime, tesseraMime } from "../mime.ts";
import { unpackPayload } from "../payload.ts";
import { type ImageGrid, imagesPicture, imagesSummary } from "../pictures/draw-images.ts";
import { type NetworkDrawing, networkPicture, networkSummary } from "../pictures/draw-network.ts";
import type { StoredVertices } from "../vertices/stored-vertices.ts";
import { mountChart, type Plotly } from "./chart-view.ts";
import { mountComparison } from "./comparison-view.ts";
import { mountExecution } from "./execution-view.ts";
import { loadFont } from "./font.ts";
import { mountGraph } from "./graph-view.ts";
import { mountLinked } from "./linked-view.ts";
import type { Ask } from "./memory-source.ts";
import { mountMemory } from "./memory-view.ts";
import { mountPicture } from "./picture-view.ts";
import { mountProgramTree } from "./program-tree-view.ts";
import { themeAround, watchTheme } from "./surroundings.ts";
import { mountVertices } from "./vertex-view.ts";

/** A figure that comes to stand on a page: settles when it is drawn, and rejects with nothing left behind if it cannot be. */
export interface Rendered extends Promise<void> {
  /** Removes the figure and everything that it listens to. */
  dispose(): void;
}

/** What a page lends to a figure. */
export interface RenderOptions {
  readonly plotly?: () => Promise<unknown>;
  readonly ask?: (figure: string, request: unknown) => Promise<unknown>;
}

/** Draws a view into a container and returns what ends it, if anything must be ended. */
type Mount = (container: HTMLElement, theme: Theme, state: object) => undefined | (() => void) | Promise<() => void>;

/** The views by the kind of their data; where a view returns a function, that ends it. */
type View = (container: HTMLElement, data: unknown, theme: Theme, state: object, ask: Ask | undefined) => unknown;

const views: Readonly<Record<string, View>> = {
  memory: (container, data, theme, state, ask) =>
    mountMemory(container, data as MemoryReport | StoredWindow, theme, state, ask),
  "memory-and-graph": (container, data, theme, state, ask) =>
    mountLinked(container, data as LinkedMemory, theme, state, ask),
  "memory-comparison": (container, data, theme) => mountComparison(container, data as MemoryComparison, theme),
  images: (container, data, theme) =>
    mountPicture(container, imagesPicture(data as ImageGrid), imagesSummary(data as ImageGrid), theme),
  network: (container, data, theme) =>
    mountPicture(container, networkPicture(data as NetworkDrawing), networkSummary(data as NetworkDrawing), theme),
  "operator-graph": (container, data, theme, state) => mountGraph(container, data as GraphReport, theme, state),
  execution: (container, data, theme, state, ask) =>
    mountExecution(container, data as ExecutionProfile, theme, state, ask),
  "program-tree": (container, data, theme, state) => mountProgramTree(container, data as ProgramTree, theme, state),
  "tile-memory": (container, data, theme) =>
    mountPicture(
      container,
      tileMemoryPicture(data as TileMemoryProfile),
      tileMemorySummary(data as TileMemoryProfile),
      theme,
    ),
  "vertex-graph": (container, data, theme, state, ask) =>
    mountVertices(container, data as StoredVertices, theme, state, ask),
};

/**
 * Draws the interactive form of a figure into an element, in the light or dark colours that fit around it, and again
 * whenever those change.
 *
 * @param mime the form's MIME type: ours, or plotly's for charts
 * @param data what is stored under that type
 * @param options.plotly where charts get plotly from; by default the page's global `Plotly`
 * @param options.ask asks the kernel for details of the figure of a name, null if it knows none; without it what is stored
 * is all
 */
export function render(element: HTMLElement, mime: string, data: unknown, options: RenderOptions = {}): Rendered {
  const container = document.createElement("div");
  container.style.position = "relative";
  element.append(container);
  let disposed = false;
  let end: (() => void) | undefined;
  let shown: Theme | undefined;
  const state = {};

  const draw = async (mount: Mount): Promise<void> => {
    const theme = themeAround(element);
    if (disposed || theme === shown) return;
    shown = theme;
    end?.();
    end = undefined;
    const fresh = renew(container, mime);
    const ended = await mount(fresh, theme, state);
    if (disposed) ended?.();
    else end = ended;
  };
  let unwatch: (() => void) | undefined;
  const dispose = (): void => {
    disposed = true;
    unwatch?.();
    end?.();
    container.remove();
  };
  const start = async (): Promise<void> => {
    const mount = await prepare(mime, data, options);
    await draw(mount);
    if (disposed) return;
    let drawing = Promise.resolve();
    // One after the other: a theme that changes twice must not leave two drawings.
    unwatch = watchTheme(container, () => {
      drawing = drawing.then(() => draw(mount)).catch((error) => console.error(error));
    });
  };
  const drawn = start().catch((error) => {
    dispose();
    throw error;
  });
  return Object.assign(drawn, { dispose });
}

/** Gathers what the drawing needs before the first stroke. */
async function prepare(mime: string, data: unknown, options: RenderOptions): Promise<Mount> {
  if (mime === plotlyMime) {
    const plotly = ((await options.plotly?.()) ?? (globalThis as { Plotly?: unknown }).Plotly) as Plotly | undefined;
    if (!plotly)
      throw new Error("chart: plotly must be on the page, got none; load plotly-cartesian.min.js before drawing");
    await loadFont();
    return (container, theme) => mountChart(container, data, theme, plotly);
  }
  if (mime !== tesseraMime) {
    throw new Error(
      `figure: the MIME type must be ${tesseraMime} or ${plotlyMime}, got ${mime}; show another form of the output`,
    );
  }
  const [{ kind, data: report, details }] = await Promise.all([unpackPayload(data), loadFont()]);
  const view = views[kind];
  if (!view) {
    throw new Error(
      `figure: the kind must be one of ${Object.keys(views).join(", ")}, got ${kind}; the notebook may be newer than this page's script`,
    );
  }
  const { ask } = options;
  const askFigure: Ask | undefined = ask && details !== undefined ? (request) => ask(details, request) : undefined;
  return (container, theme, state) => {
    const end = view(container, report, theme, state, askFigure);
    return typeof end === "function" ? (end as () => void) : undefined;
  };
}

/** An empty place in the container; our own views get one that the page's style sheets do not reach. */
function renew(container: HTMLElement, mime: string): HTMLElement {
  const host = document.createElement("div");
  container.replaceChildren(host);
  container.style.color = "";
  // Plotly puts its styles into the page, so it must stand there.
  if (mime === plotlyMime) return host;
  const inner = document.createElement("div");
  Object.assign(inner.style, { position: "relative", textAlign: "left" });
  host.attachShadow({ mode: "open" }).append(inner);
  return inner;
}
