/** The protocol counts Unicode code points; JavaScript and the compiler count UTF-16 units. */
export function toUtf16(code: string, codePoints: number): number {
  let units = 0;
  for (const character of code) {
    if (codePoints-- <= 0) break;
    units += character.length;
  }
  return units;
}

/** The reverse of {@link toUtf16}. */
export function toCodePoints(code: string, units: number): number {
  return [...code.slice(0, units)].length;
}
