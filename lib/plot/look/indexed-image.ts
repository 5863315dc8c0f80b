import { toBase64 } from "../base64.ts";
import { pngFile } from "./png-chunks.ts";

/** Bytes of a stored block of deflate: the most that its two bytes of length can tell (RFC 1951, section 3.2.4). */
const mostStored = 65_535;

/**
 * A picture of few colours as the address of an `<image>`. It is a PNG that is not compressed, so that it is made at once,
 * in a browser as without one; what is drawn from it is compressed as a whole.
 *
 * @param cells a colour's place in the palette for each pixel, row by row from the top
 * @param palette red, green, blue and opacity, from 0 to 255, of at most 256 colours
 */
export function indexedImage(
  cells: Uint8Array,
  width: number,
  height: number,
  palette: readonly (readonly [red: number, green: number, blue: number, opacity: number])[],
): string {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  // Eight bits a pixel, a palette.
  header.set([8, 3], 8);
  const rows = new Uint8Array((width + 1) * height);
  for (let row = 0; row < height; row++)
    rows.set(cells.subarray(row * width, (row + 1) * width), row * (width + 1) + 1);
  const file = pngFile([
    ["IHDR", header],
    ["PLTE", Uint8Array.from(palette.flatMap((color) => color.slice(0, 3)))],
    ["tRNS", Uint8Array.from(palette, ([, , , opacity]) => opacity)],
    ["IDAT", storeZlib(rows)],
  ]);
  return `data:image/png;base64,${toBase64(file)}`;
}

/** Bytes as a stream of zlib in blocks that are stored as they are (RFC 1950 and 1951). */
function storeZlib(bytes: Uint8Array): Uint8Array {
  const blocks = Math.max(1, Math.ceil(bytes.length / mostStored));
  const stream = new Uint8Array(bytes.length + 5 * blocks + 6);
  const view = new DataView(stream.buffer);
  stream.set([0x78, 0x01]);
  let at = 2;
  for (let block = 0; block < blocks; block++) {
    const part = bytes.subarray(block * mostStored, (block + 1) * mostStored);
    stream[at] = block === blocks - 1 ? 1 : 0;
    view.setUint16(at + 1, part.length, true);
    view.setUint16(at + 3, ~part.length & 0xffff, true);
    stream.set(part, at + 5);
    at += 5 + part.length;
  }
  view.setUint32(at, adler32(bytes));
  return stream;
}

function adler32(bytes: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (let start = 0; start < bytes.length; ) {
    // So many sums stay below 2³² before the remainder is taken.
    const end = Math.min(bytes.length, start + 5552);
    for (; start < end; start++) {
      low += bytes[start];
      high += low;
    }
    low %= 65_521;
    high %= 65_521;
  }
  return ((high << 16) | low) >>> 0;
}
