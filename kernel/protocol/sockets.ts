import * as zmq from "zeromq";
import { addressOf, type ConnectionInfo } from "./connection.ts";
import type { Channel, Message, MessageHeader } from "./messages.ts";
import { protocolVersion } from "./messages.ts";
import { BadMessage, decode, encode, type WireMessage } from "./wire.ts";

/** Hears every message that arrives well signed. */
export type Arrival = (channel: Exclude<Channel, "iopub">, message: Message) => void;

interface SendingSocket {
  send(frames: Uint8Array[]): Promise<void>;
}

/** ZeroMQ allows one send at a time on a socket; this keeps the others in order. */
class Sender {
  readonly #socket: SendingSocket;
  readonly #waiting: Uint8Array[][] = [];
  #busy = false;
  #idle: (() => void)[] = [];

  constructor(socket: SendingSocket) {
    this.#socket = socket;
  }

  send(frames: Uint8Array[]): void {
    this.#waiting.push(frames);
    void this.#work();
  }

  /** Resolves when everything has been handed to ZeroMQ. */
  drained(): Promise<void> {
    return this.#busy ? new Promise((resolve) => this.#idle.push(resolve)) : Promise.resolve();
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        await this.#socket.send(next);
      }
    } catch (error) {
      console.error(`sockets: a message could not be sent, got ${error}`);
    } finally {
      this.#busy = false;
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }
}

/** How many requests may await their reply before the oldest one's way back is forgotten. */
const mostRoutes = 10_000;

/** After closing, ZeroMQ may take this many milliseconds to deliver what is under way. */
const linger = 500;

/** The kernel's five sockets: what arrives is checked and handed on, what is sent finds its way back to who asked. */
export class KernelSockets {
  readonly #info: ConnectionInfo;
  readonly #shell = new zmq.Router({ linger });
  readonly #control = new zmq.Router({ linger });
  readonly #stdin = new zmq.Router({ linger });
  // Messages for a slow reader wait in memory; ZeroMQ's default would drop them after a thousand.
  readonly #iopub = new zmq.XPublisher({ sendHighWaterMark: 0, linger });
  readonly #heartbeat = new zmq.Router({ linger });
  readonly #senders: Readonly<Record<Channel, Sender>>;
  /** Message id of a request → the ZeroMQ identities to which its replies go. */
  readonly #routes = new Map<string, readonly Uint8Array[]>();

  constructor(info: ConnectionInfo) {
    this.#info = info;
    this.#senders = {
      shell: new Sender(this.#shell),
      control: new Sender(this.#control),
      stdin: new Sender(this.#stdin),
      iopub: new Sender(this.#iopub),
    };
  }

  /** Binds all five, then listens until they are closed. */
  async open(arrived: Arrival, welcome: () => MessageHeader): Promise<void> {
    const { shell_port, control_port, stdin_port, iopub_port, hb_port } = this.#info;
    await Promise.all([
      this.#iopub.bind(addressOf(this.#info, iopub_port)),
      this.#stdin.bind(addressOf(this.#info, stdin_port)),
      this.#control.bind(addressOf(this.#info, control_port)),
      this.#heartbeat.bind(addressOf(this.#info, hb_port)),
      this.#shell.bind(addressOf(this.#info, shell_port)),
    ]);
    void this.#listen("shell", this.#shell, arrived);
    void this.#listen("control", this.#control, arrived);
    void this.#listen("stdin", this.#stdin, arrived);
    void this.#beat();
    void this.#welcome(welcome);
  }

  /** Sends a message: on iopub to everyone, elsewhere to the one whose request it answers. */
  send(channel: Channel, message: Message): void {
    const { msg_id: request } = message.parent_header;
    const identities =
      channel === "iopub"
        ? [Buffer.from(`kernel.${message.header.session}.${message.header.msg_type}`)]
        : (this.#routes.get(request ?? "") ?? []);
    if (identities.length === 0) {
      console.error(`sockets: ${message.header.msg_type} must answer a request, got one that answers none; dropped`);
      return;
    }
    this.#senders[channel].send(encode({ identities, message }, this.#info.key));
    if (channel === "shell" || channel === "control") this.#routes.delete(request);
  }

  /** Sends what is under way and closes everything. */
  async close(): Promise<void> {
    await Promise.all(Object.values(this.#senders).map((sender) => sender.drained()));
    for (const socket of [this.#shell, this.#control, this.#stdin, this.#iopub, this.#heartbeat]) {
      socket.close();
    }
  }

  async #listen(channel: Exclude<Channel, "iopub">, socket: zmq.Router, arrived: Arrival): Promise<void> {
    for await (const frames of socket) {
      const arrival = this.#decode(channel, frames);
      if (arrival === undefined) continue;
      const { identities, message } = arrival;
      if (channel !== "stdin") {
        this.#routes.set(message.header.msg_id, identities);
        if (this.#routes.size > mostRoutes) this.#routes.delete(this.#routes.keys().next().value ?? "");
      }
      arrived(channel, message);
    }
  }

  #decode(channel: Channel, frames: readonly Uint8Array[]): WireMessage | undefined {
    try {
      return decode(frames, this.#info.key);
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error;
      console.error(`${channel}: ${error.message}`);
      return undefined;
    }
  }

  /** Sends every heartbeat back as it came. */
  async #beat(): Promise<void> {
    const sender = new Sender(this.#heartbeat);
    for await (const frames of this.#heartbeat) sender.send(frames);
  }

  /** Greets every new subscriber of iopub, so that it knows when it has begun to hear (protocol 5.4). */
  async #welcome(createHeader: () => MessageHeader): Promise<void> {
    for await (const [frame] of this.#iopub) {
      const subscribing = frame[0] === 1;
      if (!subscribing) continue;
      const subscription = frame.subarray(1);
      const message: Message = {
        header: { ...createHeader(), msg_type: "iopub_welcome", version: protocolVersion },
        parent_header: {},
        metadata: {},
        content: { subscription: subscription.toString() },
        buffers: [],
      };
      this.#senders.iopub.send(encode({ identities: [subscription], message }, this.#info.key));
    }
  }
}
