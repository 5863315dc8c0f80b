import { Figure } from "../figure.ts";
import { formatNumber, plural } from "../look/format.ts";
import { checkAmount, mostPoints, mostSeries } from "../look/limits.ts";
import { placeholder } from "../look/placeholder.ts";
import type { Axis, LineMark, MarkColor, ScatterMark } from "./chart.ts";
import { axisFrom, type ChartOptions, chartFigure } from "./chart-figure.ts";
import { chooseColors } from "./series-color.ts";

/** Values in order, points as x and y, or points as pairs. */
type Points =
  | ArrayLike<number>
  | { readonly x: ArrayLike<number>; readonly y: ArrayLike<number>; readonly labels?: readonly string[] }
  | readonly (readonly [number, number])[];

/** One series, or several by name. */
export type Series = Points | Readonly<Record<string, Points>>;

interface NamedPoints {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly labels?: readonly string[];
  /** True if x merely counts the values. */
  readonly counted: boolean;
}

/** Draws each series as a line, its name at its end. Values without an x are counted from 0. */
export function line(series: Series, options: ChartOptions = {}): Figure {
  return pointsFigure(
    "line",
    series,
    options,
    ({ name, x, y }, color): LineMark => ({
      kind: "line",
      name,
      color,
      x,
      y,
      points: x.length <= 24,
    }),
  );
}

/** Draws each series as points; `labels` name single points. */
export function scatter(series: Series, options: ChartOptions = {}): Figure {
  return pointsFigure(
    "scatter",
    series,
    options,
    ({ name, x, y, labels }, color): ScatterMark => ({
      kind: "scatter",
      name,
      color,
      x,
      y,
      ...(labels && { labels }),
    }),
  );
}

function pointsFigure(
  kind: "line" | "scatter",
  series: Series,
  options: ChartOptions,
  mark: (points: NamedPoints, color: MarkColor) => LineMark | ScatterMark,
): Figure {
  const named = readSeries(kind, series);
  const title = options.title ?? (kind === "line" ? "Lines" : "Points");
  const total = named.reduce((sum, { x }) => sum + x.length, 0);
  const subject = `plot.${kind}`;
  checkAmount(subject, "points", total, mostPoints, "give every n-th, or use plot.histogram for how they spread");
  checkAmount(subject, "series", named.length, mostSeries, "draw some of them, or use plot.images for all as rows");
  if (total === 0) {
    const message = "Nothing to draw: every series is empty.";
    return new Figure({ kind, picture: placeholder(title, message), summary: `${title}: ${message}` });
  }
  const colors = chooseColors(named.map(({ name }) => name));
  const marks = named.map((points, index) => mark(points, colors[index]));
  const whole: Partial<Axis> = named.every(({ counted }) => counted) ? { whole: true } : {};
  const chart = {
    title,
    ...(options.subtitle !== undefined && { subtitle: options.subtitle }),
    panels: [{ x: axisFrom(options.x, whole), y: axisFrom(options.y), marks }],
  };
  return chartFigure(kind, chart, `${title}: ${named.map(describe).join("; ")}`);
}

function describe({ name, y }: NamedPoints): string {
  const finite = y.filter(Number.isFinite);
  const label = name === "" ? "" : `${name}, `;
  if (finite.length === 0) return `${label}no finite value`;
  const low = finite.reduce((least, value) => Math.min(least, value));
  const high = finite.reduce((most, value) => Math.max(most, value));
  return `${label}${plural(y.length, "point")} from ${formatNumber(low)} to ${formatNumber(high)}`;
}

function readSeries(subject: string, series: Series): NamedPoints[] {
  if (isPoints(series)) return [readPoints(subject, "", series)];
  return Object.entries(series).map(([name, points]) => readPoints(subject, name, points));
}

function isPoints(series: Series): series is Points {
  return "length" in series || ("x" in series && "y" in series && typeof series.x === "object" && "length" in series.x);
}

function readPoints(subject: string, name: string, points: Points): NamedPoints {
  if (!("length" in points)) {
    const x = Array.from(points.x);
    const y = Array.from(points.y);
    if (x.length !== y.length) {
      throw new Error(
        `plot.${subject}: x and y must be as long as each other, got ${x.length} and ${y.length} (series ${JSON.stringify(name)}); give one y for each x`,
      );
    }
    return { name, x, y, counted: false, ...(points.labels && { labels: points.labels }) };
  }
  const values = Array.from(points as ArrayLike<number | readonly [number, number]>);
  if (values.length > 0 && values.every((value) => typeof value === "object")) {
    const pairs = values as (readonly [number, number])[];
    return { name, x: pairs.map(([x]) => x), y: pairs.map(([, y]) => y), counted: false };
  }
  if (!values.every((value) => typeof value === "number")) {
    throw new Error(
      `plot.${subject}: a series must be numbers, pairs, or { x, y }, got ${typeof values.find((value) => typeof value !== "number")} (series ${JSON.stringify(name)}); convert the values to numbers first`,
    );
  }
  return { name, x: values.map((_, index) => index), y: values as number[], counted: true };
}
