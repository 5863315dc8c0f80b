import { crc32, deflateSync } from "node:zlib";

/** A PNG file of the given parts, each a name of four letters and its contents; the end is added (PNG, section 5). */
export function pngFile(parts: readonly (readonly [name: string, contents: Uint8Array])[]): Uint8Array {
  const chunks = [...parts, ["IEND", new Uint8Array(0)] as const].map(([name, contents]) => chunk(name, contents));
  return Buffer.concat([Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10), ...chunks]);
}

/** Length, name, contents, and a check over the last two. */
function chunk(name: string, contents: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(contents.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, contents.length);
  for (let index = 0; index < 4; index++) bytes[4 + index] = name.charCodeAt(index);
  bytes.set(contents, 8);
  view.setUint32(contents.length + 8, crc32(bytes.subarray(4, contents.length + 8)));
  return bytes;
}

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
