import type { MemoryCategory } from "../../memory/index.ts";

/** A position in the palette, or a memory category, which has the same colour in all figures. */
export type MarkColor = number | MemoryCategory;

/** How an axis counts. */
type AxisScale = "linear" | "log" | "category";

/** What is counted, which decides how ticks are written: bytes in binary units, shares as percentages. */
export type AxisUnit = "number" | "bytes" | "percent";

export interface Axis {
  /** What the axis shows, with its unit in words where it has one: `test error`, `seconds per epoch (s)`. */
  readonly label: string;
  readonly scale: AxisScale;
  readonly unit: AxisUnit;
  /** The values of a category axis, in order. */
  readonly categories?: readonly string[];
  /** Ticks only at whole numbers, as for epochs. */
  readonly whole?: boolean;
}

/** A line through points in order; where a value is not finite the line has a gap. */
export interface LineMark {
  readonly kind: "line";
  readonly name: string;
  /** Marks of one series have the same colour in all panels. */
  readonly color: MarkColor;
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** The spread around the line, such as from the lowest to the highest seed. */
  readonly band?: { readonly low: readonly number[]; readonly high: readonly number[] };
  readonly dash?: boolean;
  /** Fine and pale, as for the raw values behind a mean. */
  readonly faint?: boolean;
  readonly points?: boolean;
}

export interface ScatterMark {
  readonly kind: "scatter";
  readonly name: string;
  readonly color: MarkColor;
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** What each point is, shown beside it where there is room. */
  readonly labels?: readonly string[];
}

/** One bar for each category of the x axis; marks of several series stand beside each other or on top of each other. */
export interface BarsMark {
  readonly kind: "bars";
  readonly name: string;
  readonly color: MarkColor;
  /** Null where the series has no value for the category. */
  readonly values: readonly (number | null)[];
}

/** Bars that touch: how many values fall into [edges[i], edges[i + 1]). */
export interface HistogramMark {
  readonly kind: "histogram";
  readonly name: string;
  readonly color: MarkColor;
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

/** A table of numbers as coloured cells, row 0 at the top. */
export interface MatrixMark {
  readonly kind: "matrix";
  readonly name: string;
  readonly rows: readonly string[];
  readonly values: readonly (readonly number[])[];
  /** Cells whose row and column are the same category are right answers, not mistakes. */
  readonly diagonal: boolean;
}

export type Mark = LineMark | ScatterMark | BarsMark | HistogramMark | MatrixMark;

/** One pair of axes with its marks. */
export interface Panel {
  readonly title?: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly marks: readonly Mark[];
  readonly stacked?: boolean;
}

/** A chart as plain data; drawn by draw-chart.ts, or handed to plotly by to-plotly.ts. */
export interface Chart {
  readonly title: string;
  readonly subtitle?: string;
  readonly panels: readonly Panel[];
}

/** Smallest and largest finite value a mark needs on the y axis, or null without any. */
export function extentOfMarks(panel: Panel, axis: "x" | "y"): [number, number] | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const see = (values: readonly (number | null)[]): void => {
    for (const value of values) {
      if (value === null || !Number.isFinite(value) || (panel[axis].scale === "log" && value <= 0)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  };
  for (const mark of panel.marks) {
    if (mark.kind === "line" || mark.kind === "scatter") see(mark[axis]);
    if (mark.kind === "line" && mark.band && axis === "y") {
      see(mark.band.low);
      see(mark.band.high);
    }
    if (mark.kind === "histogram") see(axis === "x" ? mark.edges : mark.counts);
    if (mark.kind === "bars" && axis === "y" && !panel.stacked) see(mark.values);
  }
  if (panel.stacked && axis === "y") {
    const bars = panel.marks.filter((mark) => mark.kind === "bars");
    see((panel.x.categories ?? []).map((_, index) => bars.reduce((sum, mark) => sum + (mark.values[index] || 0), 0)));
  }
  return low <= high ? [low, high] : null;
}

/** How many values are missing from a chart because they are not finite, or not positive on a logarithmic axis. */
export function countLeftOut(chart: Chart): number {
  let missing = 0;
  for (const { marks, x, y } of chart.panels) {
    const bad = (value: number, axis: Axis): boolean => !Number.isFinite(value) || (axis.scale === "log" && value <= 0);
    for (const mark of marks) {
      if (mark.kind === "line" || mark.kind === "scatter") {
        for (let index = 0; index < mark.x.length; index++) {
          if (bad(mark.x[index], x) || bad(mark.y[index], y)) missing++;
        }
      }
      if (mark.kind === "bars") missing += mark.values.filter((value) => value !== null && bad(value, y)).length;
      if (mark.kind === "matrix") missing += mark.values.flat().filter((value) => !Number.isFinite(value)).length;
    }
  }
  return missing;
}
