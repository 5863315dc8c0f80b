import { randomUUID } from "node:crypto";
import {
  type Channel,
  type JsonObject,
  type Message,
  type MessageHeader,
  type PublishedContents,
  protocolVersion,
  type StreamName,
} from "../protocol/index.ts";
import type { MessageListener } from "./types.ts";

/** Text that is printed in quick succession travels together, but never waits longer than this. */
const millisecondsPerStreamMessage = 15;

interface PendingText {
  readonly parent: MessageHeader | undefined;
  readonly name: StreamName;
  readonly parts: string[];
}

/** All that the session says goes out here, in order: replies as they are, printed text in handy pieces. */
export class Outbox {
  readonly #sessionId = randomUUID();
  readonly #listeners = new Set<MessageListener>();
  #text: PendingText | undefined;
  #timer: NodeJS.Timeout | undefined;

  subscribe(listener: MessageListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells every front end something, on iopub. */
  publish<Type extends keyof PublishedContents>(
    type: Type,
    content: PublishedContents[Type],
    parent: MessageHeader | undefined,
    extra: { readonly metadata?: JsonObject; readonly buffers?: readonly Uint8Array[] } = {},
  ): void {
    this.send("iopub", type, content, parent, extra);
  }

  /** Adds printed text to what is under way. */
  print(name: StreamName, text: string, parent: MessageHeader | undefined): void {
    if (this.#text?.name !== name || this.#text.parent !== parent) this.flush();
    this.#text ??= { parent, name, parts: [] };
    this.#text.parts.push(text);
    this.#timer ??= setTimeout(() => this.flush(), millisecondsPerStreamMessage);
  }

  /** Sends the text that is under way. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#text;
    if (text === undefined) return;
    this.#text = undefined;
    this.send("iopub", "stream", { name: text.name, text: text.parts.join("") }, text.parent);
  }

  send(
    channel: Channel,
    type: string,
    content: object,
    parent: MessageHeader | undefined,
    extra: { readonly metadata?: JsonObject; readonly buffers?: readonly Uint8Array[] } = {},
  ): void {
    this.flush();
    const header: MessageHeader = {
      msg_id: randomUUID(),
      msg_type: type,
      session: this.#sessionId,
      username: parent?.username ?? "kernel",
      date: new Date().toISOString(),
      version: protocolVersion,
    };
    const message: Message<JsonObject> = {
      header,
      parent_header: parent ?? {},
      metadata: extra.metadata ?? {},
      content: content as JsonObject,
      buffers: extra.buffers ?? [],
    };
    for (const listener of this.#listeners) listener(channel, message);
  }
}
