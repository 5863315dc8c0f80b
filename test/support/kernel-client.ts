import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as zmq from "zeromq";
import { type ConnectionInfo, decode, encode, type Message } from "../../kernel/protocol/index.ts";

type RequestChannel = "shell" | "control";

/** What a request brought about: its reply and everything published for it. */
export interface Exchange {
  readonly reply: Message;
  readonly published: readonly Message[];
}

export interface KernelOptions {
  /** Program and arguments that run a kernel on a connection file; ours by default. */
  readonly command?: (connectionFile: string) => readonly string[];
  readonly workingDirectory?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Milliseconds between two attempts to reach a kernel that does not listen yet. */
const reconnectInterval = 5;

function ourKernel(connectionFile: string): string[] {
  return [process.execPath, join(import.meta.dirname, "../../kernel/cli/main.js"), "kernel", connectionFile];
}

/** A real kernel process, spoken to over real ZeroMQ sockets. */
export class KernelClient {
  readonly child: ChildProcess;
  readonly info: ConnectionInfo;
  /** All that was published since the start, in order. */
  readonly published: Message[] = [];
  /** What the process wrote to stderr. */
  log = "";
  /** Answers the kernel's questions to the reader; without it they stay unanswered. */
  onInput: ((content: Message["content"]) => string) | undefined;
  readonly #folder: string;
  readonly #sockets: Readonly<Record<RequestChannel | "stdin", zmq.Dealer>>;
  readonly #iopub = new zmq.Subscriber({ linger: 0, reconnectInterval, receiveHighWaterMark: 0 });
  readonly #session = randomUUID();
  readonly #replies = new Map<string, (reply: Message) => void>();
  readonly #watchers = new Set<() => void>();

  private constructor(info: ConnectionInfo, folder: string, options: KernelOptions) {
    this.info = info;
    this.#folder = folder;
    const file = join(folder, "connection.json");
    writeFileSync(file, JSON.stringify(info));
    const [program, ...given] = (options.command ?? ourKernel)(file);
    this.child = spawn(program, given, {
      cwd: options.workingDirectory ?? folder,
      env: { ...process.env, XDG_DATA_HOME: folder, ...options.environment },
      stdio: ["ignore", "inherit", "pipe"],
    });
    this.child.stderr?.on("data", (chunk) => (this.log += chunk));
    // Jupyter clients use one identity for shell and stdin, which is how the kernel finds who to ask.
    const routingId = randomUUID();
    this.#sockets = {
      shell: new zmq.Dealer({ routingId, linger: 0, reconnectInterval }),
      control: new zmq.Dealer({ routingId, linger: 0, reconnectInterval }),
      stdin: new zmq.Dealer({ routingId, linger: 0, reconnectInterval }),
    };
  }

  /** Starts a kernel and connects to it; resolves when iopub is heard. */
  static async start(options: KernelOptions = {}): Promise<KernelClient> {
    const client = await KernelClient.spawn(options);
    await client.until(({ header }) => header.msg_type === "iopub_welcome");
    return client;
  }

  /** Starts a kernel, and waits for nothing: what is sent arrives when it listens. */
  static async spawn(options: KernelOptions = {}): Promise<KernelClient> {
    const ports = await freePorts(5);
    const [shell_port, iopub_port, stdin_port, control_port, hb_port] = ports;
    const info: ConnectionInfo = {
      transport: "tcp",
      ip: "127.0.0.1",
      shell_port,
      iopub_port,
      stdin_port,
      control_port,
      hb_port,
      signature_scheme: "hmac-sha256",
      key: randomUUID(),
    };
    const client = new KernelClient(info, mkdtempSync(join(tmpdir(), "tessera-kernel-")), options);
    client.#connect();
    return client;
  }

  /** Sends a request and waits for its reply and its `idle`. */
  async request(
    type: string,
    content: object,
    channel: RequestChannel = "shell",
    extra: object = {},
  ): Promise<Exchange> {
    const id = this.send(type, content, channel, extra);
    const [reply] = await Promise.all([this.reply(id), this.idle(id)]);
    return { reply, published: this.publishedFor(id) };
  }

  /** Runs a cell. */
  execute(code: string, extra: object = {}): Promise<Exchange> {
    return this.request("execute_request", { code, silent: false, store_history: true, ...extra });
  }

  /** Sends a request without waiting for anything; returns its message id. */
  send(type: string, content: object, channel: RequestChannel = "shell", extra: object = {}): string {
    const id = randomUUID();
    const message = this.message(type, content, id, extra);
    void this.#sockets[channel].send(encode({ identities: [], message }, this.info.key));
    return id;
  }

  /** Sends frames as they are. */
  async sendRaw(channel: RequestChannel, frames: Uint8Array[]): Promise<void> {
    await this.#sockets[channel].send(frames);
  }

