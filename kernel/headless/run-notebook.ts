import type { Kernel, KernelMessage } from "@jupyterlab/services";
import type { JsonObject } from "../protocol/index.ts";
import { type CellEnd, CellExecutor } from "./execute-cell.ts";
import { keepSpellings } from "./json-text.ts";
import { type Cell, type CodeCell, type Notebook, tagsOf } from "./notebook.ts";
import type { Outcome } from "./outcome.ts";
import { OutputRecorder } from "./output-recorder.ts";

/** A cell that a run executes, as told to whoever watches. */
export interface CellPlace {
  /** Position among all the notebook's cells, from 0. */
  readonly index: number;
  /** Position among the cells that are executed, from 1. */
  readonly number: number;
  /** How many cells are executed in all. */
  readonly count: number;
  readonly cell: CodeCell;
}

/** What happens during a run, in its order. */
export type RunEvent =
  | { readonly kind: "cell-started"; readonly place: CellPlace }
  | { readonly kind: "message"; readonly place: CellPlace; readonly message: KernelMessage.IIOPubMessage }
  | { readonly kind: "cell-finished"; readonly place: CellPlace; readonly run: CellRun };

/** What came of one executed cell. `tolerated` is an error that the tag `raises-exception` announces. */
export interface CellRun {
  readonly index: number;
  readonly number: number;
  readonly status: "ok" | "tolerated" | "failed" | "interrupted";
  readonly seconds: number;
}

/** The cell that ended a run, and why. */
export interface Failure {
  readonly place: CellPlace;
  readonly ename: string;
  readonly evalue: string;
  /** The lines that the kernel wrote for a person, ANSI colours kept. */
  readonly traceback: readonly string[];
}

/** What a run leaves: the executed notebook is whole whatever the outcome. */
export interface RunResult {
  readonly outcome: Outcome;
  /** The notebook with new outputs; cells that were not reached have none, for old ones would pass for new. */
  readonly notebook: Notebook;
  readonly cells: readonly CellRun[];
  /** Present unless the outcome is `ok`, and a cell had begun. */
  readonly failure?: Failure;
  readonly seconds: number;
}

/** How a notebook is run. */
export interface RunOptions {
  /** Interrupts the running cell and ends the run there. */
  readonly signal?: AbortSignal;
  /** How long an interrupted cell may take to end before the run ends without it. Milliseconds, 5000 by default. */
  readonly graceMilliseconds?: number;
  /** How long each cell may run, in seconds; a cell's tag `timeout=SECONDS` says otherwise. */
  readonly cellSeconds?: number;
  /** How long all cells together may run, in seconds. */
  readonly notebookSeconds?: number;
  /** How many characters all cells together may show. */
  readonly outputBytes?: number;
  readonly onEvent?: (event: RunEvent) => void;
}

/**
 * Executes a notebook's code cells in order on a kernel that was just started, until one fails.
 *
 * A cell tagged `skip-execution`, or empty, keeps what it has. A cell tagged `raises-exception` may fail. The connection
 * stays open; whoever started the kernel ends it.
 */
export async function runNotebook(
  notebook: Notebook,
  connection: Kernel.IKernelConnection,
  options: RunOptions = {},
): Promise<RunResult> {
  return new Run(notebook, connection, options).finish();
}

/** What a run comes to whose kernel was refused: the notebook as it stands before its first cell. */
export function unstarted(notebook: Notebook, reason: string): RunResult {
  const cells = notebook.cells.map(
    (cell): Cell => (isExecuted(cell) ? { ...cell, outputs: [], execution_count: null } : cell),
  );
  const failed = withoutKernel(notebook, "KernelRefused", reason);
  return { outcome: "kernel-died", notebook: { ...notebook, cells }, seconds: 0, ...failed };
}

/** A kernel that never came to the first cell: that cell has failed. */
function withoutKernel(notebook: Notebook, ename: string, evalue: string): Pick<RunResult, "cells" | "failure"> {
  const [place] = executedCells(notebook);
  if (place === undefined) return { cells: [] };
  const { index, number } = place;
  return { cells: [{ index, number, status: "failed", seconds: 0 }], failure: { place, ename, evalue, traceback: [] } };
}

