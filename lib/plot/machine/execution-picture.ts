import { interpolateRgbBasis, scaleLinear } from "d3";
import { type Box, type Canvas, drawBox, drawLine, drawText, fontSize, type Picture } from "../look/canvas.ts";
import { textWidth } from "../look/font-metrics.ts";
import { formatBytes, formatCount, formatNumber, formatPercent, plural } from "../look/format.ts";
import type { Theme } from "../look/theme.ts";
import type { ExecutionPhase, ExecutionProfile } from "./execution-profile.ts";

const phaseNames: readonly ExecutionPhase[] = ["compute", "exchange", "sync"];

/** Phases have the first colours of series; what nobody gains from has the palest. */
function phaseColor(phase: ExecutionPhase, theme: Theme): string {
  return { compute: theme.series[0], exchange: theme.series[1], sync: theme.series[6] }[phase];
}

const width = 852;
const left = 76;
const strip = { x: left, y: 44, width: width - left, height: 70 };
const map = { x: left, y: 150, width: width - left, height: 184 };

/** Where the parts that follow the pointer stand. */
export const executionLayout = { strip, map };
const tableTop = 396;
const rowHeight = 20;

export function executionSummary({
  device,
  cycles,
  clockHz,
  supersteps,
  phases,
  utilisation,
}: ExecutionProfile): string {
  const shares = phaseNames.map((phase) => `${phase} ${formatPercent(phases[phase] / Math.max(1, cycles))}`);
  const time = `${formatNumber((cycles / clockHz) * 1e6)} µs`;
  return `execution on ${device}: ${formatCount(cycles)} cycles (${time}) in ${plural(supersteps, "superstep")}; ${shares.join(", ")}; tiles busy ${formatPercent(utilisation)}`;
}

export function executionPicture(profile: ExecutionProfile): Picture {
  const { cycles, clockHz, supersteps, tileCount, exchangedBytes, utilisation } = profile;
  return {
    title: `Execution on ${profile.device}`,
    subtitle: `${formatCount(cycles)} cycles, ${formatNumber((cycles / clockHz) * 1e6)} µs at ${formatNumber(clockHz / 1e9)} GHz, in ${plural(supersteps, "superstep")}; ${formatBytes(exchangedBytes)} exchanged.\nA phase lasts as long as its slowest tile: on average ${formatPercent(utilisation)} of the time of ${plural(tileCount, "tile")} is work.`,
    width,
    draw(canvas, theme) {
      drawLegend(canvas, profile, theme);
      drawStrip(canvas, profile, theme);
      drawTiles(canvas, profile, theme);
      return drawLongest(canvas, profile, theme);
    },
  };
}

function drawLegend(canvas: Canvas, { phases, cycles }: ExecutionProfile, theme: Theme): void {
  let x = left;
  for (const phase of phaseNames) {
    drawBox(canvas, { x, y: 0, width: 11, height: 11 }, phaseColor(phase, theme), 2);
    const text = `${phase} ${formatPercent(phases[phase] / cycles)}`;
    drawText(canvas, text, x + 17, 10, { fill: theme.text });
    x += 17 + textWidth(text, fontSize.body) + 22;
  }
}

/** Shares of the phases in each piece of time. */
function drawStrip(canvas: Canvas, { columns }: ExecutionProfile, theme: Theme): void {
  drawText(canvas, "What all tiles wait for", strip.x, strip.y - 9, {
    size: fontSize.heading,
    weight: "semibold",
    fill: theme.text,
  });
  const step = strip.width / columns.length;
  for (const phase of phaseNames) {
    const path = columns.map((column, index) => {
      const total = column.compute + column.exchange + column.sync;
      const share = (value: number): number => (total === 0 ? 0 : (value / total) * strip.height);
      const below = phase === "compute" ? 0 : phase === "exchange" ? column.compute : column.compute + column.exchange;
      const height = share(column[phase]);
      if (height === 0) return "";
      return `M${(strip.x + index * step).toFixed(2)} ${(strip.y + strip.height - share(below)).toFixed(2)}v${(-height).toFixed(2)}h${(step + 0.15).toFixed(2)}v${height.toFixed(2)}z`;
    });
    canvas.append("path").attr("d", path.join("")).attr("fill", phaseColor(phase, theme)).attr("data-phase", phase);
  }
  for (const [share, text] of [
    [0, "0"],
    [1, "100 %"],
  ] as const) {
    drawText(canvas, text, strip.x - 8, strip.y + strip.height * (1 - share) + 3.5, {
      size: fontSize.small,
      fill: theme.muted,
      anchor: "end",
    });
  }
}

const shades = 12;

