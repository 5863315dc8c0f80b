import type { BlockProgram } from "../../graph/index.ts";
import { toBase64 } from "../base64.ts";
import { Figure } from "../figure.ts";
import { graphColumns } from "../graph/fold-layout.ts";
import { type Canvas, drawBox, drawText, fontSize } from "../look/canvas.ts";
import { textWidth } from "../look/font-metrics.ts";
import { formatCount, plural } from "../look/format.ts";
import { checkAmount } from "../look/limits.ts";
import { placeholder } from "../look/placeholder.ts";
import type { Theme } from "../look/theme.ts";
import { tesseraMime } from "../mime.ts";
import type { View } from "./accumulate.ts";
import { layoutBlocks } from "./block-layout.ts";
import { type Blocks, divideIntoBlocks } from "./blocks.ts";
import { readBlockGraph } from "./from-blocks.ts";
import { type LayerLabel, placeLabels } from "./labels.ts";
import { partColor } from "./part-colors.ts";
import { buildScene, mostSections, type Scene } from "./scene.ts";
import { type EdgesRequest, edgeParts, storeEdges, storeVertices } from "./stored-vertices.ts";
import { checkVertexGraph, countEdges, type VertexGraph } from "./vertex-graph.ts";

/** How a big picture is drawn. */
export interface BigPictureOptions {
  readonly title?: string;
  /** Pixels from left to right; 2,000 where there are many edges. */
  readonly width?: number;
  /** Threads that draw; the picture is the same for any number. */
  readonly threads?: number;
  /** The layer to be shown enlarged, with all that lies around it; without it the whole graph. */
  readonly layer?: string;
  /** About how many blocks of vertices are laid out. */
  readonly blocks?: number;
}

/** The most blocks that are laid out: beyond it the layout takes longer than the drawing, and looks no different. */
const mostBlocks = 24_000;
/** Up to so many vertices each is a block of its own. */
const singleBlocks = 6_000;

function blocksFor(vertices: number): number {
  return Math.min(mostBlocks, vertices, Math.max(singleBlocks, Math.round(vertices / 8)));
}

/** Fewer edges are drawn with fewer pixels, so that single ones can be seen. */
const fewEdges = 200_000;
/** Width of the card's drawing; the picture has more pixels, so that it is sharp on fine screens. */
const cardWidth = 1000;

/**
 * Draws a graph of up to hundreds of millions of edges: every vertex a point of light, every edge a line or, where it is
 * long, points on a curve. Vertices that exchange much lie together, so that layers become clusters; colours say what
 * the vertices are for.
 *
 * @param pictured a lowered program, or columns of one's own
 */
export async function bigPicture(
  pictured: VertexGraph | BlockProgram,
  options: BigPictureOptions = {},
): Promise<Figure> {
  const graph = "graph" in pictured ? readBlockGraph(pictured.graph, pictured.name) : pictured;
  if (graph === pictured) checkVertexGraph(graph);
  const instead = "join neighbours of one layer and part";
  checkAmount("plot.bigPicture", "sections", graph.sections.length, mostSections, instead);
  const title = options.title ?? graph.title;
  const edges = countEdges(graph);
  if (graph.vertexCount === 0) {
    const message = "Nothing to draw: the graph has no vertices.";
    return new Figure({ kind: "vertex-graph", picture: placeholder(title, message), summary: `${title}: ${message}` });
  }
  const width = options.width ?? (edges < fewEdges ? 1200 : 2000);
  const blocks = divideIntoBlocks(graph, options.blocks ?? blocksFor(graph.vertexCount));
  const points = layoutBlocks(graph, blocks);
  const scene = buildScene(graph, blocks, points, width);
  const view = viewOf(graph, blocks, scene, options.layer);
  const [{ drawScene }, { toneMap }, { truecolorPng }] = await Promise.all([
    import("./draw-scene.ts"),
    import("./tone-map.ts"),
    import("../static/truecolor-png.ts"),
  ]);
  const drawn = await drawScene(scene, graph, view, options.threads);
  const pixels = toneMap(drawn.light, view.width, view.height);
  const scale = view.width / cardWidth;
  const labels =
    options.layer === undefined ? placeLabels(graph.sections, blocks, scene, pixels, scale, labelSize) : [];
  const href = `data:image/png;base64,${toBase64(truecolorPng(pixels, view.width, view.height))}`;
  const shown = options.layer === undefined ? "every edge drawn" : describeSection(drawn.edges.outside, options.layer);
  const facts = `${plural(graph.vertexCount, "vertex", "vertices")} and ${plural(edges, "edge")} from producer to consumer; ${shown}`;
  const { lines, curves } = drawn.edges;
  const how = `${formatCount(lines)} as lines and ${formatCount(curves)} longer ones as points on curves`;
  const stored = options.layer === undefined ? storeVertices(graph, scene, title, facts) : null;
  return new Figure({
    kind: "vertex-graph",
    dense: true,
    // Light on black: a pale card around it would outshine it.
    theme: "dark",
    ...(stored && {
      interactive: {
        mime: tesseraMime,
        data: stored,
        ...(edgeParts(edges) > 1 && {
          details: (request: unknown) => storeEdges(graph, (request as EdgesRequest).part),
        }),
      },
    }),
    summary: `${title}: ${facts}`,
    picture: {
      title,
      subtitle: `${facts}: ${how}.\nVertices that exchange much lie together; light adds up where edges cross.`,
      width: cardWidth,
      draw(canvas, theme) {
        return drawPicture(canvas, theme, graph, href, view.height / scale, labels);
      },
    },
  });
}

