import type { Range } from "../memory/window-data.ts";

/** A range that is `factor` times as long, with the place at a share of it left where it is. */
export function zoomRange([start, end]: Range, share: number, factor: number): Range {
  const middle = start + share * (end - start);
  return [middle - share * (end - start) * factor, middle + (1 - share) * (end - start) * factor];
}

/** A range moved by a share of its length. */
export function moveRange([start, end]: Range, share: number): Range {
  return [start + share * (end - start), end + share * (end - start)];
}

/** The nearest range of whole numbers inside of another, at least so long where that is. */
export function fitRange([start, end]: Range, [low, high]: Range, least: number): Range {
  const length = Math.min(high - low, Math.max(Math.min(least, high - low), Math.round(end - start)));
  const from = Math.max(low, Math.min(high - length, Math.round(start + (end - start - length) / 2)));
  return [from, from + length];
}
