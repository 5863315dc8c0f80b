/** Bytes in base64, as a notebook stores them; without Node's Buffer, so that a browser can do it too. */
export function toBase64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  // fromCharCode takes its characters as arguments, of which there may not be too many.
  for (let start = 0; start < bytes.length; start += 0x8000) {
    pieces.push(String.fromCharCode(...bytes.subarray(start, start + 0x8000)));
  }
  return btoa(pieces.join(""));
}
