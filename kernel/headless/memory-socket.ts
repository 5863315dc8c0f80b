import type { KernelMessage } from "@jupyterlab/services";
import type { JsonObject, Message } from "../protocol/index.ts";
import type { KernelSession } from "../session/index.ts";

/** What travels through the socket: a kernel message that names its channel. */
type ChannelMessage = Message<JsonObject> & { readonly channel: KernelMessage.Channel };

/** The part of a WebSocket that @jupyterlab/services uses. */
interface Socket {
  binaryType: string;
  readonly protocol: string;
  onopen: (event: object) => void;
  onmessage: (event: { readonly data: ChannelMessage }) => void;
  onclose: (event: object) => void;
  onerror: (event: object) => void;
  send(message: ChannelMessage): void;
  close(): void;
}

/**
 * A WebSocket class whose other end is a session in this process.
 *
 * @param find the session that a kernel's address names
 */
export function memorySocket(find: (url: string) => KernelSession): new (url: string) => Socket {
  return class implements Socket {
    binaryType = "arraybuffer";
    /** None of Jupyter's wire protocols: nothing is serialized. */
    readonly protocol = "";
    onopen: Socket["onopen"] = ignore;
    onmessage: Socket["onmessage"] = ignore;
    onclose: Socket["onclose"] = ignore;
    onerror: Socket["onerror"] = ignore;
    readonly #session: KernelSession;
    readonly #unsubscribe: () => void;
    #open = true;

    constructor(url: string) {
      this.#session = find(url);
      this.#unsubscribe = this.#session.onMessage((channel, message) => {
        if (this.#open) this.onmessage({ data: { ...message, channel } });
      });
      queueMicrotask(() => this.#open && this.onopen({}));
    }

    // As with a real socket, no answer comes before `send` has returned.
    send({ channel, ...message }: ChannelMessage): void {
      queueMicrotask(() => {
        if (this.#open && channel !== "iopub") this.#session.handle(channel, message);
      });
    }

    close(): void {
      this.#open = false;
      this.#unsubscribe();
    }
  };
}

function ignore(): void {}
