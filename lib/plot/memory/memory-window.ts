import type { BufferLabel, MemoryCategory, MemoryReport, StepLabel } from "../../memory/index.ts";
import type { Phase } from "../look/theme.ts";
import { stackedCategories } from "./composition.ts";
import { rasteriseBuffers } from "./memory-grid.ts";
import { ReportIndex } from "./report-index.ts";
import type { MemoryColumn, MemoryWindow, PhaseRun, Range } from "./window-data.ts";

/** How finely a window is cut. */
export interface WindowResolution {
  readonly columns: number;
  readonly rows: number;
  /** With more buffers than these a window has a grid, and names the largest only. */
  readonly buffers: number;
}

/** Two pixels of a fine screen for one of the drawing. */
export const drawingResolution: WindowResolution = { columns: 1048, rows: 420, buffers: 12_000 };

/** So many of each column's buffers are named where there are too many to name all. */
const namedPerColumn = 8;
/** More changes of phase than a drawing can show are told column by column. */
const mostRuns = 2000;

const indices = new WeakMap<MemoryReport, ReportIndex>();

/** What is added up once for a report, however often it is looked at. */
function indexOf(report: MemoryReport): ReportIndex {
  let index = indices.get(report);
  if (index === undefined) indices.set(report, (index = new ReportIndex(report)));
  return index;
}

/**
 * A part of a report at the resolution of a drawing. Nothing is dropped: of the steps of a column the fullest and the
 * emptiest count, every buffer is in `buffers` or in the grid, where it colours a cell at least.
 *
 * Cost: O(steps + buffers log buffers) the first time, O(steps + buffers) each time after it.
 */
export function windowOf(
  report: MemoryReport,
  resolution: WindowResolution = drawingResolution,
  steps: Range = [0, report.steps.length],
  addresses: Range = [0, Math.max(report.arenaBytes, 1)],
): MemoryWindow {
  const index = indexOf(report);
  const columns = cutColumns(report, index, steps, resolution.columns);
  const inside = report.buffers.filter(
    ({ start, end, offset, bytes }) =>
      start < steps[1] && end > steps[0] && offset < addresses[1] && offset + bytes > addresses[0],
  );
  const all = inside.length <= resolution.buffers;
  return {
    kind: "memory-window",
    title: report.title,
    stepCount: report.steps.length,
    bufferCount: report.buffers.length,
    arenaBytes: report.arenaBytes,
    peak: { ...report.peak, label: report.steps[report.peak.step] },
    steps,
    addresses,
    columns,
    phases: phasesOf(report, steps, columns),
    buffers: all ? inside : largestOfColumns(index, columns),
    inside: inside.length,
    grid: all ? null : rasteriseBuffers(inside, steps, addresses, columns.length, resolution.rows),
  };
}

function cutColumns(report: MemoryReport, index: ReportIndex, [first, last]: Range, most: number): MemoryColumn[] {
  const count = Math.min(last - first, most);
  return Array.from({ length: count }, (_, column) => {
    const start = first + Math.floor((column * (last - first)) / count);
    const end = first + Math.floor(((column + 1) * (last - first)) / count);
    let step = start;
    let least = index.totals[start];
    let begins = 0;
    for (let each = start; each < end; each++) {
      if (index.totals[each] > index.totals[step]) step = each;
      least = Math.min(least, index.totals[each]);
      begins += index.begins[each];
    }
    const live = Object.fromEntries(stackedCategories.map((category) => [category, report.live[category][step]]));
    return {
      start,
      end,
      step,
      label: report.steps[step],
      live: live as Record<MemoryCategory, number>,
      least,
      alive: index.alive[step],
      begins,
    };
  });
}

/** Runs of one phase; where they change faster than pixels, the phase of most steps of each column. */
function phasesOf(report: MemoryReport, [first, last]: Range, columns: readonly MemoryColumn[]): readonly PhaseRun[] {
  const runs = phaseRuns(report.steps.slice(first, last), first);
  if (runs.length <= mostRuns) return runs;
  return joinRuns(
    columns.map(({ start, end }) => {
      const counts = new Map<Phase, number>();
      for (const { phase } of report.steps.slice(start, end)) counts.set(phase, (counts.get(phase) ?? 0) + 1);
      const [[phase]] = [...counts].sort(([, a], [, b]) => b - a);
      return { phase, start, end };
    }),
  );
}

/** Runs of steps of the same phase, half-open. */
export function phaseRuns(steps: readonly StepLabel[], first = 0): PhaseRun[] {
  return joinRuns(steps.map(({ phase }, index) => ({ phase, start: first + index, end: first + index + 1 })));
}

function joinRuns(pieces: readonly PhaseRun[]): PhaseRun[] {
  const runs: { phase: Phase; start: number; end: number }[] = [];
  for (const piece of pieces) {
    const last = runs.at(-1);
    if (last?.phase === piece.phase) last.end = piece.end;
    else runs.push({ ...piece });
  }
  return runs;
}

/** The largest buffers that are alive at the fullest step of each column, each once. */
function largestOfColumns({ report, bySize }: ReportIndex, columns: readonly MemoryColumn[]): BufferLabel[] {
  const moments = columns.map(({ step }) => step);
  const counts = new Uint8Array(columns.length);
  // The next column from each on that still takes names; joined as columns fill, so that full ones are not visited again.
  const next = Int32Array.from({ length: columns.length + 1 }, (_, column) => column);
  const open = (column: number): number => {
    while (next[column] !== column) column = next[column] = next[next[column]];
    return column;
  };
  const named: BufferLabel[] = [];
  let left = columns.length;
  for (let place = 0; place < bySize.length && left > 0; place++) {
    const buffer = report.buffers[bySize[place]];
    const from = lowerBound(moments, buffer.start);
    const to = lowerBound(moments, buffer.end);
    let column = open(from);
    if (column >= to) continue;
    named.push(buffer);
    for (; column < to; column = open(column + 1)) {
      if (++counts[column] < namedPerColumn) continue;
      next[column] = column + 1;
      left--;
    }
  }
  return named;
}

/** The position of the first of some rising numbers that is at least `value`. */
export function lowerBound(numbers: readonly number[], value: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
