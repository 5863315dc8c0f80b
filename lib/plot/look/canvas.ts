import { type Selection, select } from "d3";
import { type FontWeight, fitText, type KeptPart, textWidth, wrapText } from "./font-metrics.ts";
import { fontFamily, type Theme } from "./theme.ts";

/** A group of an SVG drawing, in the browser's document or in one made without a browser. */
export type Canvas = Selection<SVGGElement, unknown, null, undefined>;

/** A rectangle in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Font sizes in pixels. Nothing is lettered smaller than `small`. */
export const fontSize = { title: 17, heading: 13, body: 12, small: 10.5 } as const;

interface TextStyle {
  readonly size?: number;
  readonly weight?: FontWeight;
  readonly fill: string;
  readonly anchor?: "start" | "middle" | "end";
  /** The widest the text may be; it is shortened with an ellipsis. */
  readonly maxWidth?: number;
  /** What is kept of a text that is too long: its start unless told otherwise. */
  readonly keep?: KeptPart;
  /** The colour of a halo that keeps the text legible over lines. */
  readonly halo?: string;
}

/** Writes one line of text with its baseline at (x, y); writes nothing where not even one letter fits. */
export function drawText(canvas: Canvas, text: string, x: number, y: number, style: TextStyle): void {
  const { size = fontSize.body, weight = "regular", fill, anchor = "start", maxWidth, keep, halo } = style;
  const shown = maxWidth === undefined ? text : fitText(text, maxWidth, size, weight, keep);
  if (shown === "") return;
  const node = canvas
    .append("text")
    .attr("x", round(x))
    .attr("y", round(y))
    .attr("font-size", size)
    .attr("fill", fill)
    .text(shown);
  if (weight === "semibold") node.attr("font-weight", 600);
  if (anchor !== "start") node.attr("text-anchor", anchor);
  if (halo !== undefined) {
    node.attr("stroke", halo).attr("stroke-width", 3).attr("stroke-linejoin", "round").attr("paint-order", "stroke");
  }
  if (shown !== text) node.append("title").text(text);
}

/** Draws a straight line. */
export function drawLine(
  canvas: Canvas,
  from: readonly [number, number],
  to: readonly [number, number],
  stroke: string,
  options: { readonly width?: number; readonly dash?: string } = {},
): void {
  const line = canvas
    .append("line")
    .attr("x1", round(from[0]))
    .attr("y1", round(from[1]))
    .attr("x2", round(to[0]))
    .attr("y2", round(to[1]))
    .attr("stroke", stroke)
    .attr("stroke-width", options.width ?? 1);
  if (options.dash !== undefined) line.attr("stroke-dasharray", options.dash);
}

/** Draws a filled rectangle; `radius` rounds its corners. */
export function drawBox(
  canvas: Canvas,
  box: Box,
  fill: string,
  radius = 0,
): Selection<SVGRectElement, unknown, null, undefined> {
  const rectangle = canvas
    .append("rect")
    .attr("x", round(box.x))
    .attr("y", round(box.y))
    .attr("width", round(Math.max(0, box.width)))
    .attr("height", round(Math.max(0, box.height)))
    .attr("fill", fill);
  if (radius > 0) rectangle.attr("rx", radius);
  return rectangle;
}

/** Hundredths of a pixel are enough, and keep drawings small. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** What stands on a card: a drawing below a title. */
export interface Picture {
  readonly title: string;
  /** One or more lines that say what is shown, in whole sentences or plain facts. */
  readonly subtitle?: string;
  /** Width of the drawing in pixels, the card's margins left out. */
  readonly width: number;
  /** Draws from (0, 0) down and returns the height used. */
  draw(canvas: Canvas, theme: Theme): number;
}

const margin = 24;

/** Draws a picture on its card into a new `<svg>` element of `document`, described by `alternative` for those who cannot see it. */
export function drawCard(document: Document, picture: Picture, theme: Theme, alternative: string): SVGSVGElement {
  const namespace = "http://www.w3.org/2000/svg";
  const element = document.createElementNS(namespace, "svg") as SVGSVGElement;
  const svg = select<SVGSVGElement, unknown>(element).attr("xmlns", namespace).attr("role", "img");
  svg.attr("aria-label", alternative).attr("font-family", fontFamily);
  const card = drawBox(svg as unknown as Canvas, { x: 0, y: 0, width: 0, height: 0 }, theme.card, 10);
  const content = svg.append("g") as Canvas;

  let top = margin;
  const width = Math.max(picture.width, Math.min(420, textWidth(picture.title, fontSize.title, "semibold")));
  drawText(content, picture.title, margin, top + 14, {
    size: fontSize.title,
    weight: "semibold",
    fill: theme.text,
    maxWidth: width,
  });
  top += 22;
  for (const paragraph of picture.subtitle?.split("\n") ?? []) {
    for (const line of wrapText(paragraph, width, fontSize.body)) {
      drawText(content, line, margin, top + 14, { fill: theme.muted });
      top += 18;
    }
  }
  top += 14;
  // The name is for interactive forms, which add to the drawing.
  const body = content.append("g").attr("data-part", "body").attr("transform", `translate(${margin},${top})`) as Canvas;
  const height = Math.ceil(top + picture.draw(body, theme) + margin);
  const fullWidth = Math.ceil(width + 2 * margin);
  card
    .attr("x", 0.5)
    .attr("y", 0.5)
    .attr("width", fullWidth - 1)
    .attr("height", height - 1)
    .attr("stroke", theme.outline);
  svg.attr("width", fullWidth).attr("height", height).attr("viewBox", `0 0 ${fullWidth} ${height}`);
  return element;
}
