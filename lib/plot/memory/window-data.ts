import type { BufferLabel, MemoryCategory, MemoryReport, StepLabel } from "../../memory/index.ts";
import type { Phase } from "../look/theme.ts";

/** Steps across, addresses upward from the last row, in cells that tell what fills most of them, and how much is filled. */
export interface MemoryGrid {
  readonly columns: number;
  readonly rows: number;
  /**
   * One number a cell, row by row from the highest addresses: 0 where nothing lies, else 1 + 16 · category + level; the
   * category's place in `stackedCategories`, the level from 0, hardly anything, to 15, all of the cell.
   */
  readonly cells: Uint8Array;
}

/** From the first to before the last. */
export type Range = readonly [start: number, end: number];

/** One step, or the steps that share a column of pixels, of which the fullest is told. */
export interface MemoryColumn {
  readonly start: number;
  readonly end: number;
  /** The fullest of its steps, with its label and its live bytes. */
  readonly step: number;
  readonly label: StepLabel;
  readonly live: Readonly<Record<MemoryCategory, number>>;
  /** Live bytes of its emptiest step. */
  readonly least: number;
  /** Buffers alive at its fullest step. */
  readonly alive: number;
  /** Buffers whose life begins in it: over all columns each buffer counts once. */
  readonly begins: number;
}

/** Steps of one phase without a break, half-open. */
export interface PhaseRun {
  readonly phase: Phase;
  readonly start: number;
  readonly end: number;
}

/** A part of a memory report, or all of it, at the resolution of a drawing: plain data of a bounded size. */
export interface MemoryWindow {
  readonly kind: "memory-window";
  readonly title: string;
  /** Of the whole report. */
  readonly stepCount: number;
  readonly bufferCount: number;
  readonly arenaBytes: number;
  readonly peak: MemoryReport["peak"] & { readonly label: StepLabel };
  /** What the window shows of it. */
  readonly steps: Range;
  readonly addresses: Range;
  readonly columns: readonly MemoryColumn[];
  readonly phases: readonly PhaseRun[];
  /** Buffers by name: all of the window, or where those are too many the largest of each column. */
  readonly buffers: readonly BufferLabel[];
  /** How many buffers lie in the window, at least in part. */
  readonly inside: number;
  /** Every buffer of the window as shares of the cells of a grid; null where `buffers` are all. */
  readonly grid: MemoryGrid | null;
}
