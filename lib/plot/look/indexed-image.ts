import { toBase64 } from "../base64.ts";

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
  const parts = [
    Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10),
    chunk("IHDR", header),
    chunk("PLTE", Uint8Array.from(palette.flatMap((color) => color.slice(0, 3)))),
    chunk(
      "tRNS",
      Uint8Array.from(palette, ([, , , opacity]) => opacity),
    ),
    chunk("IDAT", storeZlib(rows)),
    chunk("IEND", new Uint8Array(0)),
  ];
  return `data:image/png;base64,${toBase64(join(parts))}`;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Length, name, contents, and a check over the last two (PNG, section 5.3). */
function chunk(name: string, contents: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(contents.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, contents.length);
  for (let index = 0; index < 4; index++) bytes[4 + index] = name.charCodeAt(index);
  bytes.set(contents, 8);
  view.setUint32(contents.length + 8, checksum(bytes.subarray(4, contents.length + 8)));
  return bytes;
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

const remainders = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** The cyclic redundancy check of PNG (annex D). */
function checksum(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = remainders[(value ^ byte) & 255] ^ (value >>> 8);
  return ~value >>> 0;
}
