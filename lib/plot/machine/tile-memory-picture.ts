import type { TileMemory } from "../../simulator/index.ts";
import { drawBox, drawLine, drawText, fontSize, type Picture } from "../look/canvas.ts";
import { formatBytes, formatCount, formatPercent, plural } from "../look/format.ts";
import { drawHeat } from "./execution-picture.ts";

/** Each tile's memory in as many pieces as a picture can show: plain data. */
export interface TileMemoryProfile {
  readonly kind: "tile-memory";
  readonly device: string;
  readonly tileCount: number;
  readonly bytesPerTile: number;
  readonly steps: number;
  /** `filled[row][column]`: the fullest tile of the row in any step of the column, as a share of a tile's memory. */
  readonly filled: readonly (readonly number[])[];
  /** How many tiles have their peak in each twentieth of a tile's memory; the last entry counts those above all of it. */
  readonly histogram: readonly number[];
  readonly fullestTile: number;
  readonly fullestBytes: number;
  /** Of the fullest tile when it is fullest. */
  readonly categories: readonly { readonly name: string; readonly bytes: number }[];
  /** Sum of the peaks of all tiles. */
  readonly totalBytes: number;
}

const mostColumns = 160;
const mostRows = 46;
const classes = 20;

/** Adds up each tile's memory step by step. Cost: O(steps · tiles). */
export function profileTileMemory(memory: TileMemory): TileMemoryProfile {
  const { steps, bytesPerTile, peak } = memory;
  const tileCount = peak.length;
  const fixed = (tile: number): number =>
    memory.alwaysLive[tile] +
    memory.vertexState[tile] +
    memory.vertexCode[tile] +
    memory.exchangeCode[tile] +
    memory.controlCode[tile];
  const columnCount = Math.max(1, Math.min(mostColumns, steps.length));
  const rowCount = Math.max(1, Math.min(mostRows, tileCount));
  const filled = Array.from({ length: rowCount }, () => new Array<number>(columnCount).fill(0));
  const fullestTile = peak.reduce((fullest, bytes, tile) => (bytes > peak[fullest] ? tile : fullest), 0);
  let fullestStep = 0;
  let fullestOwn = -1;
  steps.forEach(({ variables, exchange }, step) => {
    const column = Math.floor((step * columnCount) / steps.length);
    for (let tile = 0; tile < tileCount; tile++) {
      const row = filled[Math.floor((tile * rowCount) / tileCount)];
      row[column] = Math.max(row[column], (fixed(tile) + variables[tile] + exchange[tile]) / bytesPerTile);
    }
    const own = variables[fullestTile] + exchange[fullestTile];
    if (own > fullestOwn) [fullestOwn, fullestStep] = [own, step];
  });
  const histogram = new Array<number>(classes + 1).fill(0);
  for (const bytes of peak) histogram[Math.min(classes, Math.floor((bytes / bytesPerTile) * classes))]++;
  const step = steps[fullestStep];
  return {
    kind: "tile-memory",
    device: memory.device,
    tileCount,
    bytesPerTile,
    steps: steps.length,
    filled,
    histogram,
    fullestTile,
    fullestBytes: peak[fullestTile] ?? 0,
    categories: [
      { name: "variables always there", bytes: memory.alwaysLive[fullestTile] ?? 0 },
      { name: "variables of the step", bytes: step?.variables[fullestTile] ?? 0 },
      { name: "exchange buffers", bytes: step?.exchange[fullestTile] ?? 0 },
      { name: "vertex state", bytes: memory.vertexState[fullestTile] ?? 0 },
      { name: "vertex code", bytes: memory.vertexCode[fullestTile] ?? 0 },
      { name: "exchange code", bytes: memory.exchangeCode[fullestTile] ?? 0 },
      { name: "control code", bytes: memory.controlCode[fullestTile] ?? 0 },
    ],
    totalBytes: peak.reduce((sum, bytes) => sum + bytes, 0),
  };
}