/** The cells of a notebook that a run executes, in order. */
function executedCells(notebook: Notebook): CellPlace[] {
  const executed = notebook.cells.flatMap((cell, index) => (isExecuted(cell) ? [{ cell, index }] : []));
  return executed.map((place, position) => ({ ...place, number: position + 1, count: executed.length }));
}

/** Whether a run executes this cell. */
export function isExecuted(cell: Cell): cell is CodeCell {
  return cell.cell_type === "code" && cell.source.trim() !== "" && !tagsOf(cell).includes("skip-execution");
}

/** The limit that a cell's tag `timeout=SECONDS` sets for it. */
function taggedSeconds(cell: Cell): number | undefined {
  const tag = tagsOf(cell).find((text) => /^timeout=\d+(\.\d+)?$/.test(text));
  return tag === undefined ? undefined : Number(tag.slice("timeout=".length));
}

/** One run: the state between its first cell and its last. */
class Run {
  readonly #notebook: Notebook;
  readonly #options: RunOptions;
  readonly #recorder = new OutputRecorder();
  readonly #executor: CellExecutor;
  readonly #ends = new Map<number, CellEnd>();

  constructor(notebook: Notebook, connection: Kernel.IKernelConnection, options: RunOptions) {
    this.#notebook = notebook;
    this.#options = options;
    this.#executor = new CellExecutor(connection, this.#recorder, options.outputBytes);
  }

  async finish(): Promise<RunResult> {
    const started = performance.now();
    const { outcome, cells, failure, languageInfo } = await this.#execute();
    const seconds = (performance.now() - started) / 1000;
    return { outcome, cells, seconds, notebook: this.#result(languageInfo, failure), ...(failure && { failure }) };
  }

  async #execute(): Promise<Pick<RunResult, "outcome" | "cells" | "failure"> & { languageInfo?: JsonObject }> {
    const { signal } = this.#options;
    const cells: CellRun[] = [];
    const info = await this.#executor.info();
    if (info === undefined) {
      const { lost = "kernel-died", detail } = this.#executor.death ?? {};
      const ename = lost === "out-of-memory" ? "OutOfMemory" : "KernelDied";
      const failed = withoutKernel(this.#notebook, ename, detail ?? "the kernel ended before the first cell");
      return { outcome: outcomeOf(lost), ...failed };
    }
    const languageInfo = info.language_info as unknown as JsonObject;

    const places = executedCells(this.#notebook);
    const limits = [
      this.#options.cellSeconds,
      this.#options.notebookSeconds,
      ...places.map(({ cell }) => taggedSeconds(cell)),
    ];
    if (limits.some((seconds) => seconds !== undefined)) await this.#executor.ready();
    const started = performance.now();
    for (const place of places) {
      if (signal?.aborted) return { outcome: "interrupted", cells, languageInfo };
      this.#tell({ kind: "cell-started", place });
      const began = performance.now();
      const limit = this.#limit(place.cell, (began - started) / 1000);
      const end = await this.#cell(place, limit.seconds);
      const seconds = (performance.now() - began) / 1000;
      const status = statusOf(end, place.cell);
      const run: CellRun = { index: place.index, number: place.number, status, seconds };
      cells.push(run);
      this.#tell({ kind: "cell-finished", place, run });
      if (status === "ok" || status === "tolerated") continue;
      const failure = { place, ...reasonOf(end, limit.what) };
      return { outcome: outcomeOf(end.stopped, failure), cells, languageInfo, failure };
    }
    return { outcome: signal?.aborted ? "interrupted" : "ok", cells, languageInfo };
  }

  /** What time a cell has: the nearer of its own limit and what is left of the notebook's. */
  #limit(cell: CodeCell, spent: number): { readonly seconds: number; readonly what: string } {
    const { cellSeconds = Number.POSITIVE_INFINITY, notebookSeconds = Number.POSITIVE_INFINITY } = this.#options;
    const own = taggedSeconds(cell) ?? cellSeconds;
    const left = notebookSeconds - spent;
    return own <= left
      ? { seconds: own, what: `the cell ran longer than its limit of ${own} s` }
      : { seconds: Math.max(left, 0), what: `the notebook ran longer than its limit of ${notebookSeconds} s` };
  }

  async #cell(place: CellPlace, seconds: number): Promise<CellEnd> {
    const { signal, graceMilliseconds = 5000 } = this.#options;
    const end = await this.#executor.execute(
      place.index,
      { code: place.cell.source, ...{ stop_on_error: !tagsOf(place.cell).includes("raises-exception") } },
      {
        milliseconds: seconds * 1000,
        // A cell that had its time gets no more of it.
        graceMilliseconds: Number.isFinite(seconds) ? Math.min(graceMilliseconds, 1000) : graceMilliseconds,
        onMessage: (message) => this.#tell({ kind: "message", place, message }),
        ...(signal && { signal }),
      },
    );
    this.#ends.set(place.index, end);
    return end;
  }

  /** The notebook as it stands after the run. */
  #result(languageInfo: JsonObject | undefined, failure: Failure | undefined): Notebook {
    const cells = this.#notebook.cells.map((cell, index): Cell => {
      const end = this.#ends.get(index);
      if (!isExecuted(cell)) return cell;
      const outputs = [...(this.#recorder.outputsOf(index) ?? [])];
      if (failure?.place.index === index && !outputs.some(({ output_type: type }) => type === "error")) {
        const { ename, evalue, traceback } = failure;
        outputs.push({ output_type: "error", ename, evalue, traceback: [`${ename}: ${evalue}`, ...traceback] });
      }
      return {
        ...cell,
        outputs,
        execution_count: end?.executionCount ?? null,
        metadata: keepSpellings(cell.metadata, { ...cell.metadata, execution: end?.times }),
      };
    });
    const { metadata } = this.#notebook;
    const named = languageInfo && { language_info: languageInfo };
    return { ...this.#notebook, cells, metadata: keepSpellings(metadata, { ...metadata, ...named }) };
  }

  #tell(event: RunEvent): void {
    this.#options.onEvent?.(event);
  }
}

