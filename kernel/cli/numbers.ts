import { BadInput } from "../headless/index.ts";

/** An option's value as a number that is not negative. */
export function readNumber(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new BadInput(`${option}: must be a number that is not negative, got ${text}, write ${option} 30`);
}

/** An option's value as a whole number, no less than `least`. */
export function readCount(option: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= least) return value;
  throw new BadInput(`${option}: must be a whole number from ${least} on, got ${text}, write ${option} 2`);
}

const units: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** An option's value as a number of bytes: 800M, 2G. */
export function readBytes(option: string, text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([KMG]?)i?B?$/i.exec(text.trim()) ?? [];
  if (digits === undefined) {
    throw new BadInput(`${option}: must be a size such as 800M or 2G, got ${text}, write ${option} 2G`);
  }
  return Math.round(Number(digits) * units[unit.toUpperCase()]);
}
