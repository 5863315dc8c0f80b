import type { KernelMessage } from "@jupyterlab/services";
import type { JsonObject, MimeBundle } from "../protocol/index.ts";
import type { DisplayOutput, Output, ResultOutput } from "./notebook.ts";

type Shown =
  | { -readonly [Key in keyof DisplayOutput]: DisplayOutput[Key] }
  | { -readonly [Key in keyof ResultOutput]: ResultOutput[Key] };

/**
 * Turns the messages that a kernel publishes into the outputs that a notebook stores, by nbclient's rules: a display
 * id updates every output shown under it so far, in whatever cell; `clear_output` clears at once or, with `wait`,
 * when the next output comes. One rule differs: adjacent pieces of one stream become one output, as in JupyterLab.
 * nbclient keeps a piece for each message, and then the file depends on when the kernel happened to flush.
 */
export class OutputRecorder {
  readonly #outputs = new Map<number, Output[]>();
  /** By display id: the outputs shown under it, each with the cell it stands in. */
  readonly #displays = new Map<string, { readonly cell: number; readonly output: Shown }[]>();
  #cell = -1;
  #clearBeforeNext = false;
  #size = 0;

  /** Begins the outputs of the cell at `index`, which start empty. */
  begin(index: number): void {
    this.#cell = index;
    this.#clearBeforeNext = false;
    this.#clear();
  }

  /** The outputs of the cell at `index` as they stand now, or nothing if that cell was never begun. */
  outputsOf(index: number): readonly Output[] | undefined {
    return this.#outputs.get(index);
  }

  /** How many characters have been recorded, cleared ones too. */
  get size(): number {
    return this.#size;
  }

  /** Takes one message that the current cell's execution published. */
  record(message: KernelMessage.IIOPubMessage): void {
    const content = message.content as unknown as JsonObject;
    const type = message.header.msg_type as string;
    const id = ((content.transient ?? {}) as JsonObject).display_id;
    const displayId = typeof id === "string" ? id : undefined;
    this.#size += type === "stream" ? String(content.text).length : sizeOf(content.data);
    switch (type) {
      case "stream":
        this.#stream(String(content.name), String(content.text));
        break;
      case "display_data":
        this.#show({ output_type: type, ...shownIn(content) }, displayId);
        break;
      case "execute_result": {
        const count = content.execution_count as number;
        this.#show({ output_type: type, execution_count: count, ...shownIn(content) }, displayId);
        break;
      }
      case "update_display_data":
        this.#update(displayId, content);
        break;
      case "clear_output":
        if (content.wait) this.#clearBeforeNext = true;
        else this.#clear();
        break;
      case "error":
        this.#current().push({
          output_type: "error",
          ename: String(content.ename),
          evalue: String(content.evalue),
          traceback: content.traceback as string[],
        });
    }
  }

  /** The list that the next output belongs to, after a delayed clearing has been done. */
  #current(): Output[] {
    if (this.#clearBeforeNext) this.#clear();
    this.#clearBeforeNext = false;
    return this.#outputs.get(this.#cell) as Output[];
  }

  #clear(): void {
    this.#outputs.set(this.#cell, []);
    for (const [id, shown] of this.#displays) {
      this.#displays.set(
        id,
        shown.filter(({ cell }) => cell !== this.#cell),
      );
    }
  }

  #stream(name: string, text: string): void {
    const outputs = this.#current();
    const last = outputs.at(-1);
    if (last?.output_type === "stream" && last.name === name) {
      outputs[outputs.length - 1] = { ...last, text: last.text + text };
    } else {
      outputs.push({ output_type: "stream", name, text });
    }
  }

  #show(output: Shown, displayId: string | undefined): void {
    if (displayId !== undefined) this.#update(displayId, output);
    this.#current().push(output);
    if (displayId === undefined) return;
    const shown = this.#displays.get(displayId) ?? [];
    shown.push({ cell: this.#cell, output });
    this.#displays.set(displayId, shown);
  }

  #update(displayId: string | undefined, content: { data?: unknown; metadata?: unknown }): void {
    for (const { output } of this.#displays.get(displayId ?? "") ?? []) {
      Object.assign(output, shownIn(content));
    }
  }
}

function shownIn(content: { data?: unknown; metadata?: unknown }): { data: MimeBundle; metadata: JsonObject } {
  return { data: (content.data ?? {}) as MimeBundle, metadata: (content.metadata ?? {}) as JsonObject };
}

/** Characters of a MIME bundle. */
function sizeOf(data: unknown): number {
  if (typeof data !== "object" || data === null) return 0;
  return Object.values(data).reduce(
    (sum: number, value) => sum + (typeof value === "string" ? value.length : (JSON.stringify(value)?.length ?? 0)),
    0,
  );
}
