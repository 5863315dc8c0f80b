import { formatBytes, formatNumber } from "../look/format.ts";
import { lightTheme } from "../look/theme.ts";
import { placeAxis } from "./axis.ts";
import { type Axis, type Chart, countLeftOut, extentOfMarks, type Mark, type MatrixMark, type Panel } from "./chart.ts";
import { seriesColor } from "./series-color.ts";

/** A plotly 3.x figure as JSON. Only what the chart sets is spelled out; the rest is plotly's defaults. */
export interface PlotlyFigure {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly layout: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
}

const theme = lightTheme;

/** Writes a chart as a plotly figure in the light colours; a front end of ours exchanges them on a dark page. */
export function toPlotly(chart: Chart): PlotlyFigure {
  const count = chart.panels.length;
  const gap = 0.1;
  const width = (1 - gap * (count - 1)) / count;
  const data: Record<string, unknown>[] = [];
  const axes: Record<string, unknown> = {};
  const annotations: Record<string, unknown>[] = [];
  const named = new Set<string>();
  chart.panels.forEach((panel, index) => {
    const suffix = index === 0 ? "" : String(index + 1);
    const start = index * (width + gap);
    const traces = panel.marks.flatMap((mark) => tracesOf(mark, panel));
    for (const trace of traces) {
      // A series has one entry in the legend, whichever panel it is switched off from.
      const group = String(trace.legendgroup ?? "");
      const listed = trace.showlegend !== false && group !== "" && !named.has(group);
      if (listed) named.add(group);
      data.push({ ...trace, xaxis: `x${suffix}`, yaxis: `y${suffix}`, showlegend: listed });
    }
    axes[`xaxis${suffix}`] = {
      ...axisLayout(panel.x, extentOfMarks(panel, "x")),
      domain: [start, start + width],
      anchor: `y${suffix}`,
    };
    // Panels side by side have the axis' name as their heading.
    const y = count > 1 ? { ...panel.y, label: "" } : panel.y;
    axes[`yaxis${suffix}`] = { ...axisLayout(y, extentOfMarks(panel, "y")), anchor: `x${suffix}`, ...valueAxis(panel) };
    if ((panel.title ?? panel.y.label) !== "" && count > 1) {
      annotations.push({
        text: `<b>${plotlyText(panel.title ?? panel.y.label)}</b>`,
        x: start,
        xref: "paper",
        xanchor: "left",
        y: 1.02,
        yref: "paper",
        yanchor: "bottom",
        showarrow: false,
        font: { size: 13 },
      });
    }
  });
  const missing = countLeftOut(chart);
  const subtitle = [chart.subtitle ?? "", missing > 0 ? `${missing} values not drawn` : ""].filter(
    (text) => text !== "",
  );
  const matrix = chart.panels[0].marks.some(({ kind }) => kind === "matrix");
  return {
    data,
    layout: {
      title: {
        text: `<b>${plotlyText(chart.title)}</b>`,
        x: 0,
        xref: "container",
        xanchor: "left",
        pad: { l: 20, t: 16 },
        y: 1,
        yref: "container",
        yanchor: "top",
        font: { size: 17 },
        subtitle: { text: plotlyText(subtitle.join(" ")), font: { size: 12, color: theme.muted } },
      },
      font: { family: "Inter, system-ui, sans-serif", size: 12, color: theme.text },
      paper_bgcolor: theme.card,
      plot_bgcolor: theme.card,
      colorway: theme.series,
      height: matrix ? 520 : 420,
      margin: { l: 64, r: 24, t: 92, b: 56 },
      hovermode: chart.panels.every(({ marks }) => marks.every(({ kind }) => kind === "line" || kind === "bars"))
        ? "x unified"
        : "closest",
      legend: { orientation: "h", x: 1, xanchor: "right", y: 1.02, yanchor: "bottom" },
      barmode: chart.panels.some(({ stacked }) => stacked) ? "stack" : overlays(chart) ? "overlay" : "group",
      bargap: overlays(chart) ? 0 : 0.24,
      showlegend: named.size > 1,
      annotations,
      ...axes,
    },
    config: { responsive: true, displaylogo: false },
  };
}

function overlays(chart: Chart): boolean {
  return chart.panels.some(({ marks }) => marks.some(({ kind }) => kind === "histogram"));
}

function valueAxis(panel: Panel): Record<string, unknown> {
  if (panel.marks.some(({ kind }) => kind === "matrix")) return { autorange: "reversed" };
  const lines = panel.marks.some(({ kind }) => kind === "line");
  return lines && panel.y.scale === "linear" ? { rangemode: "tozero" } : {};
}

function axisLayout(axis: Axis, extent: readonly [number, number] | null): Record<string, unknown> {
  return {
    title: { text: plotlyText(axis.label), font: { size: 12, color: theme.muted } },
    type: axis.scale === "category" ? "category" : axis.scale,
    gridcolor: theme.grid,
    linecolor: theme.axis,
    zerolinecolor: theme.axis,
    automargin: true,
    ...(axis.scale === "category" ? { showgrid: false } : tickLayout(axis, extent)),
  };
}

function tickLayout(axis: Axis, extent: readonly [number, number] | null): Record<string, unknown> {
  if (axis.unit === "bytes" && extent) {
    // Plotly has no binary prefixes, so it is told the ticks of the static form.
    const { ticks } = placeAxis(axis, extent, [0, 1], 6, "zero");
    return { tickmode: "array", tickvals: ticks.map(({ value }) => value), ticktext: ticks.map(({ text }) => text) };
  }
  if (axis.unit === "percent") return { tickformat: ".2~%" };
  if (axis.scale === "log") return logarithmLayout(extent);
  // Plotly would write a half as a whole number; where there are few whole numbers it is told to count by ones.
  if (axis.whole) return { tickformat: "d", ...(extent && extent[1] - extent[0] <= 12 && { dtick: 1 }) };
  return {};
}

