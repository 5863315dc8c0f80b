import { deflateSync } from "node:zlib";
import { pngFile } from "../look/png-chunks.ts";

/** The most colours that a PNG with a palette can have. */
const mostColors = 256;
/** A drawing with its smooth letters has fewer colours than this. */
const drawingColors = 20_000;
/** How far, in each channel, a colour may be from the one that stands for it: only edges of letters have such colours. */
const tolerance = 12;

/**
 * Writes an image as a PNG with a palette, a third as large as one with full colours: drawings have few colours, and
 * those between them at the edges of letters may be a little off.
 *
 * @param pixels red, green, blue, alpha of each pixel, from the top left; colours are multiplied with alpha
 * @returns null if 256 colours cannot stand for all of the image's
 */
export function palettePng(pixels: Uint8Array, width: number, height: number): Uint8Array | null {
  const colors = new Uint32Array(pixels.buffer, pixels.byteOffset, width * height);
  const palette = choosePalette(colors);
  const indexOf = new Map(palette.map((color, index) => [color, index]));
  // Each row begins with the number of its filter; 0, none, is best where neighbours are names, not amounts.
  const rows = new Uint8Array((width + 1) * height);
  let last = colors[0];
  let lastIndex = -1;
  for (let y = 0, at = 0, source = 0; y < height; y++) {
    at++;
    for (let x = 0; x < width; x++) {
      const color = colors[source++];
      if (color !== last || lastIndex < 0) {
        let index = indexOf.get(color);
        if (index === undefined) {
          index = nearest(palette, color);
          if (index < 0) return null;
          indexOf.set(color, index);
        }
        last = color;
        lastIndex = index;
      }
      rows[at++] = lastIndex;
    }
  }
  return assemble(width, height, palette, rows);
}

/** The most frequent colours, in order of frequency; none if there are so many that the image must be a photograph. */
function choosePalette(colors: Uint32Array): number[] {
  const counts = new Map<number, number>();
  // Drawings are long runs of one colour; counting runs is a hundred times cheaper than counting pixels.
  for (let start = 0; start < colors.length; ) {
    let end = start + 1;
    while (end < colors.length && colors[end] === colors[start]) end++;
    counts.set(colors[start], (counts.get(colors[start]) ?? 0) + end - start);
    if (counts.size > drawingColors) return [];
    start = end;
  }
  const order = [...counts].sort(([colorA, a], [colorB, b]) => b - a || colorA - colorB);
  if (order.length <= mostColors) return order.map(([color]) => color);
  // Frequent colours first; after them only such as none before can stand for.
  const palette: number[] = [];
  for (const [color] of order) {
    if (palette.length === mostColors) break;
    if (palette.length < 128 || nearest(palette, color) < 0) palette.push(color);
  }
  return palette;
}

/** The position of the nearest colour of the palette, or -1 if none is within the tolerance. */
function nearest(palette: readonly number[], color: number): number {
  let best = -1;
  let least = 4 * tolerance * tolerance + 1;
  for (let index = 0; index < palette.length; index++) {
    let distance = 0;
    for (let shift = 0; shift < 32; shift += 8) {
      const difference = ((palette[index] >>> shift) & 255) - ((color >>> shift) & 255);
      if (difference > tolerance || difference < -tolerance) {
        distance = Number.POSITIVE_INFINITY;
        break;
      }
      distance += difference * difference;
    }
    if (distance < least) {
      least = distance;
      best = index;
    }
  }
  return best;
}

/** Signature, header, palette, opacities, pixels, end: PNG (third edition), sections 5.2 and 11.2. */
function assemble(width: number, height: number, palette: readonly number[], rows: Uint8Array): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 3, 0, 0, 0], 8);
  const alpha = palette.map((color) => color >>> 24);
  // A PNG keeps colours as they were before they were multiplied with alpha.
  const triples = palette.flatMap((color) =>
    [0, 8, 16].map((shift) => Math.round((((color >>> shift) & 255) * 255) / Math.max(1, color >>> 24))),
  );
  return pngFile([
    ["IHDR", header],
    ["PLTE", Uint8Array.from(triples)],
    ...(alpha.some((value) => value < 255) ? [["tRNS", Uint8Array.from(alpha)] as const] : []),
    ["IDAT", deflateSync(rows)],
  ]);
}
