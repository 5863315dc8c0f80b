/** A well-mixed number from 0 to 2³² − 1 for each integer (Ellis, "Hash Function Prospector", 2018: lowbias32). */
export function hash(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
  value = Math.imul(value ^ (value >>> 15), 0x735a2d97);
  return (value ^ (value >>> 15)) >>> 0;
}

/** A number from 0 to below 1 that depends on nothing but the integer. */
export function chance(value: number): number {
  return hash(value) / 2 ** 32;
}
