import { setTimeout as delay } from "node:timers/promises";
import type { Kernel, KernelMessage } from "@jupyterlab/services";
import type { OutputRecorder } from "./output-recorder.ts";

type Reply = KernelMessage.IExecuteReplyMsg["content"];

/** Why a cell ended without the kernel's own word. */
export type Lost = "kernel-died" | "out-of-memory" | "interrupted" | "timeout" | "output-limit";

/** How a cell ended: with the kernel's reply, or without one. `stopped` says why we interrupted it, if we did. */
export interface CellEnd {
  readonly reply: Reply | null;
  readonly stopped: Lost | null;
  readonly executionCount: number | null;
  /** The moments that nbclient stores, by its names for them. */
  readonly times: Readonly<Record<string, string>>;
  /** What the kernel's owner said about its end, where it ended. */
  readonly detail: string | null;
}

/** What a cell may use, and who watches. */
export interface CellOptions {
  /** Milliseconds until the cell is interrupted; endless by default. */
  readonly milliseconds?: number;
  /** How long an interrupted cell may take to end before it is given up. Milliseconds. */
  readonly graceMilliseconds: number;
  readonly onMessage?: (message: KernelMessage.IIOPubMessage) => void;
  readonly signal?: AbortSignal;
}

/**
 * One kernel, executing one cell after another. Outputs go to the recorder as they arrive; whatever becomes of the cell
 * or the kernel, `execute` resolves.
 */
export class CellExecutor {
  readonly #connection: Kernel.IKernelConnection;
  readonly #recorder: OutputRecorder;
  readonly #outputBytes: number;
  #death: { readonly lost: Lost; readonly detail: string | null } | undefined;
  readonly #died: Promise<void>;

  /** @param outputBytes what all cells together may show, in characters */
  constructor(connection: Kernel.IKernelConnection, recorder: OutputRecorder, outputBytes = Number.POSITIVE_INFINITY) {
    this.#connection = connection;
    this.#recorder = recorder;
    this.#outputBytes = outputBytes;
    this.#died = new Promise((resolve) => {
      connection.anyMessage.connect((_, { msg }) => {
        const content = msg.content as { execution_state?: string; reason?: string; detail?: string };
        if (msg.header.msg_type !== "status" || content.execution_state !== "dead") return;
        const lost = content.reason === "out-of-memory" ? "out-of-memory" : "kernel-died";
        this.#death ??= { lost, detail: content.detail ?? null };
      });
      connection.disposed.connect(() => {
        this.#death ??= { lost: "kernel-died", detail: null };
        resolve();
      });
    });
  }

  /** Whether the kernel is gone, and how. */
  get death(): { readonly lost: Lost; readonly detail: string | null } | undefined {
    return this.#death ?? (this.#connection.isDisposed ? { lost: "kernel-died", detail: null } : undefined);
  }

  /** What the kernel says about itself; undefined where it cannot. */
  async info(): Promise<KernelMessage.IInfoReply | undefined> {
    const info = await Promise.race([this.#connection.info.catch(() => undefined), this.#died]);
    return info ?? undefined;
  }

  /** Resolves when the kernel has loaded all that a cell may use: a cell's time should not count what is not its own. */
  async ready(): Promise<void> {
    if (this.death) return;
    const future = this.#connection.requestExecute({ code: "", silent: true, store_history: false });
    await Promise.race([future.done.catch(() => {}), this.#died]);
  }

  /**
   * Executes one cell.
   *
   * @param index where its outputs belong in the recorder
   * @param request the content of the `execute_request`
   */
  async execute(index: number, request: { readonly code: string }, options: CellOptions): Promise<CellEnd> {
    const { onMessage, signal, milliseconds = Number.POSITIVE_INFINITY, graceMilliseconds } = options;
    this.#recorder.begin(index);
    const times: Record<string, string> = {};
    let executionCount: number | null = null;
    let stopped: Lost | null = null;
    const end = (reply: Reply | null): CellEnd => {
      const lost = reply === null ? (this.death?.lost ?? stopped ?? "kernel-died") : stopped;
      return { reply, stopped: lost, executionCount, times, detail: this.#death?.detail ?? null };
    };
    if (this.death) return end(null);

    const over = new AbortController();
    let giveUp: (nothing: null) => void = () => {};
    const lost = new Promise<null>((resolve) => {
      giveUp = resolve;
      void this.#died.then(() => resolve(null));
    });
    const stop = (why: Lost): void => {
      if (stopped !== null) return;
      stopped = why;
      // An interrupt that cannot be delivered ends the cell as surely as one that is not heard.
      const heard = this.#connection.interrupt().catch(() => giveUp(null));
      void heard
        .then(() => delay(graceMilliseconds, undefined, { signal: over.signal }))
        .then(() => giveUp(null))
        .catch(() => {});
    };
    let id = "";
    // Heard as they arrive: the messages of this cell's execution only, as nbclient does.
    const hear = (_: unknown, { msg, direction }: Kernel.IAnyMessageArgs): void => {
      if (direction !== "recv" || (msg.parent_header as { msg_id?: string }).msg_id !== id) return;
      const content = msg.content as { execution_count?: number; execution_state?: string };
      if (typeof content.execution_count === "number") executionCount = content.execution_count;
      const moment = momentOf(msg.channel, msg.header.msg_type, content.execution_state);
      if (moment !== undefined) times[moment] = timeOf(msg.header.date);
      if (msg.channel !== "iopub") return;
      if (this.#recorder.size < this.#outputBytes) this.#recorder.record(msg as KernelMessage.IIOPubMessage);
      else stop("output-limit");
      onMessage?.(msg as KernelMessage.IIOPubMessage);
    };
    const onAbort = (): void => stop("interrupted");
    const timer = Number.isFinite(milliseconds) ? setTimeout(() => stop("timeout"), milliseconds) : undefined;
    this.#connection.anyMessage.connect(hear);
    signal?.addEventListener("abort", onAbort, { signal: over.signal });
    if (signal?.aborted) onAbort();
    try {
      const future = this.#connection.requestExecute({ allow_stdin: false, store_history: true, ...request });
      id = future.msg.header.msg_id;
      const reply = future.done.then(
        (message) => message.content,
        () => null, // The request was dropped: only the end of the kernel does that.
      );
      return end(await Promise.race([reply, lost]));
    } finally {
      over.abort();
      clearTimeout(timer);
      this.#connection.anyMessage.disconnect(hear);
    }
  }
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
