import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import type { Duplex, Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Channel, JsonObject, Message } from "../protocol/index.ts";
import type { KernelSession, MessageListener, SessionOptions } from "../session/index.ts";
import { readLines, writeLine } from "./lines.ts";
import { type Excess, killFamily, type ProcessLimits, watchProcess } from "./process-limits.ts";

const program = fileURLToPath(new URL("kernel-process.js", import.meta.url));

/** How a kernel's process is started and held. */
export interface ProcessOptions extends SessionOptions {
  readonly limits?: ProcessLimits;
  /** Wraps the command in another, such as a sandbox; the working directory is then for that to find. */
  readonly wrap?: (command: readonly string[]) => readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** Further descriptors of the process, from 4 on: how many. */
  readonly lines?: number;
}

/**
 * The near end of a kernel in a process of its own: what such a kernel does to its memory, or to itself, it does to
 * nobody else. When the process is gone, it says `dead` once, with the reason.
 */
export class ProcessSession implements KernelSession {
  readonly shutdownRequested = new Promise<never>(() => {});
  readonly #child: ChildProcess;
  readonly #line: Duplex;
  readonly #listeners = new Set<MessageListener>();
  readonly #gone: Promise<void>;
  readonly #unwatch: () => void;
  #excess: Excess | undefined;
  #broken: string | undefined;
  #log = "";
  #restarted: (() => void) | undefined;

  constructor(options: ProcessOptions) {
    const { limits = {}, wrap, environment = process.env, lines = 0, ...session } = options;
    const bare = [process.execPath, program, JSON.stringify(session)];
    const [command, ...args] = wrap ? wrap(bare) : bare;
    this.#child = spawn(command, args, {
      stdio: ["ignore", "ignore", "pipe", "pipe", ...Array.from({ length: lines }, () => "pipe" as const)],
      env: environment,
      // Files that a notebook names are found from where it stands.
      ...(!wrap && { cwd: session.workingDirectory }),
      // An interrupt from the terminal is for the runner to pass on.
      detached: true,
    });
    this.#line = this.#child.stdio[3] as Duplex;
    // What it logs is kept to explain its end, and no more than that.
    (this.#child.stderr as Readable).on("data", (text) => {
      this.#log = (this.#log + text).slice(-4000);
    });
    this.#unwatch = watchProcess(this.#child.pid ?? 0, limits, (excess) => {
      this.#excess = excess;
      this.kill();
    });
    readLines(
      this.#line,
      (line) => {
        if (line.kind === "message" && line.channel !== "stdin") this.#tell(line.channel, line.message);
        else if (line.kind === "restarted") this.#restarted?.();
      },
      (reason) => {
        this.#broken = reason;
        this.kill();
      },
    );
    this.#gone = new Promise((resolve) => {
      const end = (how: string): void => {
        this.#unwatch();
        this.#tellDeath(how);
        this.#restarted?.();
        resolve();
      };
      this.#child.on("error", (error) => end(error.message));
      this.#child.on("exit", (code, signal) => end(signal ?? `exit code ${code}`));
    });
  }

  /** The near ends of the further descriptors. */
  get lines(): readonly Duplex[] {
    return this.#child.stdio.slice(4) as Duplex[];
  }

  handle(channel: Exclude<Channel, "iopub">, message: Message<JsonObject>): void {
    writeLine(this.#line, { kind: "message", channel, message });
  }

  onMessage(listener: MessageListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  interrupt(): void {
    writeLine(this.#line, { kind: "interrupt" });
  }

  async restart(): Promise<void> {
    const restarted = new Promise<void>((resolve) => {
      this.#restarted = resolve;
    });
    writeLine(this.#line, { kind: "restart" });
    await restarted;
    this.#restarted = undefined;
  }

  async shutdown(): Promise<void> {
    writeLine(this.#line, { kind: "shutdown" });
    const timer = setTimeout(() => this.kill(), 500);
    await this.#gone;
    clearTimeout(timer);
  }

  /** Ends the process and all that it started, whatever they do. */
  kill(): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    killFamily(pid);
  }

  #tell(channel: Channel, message: Message<JsonObject>): void {
    for (const listener of this.#listeners) listener(channel, message);
  }

  #tellDeath(how: string): void {
    const log = this.#log.trim();
    const reason = this.#excess?.kind ?? "ended";
    const detail = this.#excess?.text ?? this.#broken ?? `the kernel's process ended (${how})${log && `: ${log}`}`;
    const header = {
      msg_id: randomUUID(),
      msg_type: "status",
      session: "",
      username: "kernel",
      date: new Date().toISOString(),
      version: "5.5",
    };
    const content = { execution_state: "dead", reason, detail };
    this.#tell("iopub", { header, parent_header: {}, metadata: {}, content, buffers: [] });
  }
}
