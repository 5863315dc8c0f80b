import { setTimeout as delay } from "node:timers/promises";
import type { Kernel, KernelMessage } from "@jupyterlab/services";
import type { JsonObject } from "../protocol/index.ts";
import { keepSpellings } from "./json-text.ts";
import { type Cell, type CodeCell, type Notebook, tagsOf } from "./notebook.ts";
import { OutputRecorder } from "./output-recorder.ts";

/** How a run of a notebook ended. */
export type Outcome = "ok" | "cell-error" | "interrupted" | "kernel-died";

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

/** The cells of a notebook that a run executes, in order. */
function executedCells(notebook: Notebook): CellPlace[] {
  const executed = notebook.cells.flatMap((cell, index) => (isExecuted(cell) ? [{ cell, index }] : []));
  return executed.map((place, position) => ({ ...place, number: position + 1, count: executed.length }));
}

function isExecuted(cell: Cell): cell is CodeCell {
  return cell.cell_type === "code" && cell.source.trim() !== "" && !tagsOf(cell).includes("skip-execution");
}

type Reply = KernelMessage.IExecuteReplyMsg["content"];
/** How a cell ended: with the kernel's reply, or without one. */
type Ending = Reply | "kernel-died" | "interrupted";
type Times = { [moment: string]: string };

/** One run: the state between its first cell and its last. */
class Run {
  readonly #notebook: Notebook;
  readonly #connection: Kernel.IKernelConnection;
  readonly #options: RunOptions;
  readonly #recorder = new OutputRecorder();
  readonly #executed = new Map<number, { executionCount: number | null; times: Times }>();
  /** Resolves when waiting has become pointless: the kernel is gone, or an interrupt found no ear. */
  readonly #lost: Promise<"kernel-died" | "interrupted">;
  readonly #ended = new AbortController();