/**
 * One, two and five of each power of ten, written out; in millions with a letter behind them, and where that would not
 * do, or there are many powers, the powers alone.
 */
function logarithmLayout(extent: readonly [number, number] | null): Record<string, unknown> {
  const [low, high] = extent ?? [1, 10];
  const decades = Math.log10(high / low);
  if (low >= 1e-5 && high < 1e6) return { dtick: "D2", tickformat: "~g" };
  if (low >= 1 && high < 1e12) return { dtick: decades > 4 ? 1 : "D2", tickformat: "~s" };
  return { dtick: Math.ceil(decades / 8), exponentformat: "power" };
}

function tracesOf(mark: Mark, panel: Panel): Record<string, unknown>[] {
  switch (mark.kind) {
    case "line": {
      const color = seriesColor(theme, mark.color);
      const shared = { type: "scatter", legendgroup: mark.name, name: mark.name, x: plain(mark.x) };
      const main = {
        ...shared,
        y: plain(mark.y),
        mode: mark.points ? "lines+markers" : "lines",
        line: { color, width: mark.faint ? 1 : 2.5, ...(mark.dash && { dash: "dash" }) },
        marker: { color, size: 7 },
        opacity: mark.faint ? 0.4 : 1,
        ...hoverOf(mark.y, panel),
      };
      if (!mark.band) return [main];
      const edge = { ...shared, mode: "lines", line: { width: 0, color }, hoverinfo: "skip", showlegend: false };
      return [
        { ...edge, y: plain(mark.band.low) },
        { ...edge, y: plain(mark.band.high), fill: "tonexty", fillcolor: `${color}2e` },
        main,
      ];
    }
    case "scatter":
      return [
        {
          type: "scatter",
          mode: "markers",
          name: mark.name,
          legendgroup: mark.name,
          x: plain(mark.x),
          y: plain(mark.y),
          marker: { color: seriesColor(theme, mark.color), size: mark.x.length > 400 ? 5 : 9 },
          ...hoverOf(mark.y, panel, mark.labels && "%{text}: "),
          ...(mark.labels && { text: mark.labels }),
        },
      ];
    case "bars":
      return [
        {
          type: "bar",
          name: mark.name,
          legendgroup: mark.name,
          x: panel.x.categories,
          y: plain(mark.values),
          marker: { color: seriesColor(theme, mark.color) },
          ...hoverOf(mark.values, panel),
        },
      ];
    case "histogram":
      return [
        {
          type: "bar",
          name: mark.name,
          legendgroup: mark.name,
          x: mark.counts.map((_, index) => (mark.edges[index] + mark.edges[index + 1]) / 2),
          width: mark.counts.map((_, index) => mark.edges[index + 1] - mark.edges[index]),
          y: mark.counts,
          marker: { color: seriesColor(theme, mark.color) },
          opacity: panel.marks.length > 1 ? 0.55 : 0.9,
        },
      ];
    case "matrix":
      return matrixTraces(mark, panel);
  }
}

/** A matrix as one heat map, or right answers and mistakes as two: on one scale the mistakes would vanish. */
function matrixTraces(mark: MatrixMark, panel: Panel): Record<string, unknown>[] {
  const trace = (
    colors: readonly string[],
    shown: (row: number, column: number) => boolean,
  ): Record<string, unknown> => ({
    type: "heatmap",
    x: panel.x.categories,
    y: mark.rows,
    // Colour follows the square root, so that few are told from none; text and hover tell the number.
    z: mark.values.map((values, row) =>
      values.map((value, column) =>
        shown(row, column) && Number.isFinite(value) ? Math.sqrt(Math.max(0, value)) : null,
      ),
    ),
    zmin: 0,
    zmax: Math.sqrt(largest(mark, shown)),
    customdata: mark.values,
    text: mark.values.map((values, row) =>
      values.map((value, column) => (shown(row, column) && value !== 0 ? formatNumber(value) : "")),
    ),
    texttemplate: "%{text}",
    hovertemplate: `${plotlyText(panel.y.label)} %{y}, ${plotlyText(panel.x.label)} %{x}: %{customdata}<extra></extra>`,
    colorscale: colors.map((color, index) => [index / (colors.length - 1), color]),
    showscale: false,
    xgap: 2,
    ygap: 2,
    showlegend: false,
    hoverongaps: false,
  });
  if (!mark.diagonal) return [trace(theme.ramp, () => true)];
  return [
    trace(theme.ramp, (row, column) => row === column),
    trace([theme.ramp[0], theme.accent], (row, column) => row !== column),
  ];
}

/** The largest finite value among some cells, or 1 if none is above nought. */
function largest(mark: MatrixMark, shown: (row: number, column: number) => boolean): number {
  const values = mark.values.flatMap((cells, row) => cells.filter((value, column) => shown(row, column) && value > 0));
  return values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, value) : most), 0) || 1;
}

/** What the pointer is told of bytes; of other values plotly tells itself. */
function hoverOf(values: readonly (number | null)[], panel: Panel, before = ""): Record<string, unknown> {
  if (panel.y.unit !== "bytes") return {};
  return {
    customdata: values.map((value) => (value === null ? "" : formatBytes(value))),
    hovertemplate: `${before}%{customdata}`,
  };
}

/** JSON has no NaN and no infinity; plotly leaves a gap at null. */
function plain(values: readonly (number | null)[]): (number | null)[] {
  return values.map((value) => (Number.isFinite(value) ? value : null));
}

/** Plotly reads a little HTML in its texts. */
function plotlyText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
