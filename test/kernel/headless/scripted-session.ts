import type { Channel, JsonObject, Message } from "../../../kernel/protocol/index.ts";
import type { KernelSession, MessageListener } from "../../../kernel/session/index.ts";

/** One step of a scripted cell: a message to publish, by type and content, or one of the words below. */
export type Step =
  | readonly [type: string, content: JsonObject]
  /** Ends the cell with this reply instead of `ok`. */
  | readonly ["reply", JsonObject]
  /** Runs until interrupted, then ends the cell with an error. */
  | readonly ["wait"]
  /** Runs forever, deaf to interrupts. */
  | readonly ["deaf"];

/** The source of a cell that makes the scripted session go through these steps. */
export function script(...steps: readonly Step[]): string {
  return JSON.stringify(steps);
}

/**
 * A session without a language: each cell's source is the list of the messages that it publishes. Stands in for the
 * kernel where a test is about what the runner makes of messages.
 */
export class ScriptedSession implements KernelSession {
  readonly shutdownRequested = new Promise<never>(() => {});
  /** The requests for execution so far. */
  readonly requests: JsonObject[] = [];
  isShutDown = false;
  readonly #listeners = new Set<MessageListener>();
  #onInterrupt: (() => void) | undefined;
  #isInterrupted = false;
  #count = 0;

  handle(channel: Exclude<Channel, "iopub">, request: Message<JsonObject>): void {
    const send = (to: Channel, type: string, content: JsonObject): void => {
      const header = {
        ...request.header,
        msg_id: crypto.randomUUID(),
        msg_type: type,
        date: "2026-01-02T03:04:05.678Z",
      };
      const message = { header, parent_header: request.header, metadata: {}, content, buffers: [] };
      for (const listener of this.#listeners) listener(to, message);
    };
    send("iopub", "status", { execution_state: "busy" });
    if (request.header.msg_type === "kernel_info_request") {
      send(channel, "kernel_info_reply", { status: "ok", language_info: { name: "typescript", version: "6.0.3" } });
    } else if (request.header.msg_type === "execute_request") {
      this.requests.push(request.content);
      void this.#execute(String(request.content.code), send).then((reply) => {
        send(channel, "execute_reply", { ...reply, execution_count: this.#count });
        send("iopub", "status", { execution_state: "idle" });
      });
      return;
    }
    send("iopub", "status", { execution_state: "idle" });
  }

  async #execute(code: string, send: (to: Channel, type: string, content: JsonObject) => void): Promise<JsonObject> {
    this.#count++;
    this.#isInterrupted = false;
    send("iopub", "execute_input", { code, execution_count: this.#count });
    for (const [type, content] of JSON.parse(code) as readonly Step[]) {
      if (type === "reply") return content as JsonObject;
      if (type === "deaf") await new Promise(() => {});
      if (type === "wait") {
        await new Promise<void>((resolve) => {
          this.#onInterrupt = resolve;
          if (this.#isInterrupted) resolve();
        });
        const error = { ename: "Interrupted", evalue: "stopped", traceback: ["Interrupted: stopped"] };
        send("iopub", "error", error);
        return { status: "error", ...error };
      }
      send("iopub", type, content as JsonObject);
    }
    return { status: "ok" };
  }

  onMessage(listener: MessageListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  interrupt(): void {
    this.#isInterrupted = true;
    this.#onInterrupt?.();
  }

  async restart(): Promise<void> {
    this.#count = 0;
  }

  async shutdown(): Promise<void> {
    this.isShutDown = true;
  }
}