/** How busy the tiles are, a row for each few of them: one path for each of the shades. */
function drawTiles(canvas: Canvas, { busy, tileCount, range }: ExecutionProfile, theme: Theme): void {
  drawText(
    canvas,
    `How busy the tiles are, from idle (${theme.rampNames[0]}) to always (${theme.rampNames[1]})`,
    map.x,
    map.y - 9,
    {
      size: fontSize.heading,
      weight: "semibold",
      fill: theme.text,
    },
  );
  drawHeat(canvas, busy, map, theme);
  for (const row of [0, busy.length - 1]) {
    const tile = row === 0 ? 0 : tileCount - 1;
    const y = map.y + ((row + 0.5) * map.height) / busy.length + 3.5;
    if (row > 0 || busy.length === 1 || tile === 0)
      drawText(canvas, `tile ${formatCount(tile)}`, map.x - 8, y, {
        size: fontSize.small,
        fill: theme.muted,
        anchor: "end",
      });
    if (busy.length === 1) break;
  }
  const bottom = map.y + map.height;
  const x = scaleLinear(range, [map.x, map.x + map.width]);
  for (const tick of x.ticks(6)) {
    const text = formatCount(tick);
    const half = textWidth(text, fontSize.small) / 2;
    drawLine(canvas, [x(tick), bottom], [x(tick), bottom + 4], theme.axis);
    const middle = Math.min(map.x + map.width - half, Math.max(map.x + half, x(tick)));
    drawText(canvas, text, middle, bottom + 16, { size: fontSize.small, fill: theme.muted, anchor: "middle" });
  }
  drawText(canvas, "cycles", map.x - 8, bottom + 16, { size: fontSize.small, fill: theme.muted, anchor: "end" });
}

/** A heat map of shares from 0 to 1, row by row from the top. */
export function drawHeat(canvas: Canvas, values: readonly (readonly number[])[], box: Box, theme: Theme): void {
  const ramp = interpolateRgbBasis([...theme.ramp]);
  drawBox(canvas, box, ramp(0));
  const paths = new Array<string>(shades + 1).fill("");
  const rowHeightHere = box.height / values.length;
  values.forEach((row, rowIndex) => {
    const columnWidth = box.width / row.length;
    for (let column = 0; column < row.length; ) {
      const shade = Math.round(Math.min(1, row[column]) * shades);
      let end = column + 1;
      while (end < row.length && Math.round(Math.min(1, row[end]) * shades) === shade) end++;
      if (shade > 0) {
        const wide = (end - column) * columnWidth;
        paths[shade] +=
          `M${(box.x + column * columnWidth).toFixed(2)} ${(box.y + rowIndex * rowHeightHere).toFixed(2)}h${wide.toFixed(2)}v${rowHeightHere.toFixed(2)}h${(-wide).toFixed(2)}z`;
      }
      column = end;
    }
  });
  paths.forEach((path, shade) => {
    if (path === "") return;
    canvas
      .append("path")
      .attr("d", path)
      .attr("fill", ramp(shade / shades))
      .attr("shape-rendering", "crispEdges");
  });
}

function drawLongest(canvas: Canvas, { longest, cycles }: ExecutionProfile, theme: Theme): number {
  const columns = [
    { title: "Longest supersteps", x: 0, anchor: "start" },
    { title: "times", x: 520, anchor: "end" },
    { title: "cycles", x: 610, anchor: "end" },
    { title: "share", x: 680, anchor: "end" },
    { title: "exchanged", x: 770, anchor: "end" },
    { title: "balance", x: 852, anchor: "end" },
  ] as const;
  for (const { title, x, anchor } of columns) {
    drawText(canvas, title, x, tableTop, { weight: "semibold", fill: theme.text, anchor });
  }
  longest.forEach(({ name, times, cycles: own, exchangedBytes, balance }, row) => {
    const y = tableTop + 8 + (row + 1) * rowHeight - 5;
    drawLine(canvas, [0, y - 14.5], [width, y - 14.5], theme.grid);
    drawText(canvas, name, 0, y, { fill: theme.text, maxWidth: 450, keep: "end" });
    const cells = [formatCount(times), formatCount(own), formatPercent(own / cycles), formatBytes(exchangedBytes)];
    for (const [index, text] of [...cells, balance === 0 ? "–" : formatPercent(balance)].entries()) {
      drawText(canvas, text, columns[index + 1].x, y, { fill: theme.muted, anchor: "end" });
    }
  });
  return tableTop + 8 + longest.length * rowHeight + 2;
}

/** What a tooltip says of a piece of time, and of the tiles of a row of the map if one is pointed at. */
export function describeMoment(
  { columns, names, range, busy, tileCount, clockHz }: ExecutionProfile,
  column: number,
  row: number | null,
): readonly [heading: string, lines: readonly (string | readonly [string, string])[]] {
  const { superstep, name, ...phases } = columns[column];
  const perColumn = (range[1] - range[0]) / columns.length;
  const from = range[0] + column * perColumn;
  const total = phases.compute + phases.exchange + phases.sync;
  const tiles = (each: number): number => Math.floor((each * tileCount) / busy.length);
  return [
    names[name] ?? "nothing",
    [
      `superstep ${formatCount(superstep)}`,
      [
        "cycles",
        `${formatCount(Math.floor(from))} to ${formatCount(Math.ceil(from + perColumn))}, ${formatNumber((from / clockHz) * 1e6)} µs`,
      ],
      ...phaseNames
        .filter((phase) => phases[phase] > 0)
        .map((phase) => [phase, formatPercent(phases[phase] / Math.max(1e-9, total))] as const),
      ...(row === null
        ? []
        : [
            [
              `tiles ${formatCount(tiles(row))} to ${formatCount(tiles(row + 1) - 1)}`,
              `busy ${formatPercent(busy[row][column])}`,
            ] as const,
          ]),
    ],
  ];
}