function describeSection(outside: number, layer: string): string {
  return `every edge drawn of which a part lies around ${layer}, ${formatCount(outside)} lie elsewhere`;
}

/** The whole scene, or the blocks of one layer enlarged to the same width. */
function viewOf(graph: VertexGraph, blocks: Blocks, scene: Scene, layer: string | undefined): View {
  const { width, height } = scene;
  if (layer === undefined) return { zoom: 1, left: 0, top: 0, width, height };
  const members = [...blocks.section.keys()].filter((block) => graph.sections[blocks.section[block]].layer === layer);
  if (members.length === 0) {
    const known = [...new Set(graph.sections.map((section) => section.layer))].join(", ");
    throw new Error(`plot.bigPicture: the layer must be one of the graph's, got "${layer}"; there are ${known}`);
  }
  const range = (values: Float64Array): [number, number] => {
    const sorted = members.map((block) => values[block]).sort((a, b) => a - b);
    return [sorted[Math.floor(0.02 * sorted.length)], sorted[Math.floor(0.98 * (sorted.length - 1))]];
  };
  const [left, right] = range(scene.blockX);
  const [top, bottom] = range(scene.blockY);
  const side = Math.max(right - left, ((bottom - top) * width) / height, width / 50) * 1.1;
  const zoom = width / side;
  return {
    zoom,
    left: ((left + right) / 2) * zoom - width / 2,
    top: ((top + bottom) / 2) * zoom - height / 2,
    width,
    height,
  };
}

const labelSize = fontSize.heading;

function drawPicture(
  canvas: Canvas,
  theme: Theme,
  graph: VertexGraph,
  href: string,
  height: number,
  labels: readonly LayerLabel[],
): number {
  drawBox(canvas, { x: 0, y: 0, width: cardWidth, height }, "#000000", 6);
  canvas.append("image").attr("href", href).attr("width", cardWidth).attr("height", height);
  for (const { text, x, y } of labels) {
    drawText(canvas, text, x, y, {
      size: labelSize,
      weight: "semibold",
      fill: "#ffffff",
      halo: "#000000",
      anchor: "middle",
    });
  }
  drawLegend(canvas, theme, graph, height + 12);
  return height + 30;
}

/** What the colours mean, each with the shades from the first layer to the last and the number of vertices. */
function drawLegend(canvas: Canvas, theme: Theme, { sections }: VertexGraph, top: number): void {
  let x = 0;
  for (const part of graphColumns) {
    const count = sections.reduce((sum, section) => sum + (section.part === part ? section.end - section.start : 0), 0);
    if (count === 0) continue;
    const shades = 24;
    for (let shade = 0; shade < shades; shade++) {
      const [red, green, blue] = partColor(part, shade / (shades - 1));
      drawBox(canvas, { x: x + shade, y: top + 2, width: 1.5, height: 11 }, `rgb(${red},${green},${blue})`);
    }
    x += shades + 8;
    drawText(canvas, part, x, top + 12, { fill: theme.text });
    x += textWidth(part, fontSize.body) + 6;
    const told = formatCount(count);
    drawText(canvas, told, x, top + 12, { fill: theme.muted });
    x += textWidth(told, fontSize.body) + 26;
  }
  drawText(canvas, "vertices; shades run from the first layer to the last", x - 20, top + 12, { fill: theme.muted });
}