function statusOf(end: CellEnd, cell: CodeCell): CellRun["status"] {
  if (end.stopped === "interrupted") return end.reply?.status === "ok" ? "ok" : "interrupted";
  if (end.stopped !== null) return end.reply?.status === "ok" && end.stopped === "timeout" ? "ok" : "failed";
  if (end.reply?.status === "ok") return "ok";
  return tagsOf(cell).includes("raises-exception") && !isHeapFull(end) ? "tolerated" : "failed";
}

/** Whether the kernel lived and the realm that ran the cell did not, for want of memory. */
function isHeapFull({ reply }: CellEnd): boolean {
  return reply?.status === "error" && reply.ename === "RealmLost" && reply.evalue.includes("heap was full");
}

function outcomeOf(stopped: CellEnd["stopped"], failure?: Pick<Failure, "ename">): Outcome {
  if (failure?.ename === "OutOfMemory") return "out-of-memory";
  return stopped === null || stopped === "output-limit" ? "cell-error" : stopped;
}

function reasonOf(end: CellEnd, limit: string): Omit<Failure, "place"> {
  const { reply, stopped, detail } = end;
  const said = reply?.status === "error" ? reply : undefined;
  const failure = (ename: string, evalue: string): Omit<Failure, "place"> => ({ ename, evalue, traceback: [] });
  switch (stopped) {
    case "kernel-died":
      return failure("KernelDied", detail ?? "the kernel ended while the cell ran");
    case "out-of-memory":
      return failure("OutOfMemory", detail ?? "the notebook needed more memory than its limit");
    case "timeout":
      return failure("TimeLimit", limit);
    case "output-limit":
      return failure("OutputLimit", "the notebook showed more than its limit; print less, or allow more");
    case "interrupted":
      if (said === undefined) return failure("Interrupted", "the cell did not end when it was interrupted");
  }
  if (said === undefined) return failure("Aborted", "the kernel did not execute the cell");
  if (isHeapFull(end)) return { ename: "OutOfMemory", evalue: said.evalue, traceback: [] };
  return { ename: said.ename, evalue: said.evalue, traceback: said.traceback ?? [] };
}
