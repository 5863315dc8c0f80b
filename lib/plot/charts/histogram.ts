import { bin, extent, thresholdFreedmanDiaconis } from "d3";
import { Figure } from "../figure.ts";
import { formatCount, formatNumber, plural } from "../look/format.ts";
import { checkAmount, mostSeries } from "../look/limits.ts";
import { placeholder } from "../look/placeholder.ts";
import { axisFrom, type ChartOptions, chartFigure } from "./chart-figure.ts";

/**
 * Draws how often values occur. Several sets of values share their bins, so that bars can be compared.
 *
 * @param options.bins about how many bins; without it Freedman and Diaconis' rule decides, between 10 and 80
 */
export function histogram(
  values: ArrayLike<number> | Readonly<Record<string, ArrayLike<number>>>,
  options: ChartOptions & { readonly bins?: number } = {},
): Figure {
  const title = options.title ?? "Histogram";
  const sets = "length" in values && typeof values.length === "number" ? { "": values as ArrayLike<number> } : values;
  const named = Object.entries(sets as Readonly<Record<string, ArrayLike<number>>>).map(([name, list]) => ({
    name,
    finite: Array.from(list).filter(Number.isFinite),
    total: list.length,
  }));
  checkAmount("plot.histogram", "series", named.length, mostSeries, "use plot.scatter for their means and spreads");
  const all = named.flatMap(({ finite }) => finite);
  const missing = named.reduce((sum, { total, finite }) => sum + total - finite.length, 0);
  if (all.length === 0) {
    const message =
      missing > 0 ? `Nothing to draw: none of ${plural(missing, "value")} is finite.` : "Nothing to draw: no values.";
    return new Figure({ kind: "histogram", picture: placeholder(title, message), summary: `${title}: ${message}` });
  }
  const edges = chooseEdges(all, options.bins);
  const marks = named.map(({ name, finite }, color) => ({
    kind: "histogram" as const,
    name,
    color,
    edges,
    counts: countInto(edges, finite),
  }));
  const left = missing > 0 ? `${plural(missing, "value is", "values are")} not finite and left out.` : "";
  const subtitle = [options.subtitle ?? "", left].filter((text) => text !== "").join("\n");
  const y = options.y ?? "values per bin";
  const chart = { title, subtitle, panels: [{ x: axisFrom(options.x ?? "value"), y: axisFrom(y), marks }] };
  const told = named.map(({ name, finite }) => `${name === "" ? "" : `${name}, `}${describe(finite)}`);
  return chartFigure("histogram", chart, `${title}: ${told.join("; ")}`);
}

function describe(finite: readonly number[]): string {
  if (finite.length === 0) return "no finite value";
  const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length;
  const variance = finite.reduce((sum, value) => sum + (value - mean) ** 2, 0) / finite.length;
  return `${formatCount(finite.length)} values, mean ${formatNumber(mean)}, standard deviation ${formatNumber(Math.sqrt(variance))}`;
}

/** Edges at round numbers that hold all values, the last value in the last bin. */
function chooseEdges(values: readonly number[], wanted: number | undefined): number[] {
  const [low, high] = extent(values) as [number, number];
  if (low === high) return [low - 0.5, low + 0.5];
  const rule = wanted ?? Math.max(10, Math.min(80, thresholdFreedmanDiaconis(values, low, high)));
  const inner = bin().thresholds(Math.max(1, Math.round(rule)))(values as number[]);
  const edges = inner.slice(1).map(({ x0 }) => x0!);
  // d3 cuts the outer bins off at the extremes; full ones have the width of their neighbours.
  const width = edges.length > 1 ? edges[1] - edges[0] : high - low;
  return edges.length === 0 ? [low, high] : [edges[0] - width, ...edges, edges[edges.length - 1] + width];
}

function countInto(edges: readonly number[], values: readonly number[]): number[] {
  const counts = new Array<number>(edges.length - 1).fill(0);
  for (const value of values) {
    let low = 0;
    let high = counts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (value >= edges[middle]) low = middle;
      else high = middle - 1;
    }
    counts[low]++;
  }
  return counts;
}
