import { deflateSync } from "node:zlib";
import { pngFile } from "../look/png-chunks.ts";

/**
 * Writes an image with all its colours as a PNG file.
 *
 * @param pixels red, green and blue of each pixel, from the top left
 */
export function truecolorPng(pixels: Uint8Array, width: number, height: number): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  // Eight bits a channel, red green blue.
  header.set([8, 2], 8);
  const stride = 3 * width;
  const rows = new Uint8Array((stride + 1) * height);
  for (let y = 0; y < height; y++) {
    const at = y * (stride + 1);
    // Filter 4: what is left of each byte when the nearest of three neighbours is taken away.
    rows[at] = 4;
    const above = y > 0 ? (y - 1) * stride : -1;
    for (let x = 0; x < stride; x++) {
      const left = x >= 3 ? pixels[y * stride + x - 3] : 0;
      const up = above >= 0 ? pixels[above + x] : 0;
      const corner = x >= 3 && above >= 0 ? pixels[above + x - 3] : 0;
      rows[at + 1 + x] = pixels[y * stride + x] - paeth(left, up, corner);
    }
  }
  return pngFile([
    ["IHDR", header],
    ["IDAT", deflateSync(rows, { level: 4 })],
  ]);
}

/** The one of three neighbours that is nearest to left + up − corner (PNG, section 9.4). */
function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const toLeft = Math.abs(guess - left);
  const toUp = Math.abs(guess - up);
  const toCorner = Math.abs(guess - corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}