export function tileMemorySummary(profile: TileMemoryProfile): string {
  const { device, fullestTile, fullestBytes, bytesPerTile, totalBytes, tileCount } = profile;
  return `memory of ${plural(tileCount, "tile")} of ${device}: tile ${fullestTile} is fullest with ${formatBytes(fullestBytes)}, ${formatPercent(fullestBytes / bytesPerTile)} of what it has; ${formatBytes(totalBytes)} on all tiles at their peaks`;
}

const width = 852;
const map = { x: 76, y: 26, width: 490, height: 250 };
const side = { x: 610, y: 26, width: 242, height: 250 };

export function tileMemoryPicture(profile: TileMemoryProfile): Picture {
  const { device, bytesPerTile, tileCount, steps, fullestTile, fullestBytes } = profile;
  const over = profile.histogram[classes];
  return {
    title: `Memory of tiles: ${device}`,
    subtitle: `${formatBytes(bytesPerTile)} on each of ${plural(tileCount, "tile")}; the fullest, tile ${fullestTile}, needs ${formatBytes(fullestBytes)}, ${formatPercent(fullestBytes / bytesPerTile)} of it.${over > 0 ? ` ${plural(over, "tile")} would need all of it or more.` : ""}`,
    width,
    draw(canvas, theme) {
      const heading = { size: fontSize.heading, weight: "semibold", fill: theme.text } as const;
      drawText(
        canvas,
        `What tiles need at each step, from nothing (${theme.rampNames[0]}) to the fullest tile (${theme.rampNames[1]})`,
        map.x,
        map.y - 10,
        heading,
      );
      const fullest = Math.max(...profile.filled.map((row) => Math.max(...row)), 1e-9);
      const shares = profile.filled.map((row) => row.map((share) => share / fullest));
      drawHeat(canvas, shares, map, theme);
      const small = { size: fontSize.small, fill: theme.muted } as const;
      drawText(canvas, "tile 0", map.x - 8, map.y + 8, { ...small, anchor: "end" });
      if (tileCount > 1) {
        drawText(canvas, `tile ${formatCount(tileCount - 1)}`, map.x - 8, map.y + map.height, {
          ...small,
          anchor: "end",
        });
      }
      drawText(canvas, "step 0", map.x, map.y + map.height + 16, small);
      if (steps > 1) {
        drawText(canvas, formatCount(steps - 1), map.x + map.width, map.y + map.height + 16, {
          ...small,
          anchor: "end",
        });
      }

      drawText(canvas, "Tiles by their peak", side.x, side.y - 10, heading);
      const most = Math.max(1, ...profile.histogram);
      const step = (side.width - 40) / classes;
      const plot = 106;
      profile.histogram.forEach((count, index) => {
        const height = (count / most) * (plot - 14);
        const color = index === classes ? theme.accent : theme.series[0];
        drawBox(canvas, { x: side.x + index * step + 0.5, y: side.y + plot - height, width: step - 1, height }, color);
      });
      drawLine(canvas, [side.x, side.y + plot], [side.x + side.width, side.y + plot], theme.axis);
      const limit = side.x + classes * step;
      drawLine(canvas, [limit, side.y + 4], [limit, side.y + plot], theme.accent, { dash: "3 3" });
      drawText(canvas, "0", side.x, side.y + plot + 15, small);
      drawText(canvas, formatBytes(bytesPerTile), limit, side.y + plot + 15, { ...small, anchor: "middle" });
      const commonest = profile.histogram.indexOf(most);
      const middle = side.x + Math.max(18, Math.min(side.width - 18, (commonest + 0.5) * step));
      drawText(canvas, formatCount(most), middle, side.y + 10, { ...small, anchor: "middle" });

      let y = side.y + plot + 44;
      drawText(canvas, `Tile ${fullestTile} when it is fullest`, side.x, y, heading);
      for (const { name, bytes } of profile.categories) {
        y += 18;
        drawText(canvas, name, side.x, y, { fill: bytes > 0 ? theme.text : theme.muted });
        drawText(canvas, bytes > 0 ? formatBytes(bytes) : "–", side.x + side.width, y, {
          fill: theme.muted,
          anchor: "end",
        });
      }
      return Math.max(map.y + map.height + 20, y + 4);
    },
  };
}
