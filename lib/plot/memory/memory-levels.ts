import { toBase64 } from "../base64.ts";
import type { MemoryGrid, MemoryWindow, Range } from "./window-data.ts";

/** A window as JSON can hold it. */
export interface StoredWindow extends Omit<MemoryWindow, "grid"> {
  readonly grid: { readonly columns: number; readonly rows: number; readonly cells: string } | null;
}

/** A window with its cells as text. */
export function storeWindow(window: MemoryWindow): StoredWindow {
  const { grid } = window;
  return { ...window, grid: grid && { ...grid, cells: toBase64(grid.cells) } };
}

/** A window as it was before it was stored. */
export function readWindow(stored: StoredWindow): MemoryWindow {
  const { grid } = stored;
  if (grid === null) return { ...stored, grid };
  const cells = Uint8Array.from(atob(grid.cells), (character) => character.charCodeAt(0));
  return { ...stored, grid: { ...grid, cells } };
}

/** A part of a window, as fine as the window is: its borders are moved outward to those of columns and cells. */
export function cropWindow(window: MemoryWindow, steps: Range, addresses: Range): MemoryWindow {
  const columns = window.columns.filter(({ start, end }) => end > steps[0] && start < steps[1]);
  if (columns.length === 0) return window;
  const firstColumn = window.columns.indexOf(columns[0]);
  const { grid } = window;
  const [low, high] = window.addresses;
  const rows = grid?.rows ?? 1;
  const perByte = rows / (high - low);
  const bottom = grid ? Math.max(0, Math.floor((addresses[0] - low) * perByte)) : 0;
  const top = grid ? Math.min(rows, Math.max(bottom + 1, Math.ceil((addresses[1] - low) * perByte))) : 1;
  const shown: Range = grid ? [low + bottom / perByte, low + top / perByte] : addresses;
  const from: Range = [columns[0].start, columns[columns.length - 1].end];
  const buffers = window.buffers.filter(
    ({ start, end, offset, bytes }) =>
      start < from[1] && end > from[0] && offset < shown[1] && offset + bytes > shown[0],
  );
  return {
    ...window,
    steps: from,
    addresses: shown,
    columns,
    phases: window.phases
      .filter(({ start, end }) => start < from[1] && end > from[0])
      .map((run) => ({ ...run, start: Math.max(run.start, from[0]), end: Math.min(run.end, from[1]) })),
    buffers,
    grid: grid && cropGrid(grid, firstColumn, columns.length, rows - top, top - bottom),
  };
}

function cropGrid(grid: MemoryGrid, left: number, columns: number, above: number, rows: number): MemoryGrid {
  const cells = new Uint8Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    const start = (above + row) * grid.columns + left;
    cells.set(grid.cells.subarray(start, start + columns), row * columns);
  }
  return { columns, rows, cells };
}