  constructor(notebook: Notebook, connection: Kernel.IKernelConnection, options: RunOptions) {
    this.#notebook = notebook;
    this.#connection = connection;
    this.#options = options;
    this.#lost = new Promise((resolve) => {
      connection.disposed.connect(() => resolve("kernel-died"));
      const interrupt = async (): Promise<void> => {
        await connection.interrupt();
        await delay(options.graceMilliseconds ?? 5000, undefined, { signal: this.#ended.signal });
        resolve("interrupted");
      };
      const { signal } = options;
      // An interrupt that cannot be delivered ends the run as surely as one that is not heard.
      const onAbort = (): void => void interrupt().catch(() => resolve("interrupted"));
      signal?.addEventListener("abort", onAbort, { signal: this.#ended.signal });
      if (signal?.aborted) onAbort();
    });
  }

  async finish(): Promise<RunResult> {
    const started = performance.now();
    try {
      const { outcome, cells, failure, languageInfo } = await this.#execute();
      const seconds = (performance.now() - started) / 1000;
      return { outcome, cells, seconds, notebook: this.#result(languageInfo), ...(failure && { failure }) };
    } finally {
      this.#ended.abort();
    }
  }

  async #execute(): Promise<Pick<RunResult, "outcome" | "cells" | "failure"> & { languageInfo?: JsonObject }> {
    const { signal } = this.#options;
    const cells: CellRun[] = [];
    const info = await Promise.race([this.#connection.info, this.#lost]);
    if (typeof info === "string") return { outcome: info, cells };
    const languageInfo = info.language_info as unknown as JsonObject;

    for (const place of executedCells(this.#notebook)) {
      if (signal?.aborted) return { outcome: "interrupted", cells, languageInfo };
      this.#tell({ kind: "cell-started", place });
      const started = performance.now();
      const ended = await this.#cell(place);
      const seconds = (performance.now() - started) / 1000;
      const status = statusOf(ended, place.cell, signal?.aborted === true);
      const run: CellRun = { index: place.index, number: place.number, status, seconds };
      cells.push(run);
      this.#tell({ kind: "cell-finished", place, run });
      if (status === "ok" || status === "tolerated") continue;
      const outcome = ended === "kernel-died" ? ended : status === "interrupted" ? status : "cell-error";
      return { outcome, cells, languageInfo, failure: { place, ...reasonOf(ended) } };
    }
    return { outcome: signal?.aborted ? "interrupted" : "ok", cells, languageInfo };
  }

  /** Executes one cell and gives the kernel's reply, or why there is none. */
  async #cell(place: CellPlace): Promise<Ending> {
    const { cell, index } = place;
    this.#recorder.begin(index);
    const executed: { executionCount: number | null; times: Times } = { executionCount: null, times: {} };
    this.#executed.set(index, executed);
    const request = {
      code: cell.source,
      store_history: true,
      allow_stdin: false,
      stop_on_error: !tagsOf(cell).includes("raises-exception"),
    };
    if (this.#connection.isDisposed) return "kernel-died";
    let id = "";
    // Heard as they arrive: the messages of this cell's execution only, as nbclient does.
    const hear = (_: unknown, { msg, direction }: Kernel.IAnyMessageArgs): void => {
      if (direction !== "recv" || (msg.parent_header as { msg_id?: string }).msg_id !== id) return;
      const content = msg.content as { execution_count?: number; execution_state?: string };
      if (typeof content.execution_count === "number") executed.executionCount = content.execution_count;
      const moment = momentOf(msg.channel, msg.header.msg_type, content.execution_state);
      if (moment !== undefined) executed.times[moment] = timeOf(msg.header.date);
      if (msg.channel !== "iopub") return;
      this.#recorder.record(msg as KernelMessage.IIOPubMessage);
      this.#tell({ kind: "message", place, message: msg as KernelMessage.IIOPubMessage });
    };
    this.#connection.anyMessage.connect(hear);
    try {
      const future = this.#connection.requestExecute(request);
      id = future.msg.header.msg_id;
      const reply = future.done.then(
        (message) => message.content,
        () => "kernel-died" as const, // The request was dropped: only the end of the kernel does that.
      );
      return await Promise.race([reply, this.#lost]);
    } finally {
      this.#connection.anyMessage.disconnect(hear);
    }
  }

  /** The notebook as it stands after the run. */
  #result(languageInfo: JsonObject | undefined): Notebook {
    const cells = this.#notebook.cells.map((cell, index): Cell => {
      const executed = this.#executed.get(index);
      if (!isExecuted(cell)) return cell;
      return {
        ...cell,
        outputs: this.#recorder.outputsOf(index) ?? [],
        execution_count: executed?.executionCount ?? null,
        metadata: keepSpellings(cell.metadata, { ...cell.metadata, execution: executed?.times }),
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

function statusOf(ended: Ending, cell: CodeCell, isInterrupted: boolean): CellRun["status"] {
  if (typeof ended === "object" && ended.status === "ok") return "ok";
  if (ended === "kernel-died") return "failed";
  if (isInterrupted) return "interrupted";
  return tagsOf(cell).includes("raises-exception") ? "tolerated" : "failed";
}

function reasonOf(ended: Ending): Omit<Failure, "place"> {
  if (ended === "kernel-died") {
    return { ename: "KernelDied", evalue: "the kernel ended while the cell ran", traceback: [] };
  }
  if (ended === "interrupted") {
    return { ename: "Interrupted", evalue: "the cell did not end when it was interrupted", traceback: [] };
  }
  if (ended.status === "error") {
    return { ename: ended.ename, evalue: ended.evalue, traceback: ended.traceback ?? [] };
  }
  return { ename: "Aborted", evalue: "the kernel did not execute the cell", traceback: [] };
}

/** The name under which nbclient stores the time of a message, if it stores it. */
function momentOf(channel: string, type: string, state: string | undefined): string | undefined {
  if (channel === "shell" && type === "execute_reply") return "shell.execute_reply";
  if (channel !== "iopub") return undefined;
  if (type === "execute_input") return "iopub.execute_input";
  return type === "status" && (state === "busy" || state === "idle") ? `iopub.status.${state}` : undefined;
}

function timeOf(date: string | undefined): string {
  const time = new Date(date ?? Number.NaN);
  return (Number.isNaN(time.valueOf()) ? new Date() : time).toISOString();
}
