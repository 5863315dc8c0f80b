import { Figure } from "../figure.ts";
import { plotlyMime } from "../mime.ts";
import type { Axis, Chart } from "./chart.ts";
import { chartPicture } from "./draw-chart.ts";
import { toPlotly } from "./to-plotly.ts";

/** An axis as a notebook names it: its label, or the label with what else is not as usual. */
export type AxisOption =
  | string
  | { readonly label?: string; readonly unit?: Axis["unit"]; readonly scale?: "linear" | "log" };

export interface ChartOptions {
  readonly title?: string;
  readonly subtitle?: string;
  readonly x?: AxisOption;
  readonly y?: AxisOption;
}

/** Fills in what an axis option leaves out. */
export function axisFrom(option: AxisOption | undefined, rest: Partial<Axis> = {}): Axis {
  const given = typeof option === "string" ? { label: option } : (option ?? {});
  return { label: given.label ?? "", scale: given.scale ?? "linear", unit: given.unit ?? "number", ...rest };
}

/** A figure of a chart: drawn for all front ends, and as a plotly figure for those that know it. */
export function chartFigure(kind: string, chart: Chart, summary: string): Figure {
  return new Figure({
    kind,
    picture: chartPicture(chart),
    summary: summary.replaceAll("\n", " "),
    interactive: { mime: plotlyMime, data: toPlotly(chart) },
  });
}
