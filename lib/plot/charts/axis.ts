import { scaleBand, scaleLinear, scaleLog } from "d3";
import { byteUnit, formatBytes, formatNumber } from "../look/format.ts";
import type { Axis, AxisUnit } from "./chart.ts";

interface Tick {
  /** The value, or the index of the category. */
  readonly value: number;
  readonly position: number;
  readonly text: string;
}

/** Where values stand on an axis of a drawing, in pixels. */
export interface PlacedAxis {
  /** The position of a value, or of the middle of the category with that index. */
  place(value: number): number;
  readonly ticks: readonly Tick[];
  /** Width of a category, 0 on other axes. */
  readonly step: number;
  readonly domain: readonly [number, number];
}

/** What an axis shows beyond its values: nothing, a little space at both ends, or that and zero where it is near. */
export type AxisPadding = "none" | "space" | "zero";

/**
 * Chooses the range of an axis and its ticks.
 *
 * @param extent smallest and largest value to be shown
 * @param range pixels of the axis' beginning and end
 * @param count about how many ticks there is room for
 */
export function placeAxis(
  axis: Axis,
  extent: readonly [number, number],
  range: readonly [number, number],
  count: number,
  padding: AxisPadding,
): PlacedAxis {
  if (axis.scale === "category") return placeCategories(axis.categories ?? [], range);
  if (axis.scale === "log") return placeLogarithm(axis, extent, range);
  let [low, high] = extent;
  // A scale that begins at nought shows ratios; only where all values are close together would it hide what differs.
  const zero = padding === "zero";
  if (zero && low > 0 && (low < 0.6 * high || low === high)) low = 0;
  if (zero && high < 0 && high > 0.6 * low) high = 0;
  if (low === high) [low, high] = low === 0 ? [0, 1] : [low - Math.abs(low) * 0.1, high + Math.abs(high) * 0.1];
  const divisor =
    axis.unit === "bytes"
      ? byteUnit(Math.max(Math.abs(low), Math.abs(high))).divisor
      : axis.unit === "percent"
        ? 0.01
        : 1;
  const scale = scaleLinear([low / divisor, high / divisor], [...range]);
  if (padding !== "none") {
    const space = ((high - low) / divisor) * 0.06;
    scale.domain([zero && low === 0 ? 0 : low / divisor - space, zero && high === 0 ? 0 : high / divisor + space]);
  }
  const values = scale.ticks(count).filter((value) => !axis.whole || Number.isInteger(value));
  return {
    place: (value) => scale(value / divisor),
    ticks: values.map((value) => ({
      value: value * divisor,
      position: scale(value),
      text: tickText(value * divisor, axis.unit),
    })),
    step: 0,
    domain: [scale.domain()[0] * divisor, scale.domain()[1] * divisor],
  };
}

function placeCategories(categories: readonly string[], range: readonly [number, number]): PlacedAxis {
  const scale = scaleBand(
    categories.map((_, index) => index),
    [...range],
  );
  const place = (index: number): number => (scale(index) ?? 0) + scale.bandwidth() / 2;
  return {
    place,
    ticks: categories.map((text, index) => ({ value: index, position: place(index), text })),
    step: scale.bandwidth(),
    domain: [0, categories.length],
  };
}

function placeLogarithm(axis: Axis, extent: readonly [number, number], range: readonly [number, number]): PlacedAxis {
  const base = axis.unit === "bytes" ? 2 : 10;
  const [low, high] = extent[0] === extent[1] ? [extent[0] / base, extent[1] * base] : extent;
  const space = (high / low) ** 0.04;
  const scale = scaleLog([low / space, high * space], [...range]).base(base);
  return {
    place: (value) => scale(value),
    ticks: logarithmTicks(low / space, high * space, axis.unit).map((value) => ({
      value,
      position: scale(value),
      text: tickText(value, axis.unit),
    })),
    step: 0,
    domain: [low / space, high * space],
  };
}

/** Powers of ten, with 2 and 5 between them on short axes; bytes at powers of 1024, 32 or 4. */
function logarithmTicks(low: number, high: number, unit: AxisUnit): number[] {
  if (unit === "bytes") {
    const doublings = Math.log2(high / low);
    const every = doublings > 40 ? 10 : doublings > 16 ? 5 : doublings > 6 ? 2 : 1;
    return powersBetween(2 ** every, low, high);
  }
  const decades = Math.log10(high / low);
  if (decades > 6) return powersBetween(100, low, high);
  const tens = powersBetween(10, low / 10, high * 10);
  const factors = decades < 1 ? [1, 1.5, 2, 3, 4, 5, 6, 8] : decades < 2.5 ? [1, 2, 5] : [1];
  return tens.flatMap((ten) => factors.map((factor) => factor * ten)).filter((value) => value >= low && value <= high);
}

function powersBetween(base: number, low: number, high: number): number[] {
  const first = Math.ceil(Math.log(low) / Math.log(base) - 1e-9);
  const last = Math.floor(Math.log(high) / Math.log(base) + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => base ** (first + index));
}

/** A value as ticks and labels write it. */
export function tickText(value: number, unit: AxisUnit): string {
  if (unit === "bytes") return value === 0 ? "0" : formatBytes(value);
  if (unit === "percent") return `${formatNumber(value * 100)} %`;
  return formatNumber(Math.abs(value) < 1e-12 ? 0 : value);
}
