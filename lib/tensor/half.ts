const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The 16 bits of the float16 or bfloat16 nearest to `value`, ties to even (IEEE 754-2019, 4.3.1). */
export function encodeHalf(dtype: "float16" | "bfloat16", value: number): number {
  return dtype === "float16" ? encodeFloat16(value) : encodeBfloat16(value);
}

/** The number that 16 bits stand for; exact. */
export function decodeHalf(dtype: "float16" | "bfloat16", stored: number): number {
  return dtype === "float16" ? decodeFloat16(stored) : decodeBfloat16(stored);
}

function encodeBfloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  // Rounding first to float32 would round twice: values exactly between two bfloat16 after the first
  // rounding, but not before, are nudged toward where they came from.
  float[0] = value;
  const single = float[0];
  let pattern = bits[0];
  const tie = (pattern & 0xffff) === 0x8000;
  if (tie && single !== value) {
    const away = Math.abs(value) > Math.abs(single);
    return ((pattern >>> 16) + (away ? 1 : 0)) & 0xffff;
  }
  pattern += 0x7fff + ((pattern >>> 16) & 1);
  return (pattern >>> 16) & 0xffff;
}

function decodeBfloat16(stored: number): number {
  bits[0] = stored << 16;
  return float[0];
}

function encodeFloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  // 65520 lies halfway between the largest float16 and the next power of two: ties to even overflow.
  if (magnitude >= 65520) return sign | 0x7c00;
  // Below 2^-14 the spacing stays 2^-24; above, eleven significant bits.
  const exponent = magnitude < 2 ** -14 ? -14 : Math.floor(Math.log2(magnitude));
  const spacing = 2 ** (exponent - 10);
  const units = roundHalfToEven(magnitude / spacing);
  if (exponent === -14 && units < 1024) return sign | units;
  return sign + ((exponent + 14) << 10) + units;
}

function decodeFloat16(stored: number): number {
  const sign = stored & 0x8000 ? -1 : 1;
  const exponent = (stored >>> 10) & 31;
  const fraction = stored & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