  message(type: string, content: object, id: string = randomUUID(), extra: object = {}): Message {
    const date = new Date().toISOString();
    const { buffers = [], header = {} } = extra as { buffers?: Uint8Array[]; header?: object };
    return {
      header: { msg_id: id, msg_type: type, session: this.#session, username: "test", date, version: "5.5", ...header },
      parent_header: {},
      metadata: {},
      content: content as Message["content"],
      buffers,
    };
  }

  reply(id: string): Promise<Message> {
    return withLimit(
      new Promise((resolve) => this.#replies.set(id, resolve)),
      () => `a reply; log: ${this.log.slice(-2000)}`,
    );
  }

  /** Resolves when the kernel has published that it is done with a request. */
  async idle(id: string): Promise<void> {
    await this.until((message) => this.#answers(message, id) && message.content.execution_state === "idle");
  }

  /** Resolves with the first published message, past or future, of which this holds. */
  until(holds: (message: Message) => boolean): Promise<Message> {
    const found = new Promise<Message>((resolve) => {
      let seen = 0;
      const look = (): void => {
        for (; seen < this.published.length; seen++) {
          const message = this.published[seen];
          if (!holds(message)) continue;
          this.#watchers.delete(look);
          resolve(message);
          return;
        }
      };
      this.#watchers.add(look);
      look();
    });
    return withLimit(found, () => `a published message; log: ${this.log.slice(-2000)}`);
  }

  publishedFor(id: string): Message[] {
    return this.published.filter((message) => this.#answers(message, id));
  }

  /** Asks the heartbeat and returns what came back. */
  async heartbeat(beat: string): Promise<string> {
    const socket = new zmq.Request();
    socket.connect(`tcp://127.0.0.1:${this.info.hb_port}`);
    await socket.send(beat);
    const [answer] = await socket.receive();
    socket.close();
    return answer.toString();
  }

  /** Ends the kernel, politely first, and waits until the process is gone. */
  async stop(): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      if (this.child.exitCode !== null || this.child.signalCode !== null) resolve();
      else this.child.once("exit", () => resolve());
    });
    if (!this.#sockets.control.closed) this.send("shutdown_request", { restart: false }, "control");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), 5000);
    await gone;
    clearTimeout(timer);
    for (const socket of [...Object.values(this.#sockets), this.#iopub]) {
      if (!socket.closed) socket.close();
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #answers({ parent_header: parent }: Message, id: string): boolean {
    return parent.msg_id === id;
  }

  #connect(): void {
    const address = (port: number): string => `tcp://127.0.0.1:${port}`;
    this.#iopub.subscribe();
    this.#iopub.connect(address(this.info.iopub_port));
    for (const channel of ["shell", "control", "stdin"] as const) {
      this.#sockets[channel].connect(address(this.info[`${channel}_port`]));
      void this.#listen(channel);
    }
    void this.#hear();
  }

  async #listen(channel: RequestChannel | "stdin"): Promise<void> {
    for await (const frames of this.#sockets[channel]) {
      const { message } = decode(frames, this.info.key);
      if (message.header.msg_type === "input_request") {
        if (this.onInput === undefined) continue;
        const answer = this.message("input_reply", { value: this.onInput(message.content) });
        void this.#sockets.stdin.send(encode({ identities: [], message: answer }, this.info.key));
        continue;
      }
      const id = message.parent_header.msg_id ?? "";
      this.#replies.get(id)?.(message);
      this.#replies.delete(id);
    }
  }

  async #hear(): Promise<void> {
    for await (const frames of this.#iopub) {
      this.published.push(decode(frames, this.info.key).message);
      for (const look of [...this.#watchers]) look();
    }
  }
}

/** What the reader would see of an exchange, by message type. */
export function outputs({ published }: Exchange, type: string): Message["content"][] {
  return published.filter(({ header }) => header.msg_type === type).map(({ content }) => content);
}

/** All text printed to one stream. */
export function printed(exchange: Exchange, name: "stdout" | "stderr" = "stdout"): string {
  return outputs(exchange, "stream")
    .filter((content) => content.name === name)
    .map(({ text }) => text)
    .join("");
}

/** `text/plain` of the cell's value. */
export function result(exchange: Exchange): string | undefined {
  const [content] = outputs(exchange, "execute_result");
  return (content?.data as Record<string, string> | undefined)?.["text/plain"];
}

function withLimit<Value>(promise: Promise<Value>, what: () => string, seconds = 30): Promise<Value> {
  const limited = new Promise<Value>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited ${seconds} s for ${what()}`)), seconds * 1000);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
  // Of several waits that fail together a test awaits the first only; the others must not end its process.
  limited.catch(() => {});
  return limited;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) =>
          server.once("listening", () => resolve((server.address() as { port: number }).port)),
        ),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
