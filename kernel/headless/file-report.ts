import type { Difference } from "./compare-outputs.ts";
import type { Notebook } from "./notebook.ts";
import type { FileOutcome } from "./outcome.ts";
import type { RunResult } from "./run-notebook.ts";

/** What became of one notebook file. */
export interface FileReport {
  readonly path: string;
  /** The files that the run wrote: the notebook with its outputs, and its page. */
  readonly executed: string;
  readonly page: string;
  readonly outcome: FileOutcome;
  /** Absent where a stored result was reused. */
  readonly result?: RunResult;
  readonly notebook: Notebook;
  readonly cached: boolean;
  readonly attempts: number;
  /** Cells with stored outputs that were compared, and those that differ. */
  readonly compared: number;
  readonly differences: readonly Difference[];
}
