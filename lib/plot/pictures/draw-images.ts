import { interpolateRgb } from "d3";
import { type Canvas, drawBox, drawText, fontSize, type Picture, round } from "../look/canvas.ts";
import { formatCount, plural } from "../look/format.ts";
import type { Theme } from "../look/theme.ts";

/** Images of one size with what stands below them. */
export interface ImageGrid {
  readonly title: string;
  /** Shades of the pixels, from top to bottom and from left to right: -32 for the most negative value to 32. */
  readonly images: readonly (readonly number[])[];
  readonly rows: number;
  readonly columns: number;
  /** Images side by side. */
  readonly across: number;
  readonly labels?: readonly string[];
  readonly predictions?: readonly string[];
  /** How many images there are; the first of them are drawn. */
  readonly total: number;
  /** Pixels that are no numbers, and drawn as nought. */
  readonly missing?: number;
}

/** Shades from nothing to much. An eye tells about as many apart, and a drawing has one path for each. */
const shades = 32;
const gap = 12;

/**
 * The shades of images: nought is 0, the value of largest magnitude among all of them 32 or -32, so that negative and
 * positive shades can be compared. What is not finite is 0.
 */
export function toShades(images: readonly ArrayLike<number>[]): number[][] {
  let most = 0;
  for (const image of images) {
    for (let position = 0; position < image.length; position++) {
      if (Number.isFinite(image[position])) most = Math.max(most, Math.abs(image[position]));
    }
  }
  const shade = (value: number): number =>
    Number.isFinite(value) && most > 0 ? Math.round((value / most) * shades) : 0;
  return images.map((image) => Array.from(image, shade));
}

/** How many images, how large, and how many were taken for something else, in one line. */
export function imagesSummary({ title, images, rows, columns, total, labels, predictions }: ImageGrid): string {
  const wrong = labels && predictions ? predictions.filter((answer, index) => answer !== labels[index]).length : 0;
  const mistakes = labels && predictions ? `, ${wrong} taken for something else` : "";
  const count =
    images.length < total ? `${images.length} of ${formatCount(total)} images` : plural(images.length, "image");
  return `${title}: ${count} of ${rows} × ${columns} pixels${mistakes}`;
}

/** The static picture of a grid of images. */
export function imagesPicture(grid: ImageGrid): Picture {
  const room = Math.min(116, 820 / grid.across - gap);
  const pixel = Math.max(0.5, Math.floor(room / Math.max(grid.rows, grid.columns)));
  const [wide, high] = [grid.columns * pixel, grid.rows * pixel];
  const lettered = grid.labels !== undefined || grid.predictions !== undefined;
  const rowHeight = high + gap + (lettered ? 20 : 0);
  const count = grid.images.length;
  const signed = grid.images.some((image) => image.some((shade) => shade < 0));
  const notes = [
    signed ? "Blue is above nought, red below." : "",
    count < grid.total ? `The first ${count} of ${formatCount(grid.total)} images.` : "",
    grid.missing ? `${plural(grid.missing, "pixel is no number", "pixels are no numbers")} and drawn as nought.` : "",
    grid.labels && grid.predictions ? "Below each: what it is; where the network says otherwise, what it says." : "",
  ];
  return {
    title: grid.title,
    subtitle: notes.filter((note) => note !== "").join(" "),
    width: Math.max(360, grid.across * (wide + gap) - gap),
    draw(canvas, theme) {
      const origin = (index: number): [number, number] => [
        (index % grid.across) * (wide + gap),
        Math.floor(index / grid.across) * rowHeight,
      ];
      grid.images.forEach((_, index) => {
        const [x, y] = origin(index);
        drawBox(canvas, { x: x - 1, y: y - 1, width: wide + 2, height: high + 2 }, theme.band, 2);
        drawLabel(canvas, grid, index, x + wide / 2, y + high + 15, wide + gap - 2, theme);
      });
      drawPixels(canvas, grid, origin, pixel, theme);
      return Math.ceil(count / grid.across) * rowHeight - gap;
    },
  };
}

/** The label, or label and prediction where they differ. */
function drawLabel(
  canvas: Canvas,
  grid: ImageGrid,
  index: number,
  x: number,
  y: number,
  maxWidth: number,
  theme: Theme,
): void {
  const label = grid.labels?.[index];
  const prediction = grid.predictions?.[index];
  if (label === undefined && prediction === undefined) return;
  const wrong = label !== undefined && prediction !== undefined && label !== prediction;
  drawText(canvas, wrong ? `${label}, not ${prediction}` : (label ?? prediction!), x, y, {
    size: fontSize.body,
    weight: wrong ? "semibold" : "regular",
    fill: wrong ? theme.accent : theme.muted,
    anchor: "middle",
    maxWidth,
  });
}

/** All pixels of one shade are one path, of runs along the rows. */
function drawPixels(
  canvas: Canvas,
  grid: ImageGrid,
  origin: (index: number) => readonly [number, number],
  pixel: number,
  theme: Theme,
): void {
  const paths = new Map<number, string[]>();
  grid.images.forEach((image, index) => {
    const [left, top] = origin(index);
    for (let row = 0; row < grid.rows; row++) {
      for (let column = 0; column < grid.columns; ) {
        const shade = image[row * grid.columns + column];
        let end = column + 1;
        while (end < grid.columns && image[row * grid.columns + end] === shade) end++;
        if (shade !== 0) {
          let path = paths.get(shade);
          if (!path) paths.set(shade, (path = []));
          const width = round((end - column) * pixel);
          path.push(`M${round(left + column * pixel)} ${round(top + row * pixel)}h${width}v${pixel}h${-width}z`);
        }
        column = end;
      }
    }
  });
  const positive = interpolateRgb(
    theme.band,
    [...paths.keys()].some((shade) => shade < 0) ? theme.series[0] : theme.text,
  );
  const negative = interpolateRgb(theme.band, theme.series[1]);
  const group = canvas.append("g").attr("shape-rendering", "crispEdges");
  for (const [shade, path] of [...paths].sort(([a], [b]) => a - b)) {
    const color = shade > 0 ? positive(shade / shades) : negative(-shade / shades);
    group.append("path").attr("d", path.join("")).attr("fill", color);
  }
}
