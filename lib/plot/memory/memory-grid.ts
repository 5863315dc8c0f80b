import type { BufferLabel } from "../../memory/index.ts";
import { stackedCategories } from "./composition.ts";
import type { MemoryGrid, Range } from "./window-data.ts";

/** Shades of a cell from hardly filled to full. */
export const gridLevels = 16;

/**
 * Adds up which share of each cell every category fills. What is smaller than a cell still colours it, so that none of a
 * million buffers is lost.
 *
 * Cost: O(rows that a buffer touches), summed over buffers, and O(cells).
 */
export function rasteriseBuffers(
  buffers: readonly BufferLabel[],
  [firstStep, lastStep]: Range,
  [low, high]: Range,
  columns: number,
  rows: number,
): MemoryGrid {
  const perStep = columns / (lastStep - firstStep);
  const perByte = rows / (high - low);
  const cells = new Uint8Array(columns * rows);
  const most = new Float32Array(columns * rows);
  const total = new Float32Array(columns * rows);
  // Running sums along each row: of what is filled, and of how many buffers touch a cell, which is exact.
  const changes = new Float64Array((columns + 1) * rows);
  const touches = new Int32Array((columns + 1) * rows);
  stackedCategories.forEach((category, place) => {
    changes.fill(0);
    touches.fill(0);
    let used = false;
    for (const buffer of buffers) {
      if (buffer.category !== category) continue;
      used = true;
      const left = Math.max(0, (buffer.start - firstStep) * perStep);
      const right = Math.min(columns, (buffer.end - firstStep) * perStep);
      const bottom = Math.max(0, (buffer.offset - low) * perByte);
      const top = Math.min(rows, (buffer.offset + buffer.bytes - low) * perByte);
      const lastRow = Math.min(rows - 1, Math.max(Math.floor(bottom), Math.ceil(top) - 1));
      for (let row = Math.floor(bottom); row <= lastRow; row++) {
        const height = Math.min(top, row + 1) - Math.max(bottom, row);
        const base = row * (columns + 1);
        const first = Math.min(columns - 1, Math.floor(left));
        const last = Math.max(first, Math.ceil(right) - 1);
        spread(changes, base + first, base + last, left - first, right - last, height);
        touches[base + first]++;
        touches[base + last + 1]--;
      }
    }
    if (!used) return;
    for (let row = 0; row < rows; row++) {
      // Rows of the grid go down, addresses up.
      const target = (rows - 1 - row) * columns;
      let filled = 0;
      let touching = 0;
      for (let column = 0; column < columns; column++) {
        filled += changes[row * (columns + 1) + column];
        touching += touches[row * (columns + 1) + column];
        if (touching === 0) continue;
        const cell = target + column;
        total[cell] += filled;
        if (cells[cell] > 0 && filled <= most[cell]) continue;
        most[cell] = filled;
        cells[cell] = 1 + place * gridLevels;
      }
    }
  });
  for (let cell = 0; cell < cells.length; cell++) {
    if (cells[cell] === 0) continue;
    cells[cell] += Math.max(0, Math.min(gridLevels - 1, Math.ceil(total[cell] * gridLevels - 1e-6) - 1));
  }
  return { columns, rows, cells };
}

/**
 * Adds a rectangle to running sums: all of its height to the cells between, and of the first and the last the part that it
 * covers, from `begin` on and up to `end`.
 */
function spread(changes: Float64Array, first: number, last: number, begin: number, end: number, height: number): void {
  if (first === last) {
    changes[first] += (end - begin) * height;
    changes[first + 1] -= (end - begin) * height;
    return;
  }
  changes[first] += (1 - begin) * height;
  changes[first + 1] += begin * height;
  changes[last] -= (1 - end) * height;
  changes[last + 1] -= end * height;
}
