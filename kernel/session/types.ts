import type { LanguageProcess } from "../language/index.ts";
import type { Channel, JsonObject, Message } from "../protocol/index.ts";
import type { Realm } from "../realm/index.ts";
import type { History } from "./history.ts";
import type { Shells } from "./subshells.ts";

/** What a session needs to know before it starts. */
export interface SessionOptions {
  /** Absolute path from which the notebook's relative imports and files are resolved. */
  readonly workingDirectory: string;
  /** URL of the module whose exports every cell sees without an import; by default the library, null for none. */
  readonly preload?: string | null;
  /** URL of a module with the same exports that is loaded in its place: what the compiler knows stays the same. */
  readonly realmPreload?: string;
  /** Absolute path of the file that keeps the history of inputs; null keeps it in memory. */
  readonly historyFile?: string | null;
}

/** Hears every message that the session emits: replies, requests for input, and what it publishes on iopub. */
export type MessageListener = (channel: Channel, message: Message<JsonObject>) => void;

/**
 * A kernel without its wires: messages in, messages out, one listener or many. `main.ts` binds it to ZeroMQ sockets, the
 * headless runner to an in-memory WebSocket.
 *
 * A reply travels on the channel of its request and carries the request's header as `parent_header`; whoever binds the
 * session to a transport routes by that.
 */
export interface KernelSession {
  /** Takes a request from `shell` or `control`, or an `input_reply` from `stdin`. Never throws for a bad message. */
  handle(channel: Exclude<Channel, "iopub">, message: Message<JsonObject>): void;
  /** Adds a listener; the function returned takes it away again. */
  onMessage(listener: MessageListener): () => void;
  /** Stops the cell that runs and drops those that wait, as SIGINT or an `interrupt_request` does. */
  interrupt(): void;
  /** Resolves once the session was asked to shut down by a message: `restart` as in the request. */
  readonly shutdownRequested: Promise<{ readonly restart: boolean }>;
  /**
   * Forgets every cell and value, as if it had just been started, in a fraction of the time: only the compiler stays.
   * Nothing may run meanwhile.
   */
  restart(): Promise<void>;
  /** Ends the realm and the language process. Resolves when both are gone. */
  shutdown(): Promise<void>;
}

/** What the handlers of requests work with. */
export interface SessionParts {
  readonly language: LanguageProcess;
  readonly realm: Realm;
  readonly history: History;
  readonly shells: Shells;
  /** Open comms: id → target. */
  readonly comms: ReadonlyMap<string, string>;
  readonly version: string;
  interrupt(): void;
}
