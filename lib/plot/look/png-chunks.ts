/**
 * A PNG file of the given parts, each a name of four letters and its contents; the end is added (PNG, section 5). It needs
 * neither Node nor a browser.
 */
export function pngFile(parts: readonly (readonly [name: string, contents: Uint8Array])[]): Uint8Array<ArrayBuffer> {
  const chunks = [...parts, ["IEND", new Uint8Array(0)] as const].map(([name, contents]) => chunk(name, contents));
  return join([Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10), ...chunks]);
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
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
