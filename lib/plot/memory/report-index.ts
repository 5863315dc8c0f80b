import type { MemoryReport } from "../../memory/index.ts";
import { stackedCategories } from "./composition.ts";

/** Sums over a report, step by step, and its buffers by size: what every look at a part of it needs. */
export class ReportIndex {
  readonly report: MemoryReport;
  /** Live bytes of each step. */
  readonly totals: Float64Array;
  /** Buffers alive at each step. */
  readonly alive: Int32Array;
  /** Buffers whose life begins at each step. */
  readonly begins: Int32Array;
  /** Positions of buffers, the largest first. */
  readonly bySize: Uint32Array;

  constructor(report: MemoryReport) {
    const { steps, buffers, live } = report;
    this.report = report;
    this.totals = new Float64Array(steps.length);
    for (const category of stackedCategories) {
      const bytes = live[category];
      for (let step = 0; step < steps.length; step++) this.totals[step] += bytes[step];
    }
    this.begins = new Int32Array(steps.length + 1);
    this.alive = new Int32Array(steps.length + 1);
    for (const { start, end } of buffers) {
      this.begins[start]++;
      this.alive[start]++;
      this.alive[end]--;
    }
    for (let step = 1; step < steps.length; step++) this.alive[step] += this.alive[step - 1];
    this.bySize = Uint32Array.from(buffers.keys()).sort((a, b) => buffers[b].bytes - buffers[a].bytes || a - b);
  }
}
