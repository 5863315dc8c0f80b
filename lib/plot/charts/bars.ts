import { Figure } from "../figure.ts";
import { checkAmount, mostBars, mostSeries } from "../look/limits.ts";
import { placeholder } from "../look/placeholder.ts";
import { tickText } from "./axis.ts";
import { axisFrom, type ChartOptions, chartFigure } from "./chart-figure.ts";
import { chooseColors } from "./series-color.ts";

/** One value for each category, or the same for several series by name: `{ weights: { shallow: 1, deep: 2 } }`. */
export type BarValues = Readonly<Record<string, number>> | Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Draws a bar for each category; several series stand beside each other, or with `stacked` on top of each other. */
export function bars(values: BarValues, options: ChartOptions & { readonly stacked?: boolean } = {}): Figure {
  const title = options.title ?? "Bars";
  const entries = Object.entries(values);
  const single = entries.every(([, value]) => typeof value === "number");
  const series = (single ? [["", values]] : entries) as [string, Readonly<Record<string, number>>][];
  const categories = [...new Set(series.flatMap(([, members]) => Object.keys(members)))];
  if (categories.length === 0) {
    const message = "Nothing to draw: there is no category.";
    return new Figure({ kind: "bars", picture: placeholder(title, message), summary: `${title}: ${message}` });
  }
  const drawn = categories.length * (options.stacked ? 1 : series.length);
  checkAmount(
    "plot.bars",
    "bars",
    drawn,
    mostBars,
    "use plot.line for values in order, plot.histogram for how they spread",
  );
  checkAmount("plot.bars", "series", series.length, mostSeries, "use plot.table");
  const y = axisFrom(options.y);
  const colors = chooseColors(series.map(([name]) => name));
  const marks = series.map(([name, members], index) => ({
    kind: "bars" as const,
    name,
    color: colors[index],
    values: categories.map((category) => members[category] ?? null),
  }));
  const chart = {
    title,
    ...(options.subtitle !== undefined && { subtitle: options.subtitle }),
    panels: [
      { x: axisFrom(options.x, { scale: "category", categories }), y, marks, stacked: options.stacked ?? false },
    ],
  };
  const told = series.map(([name, members]) => {
    const list = Object.entries(members).map(([category, value]) => `${category} ${tickText(value, y.unit)}`);
    return `${name === "" ? "" : `${name}: `}${list.join(", ")}`;
  });
  return chartFigure("bars", chart, `${title}: ${told.join("; ")}`);
}
