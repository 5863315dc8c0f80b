import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { CellRequest, FromRealm, InputAnswer, Outcome, RealmData, ToRealm } from "./messages.ts";
import { Terminator } from "./terminate.ts";

/** After an interrupt a worker gets this long to stop by itself before its JavaScript is terminated, again and again. */
const millisecondsOfGrace = 50;

export interface RealmOptions {
  readonly workingDirectory: string;
  readonly preload: string | null;
  readonly modules: Readonly<Record<string, string>>;
}

/** What a realm tells its owner: all that the worker says, and its loss. */
export type RealmEvent =
  | Exclude<FromRealm, { type: "finished" | "interrupted" | "ready" }>
  | { readonly type: "ready"; readonly preloadFailure: string | null }
  /** The worker is gone with every value in it, and a new one takes its place. */
  | { readonly type: "lost"; readonly reason: string };

/** The worker in which user code lives, seen from the kernel's side: never blocked, never lost. */
export class Realm {
  readonly #options: RealmOptions;
  readonly #tell: (event: RealmEvent) => void;
  readonly #terminator = new Terminator();
  readonly #interruptFlag = new Int32Array(new SharedArrayBuffer(4));
  readonly #inputSignal = new Int32Array(new SharedArrayBuffer(4));
  readonly #running = new Map<number, (outcome: Outcome) => void>();
  #worker: Worker;
  #inputPort: MessagePort;
  #grace: NodeJS.Timeout | undefined;
  #waitsForInput = false;
  #closed = false;

  constructor(options: RealmOptions, tell: (event: RealmEvent) => void) {
    this.#options = options;
    this.#tell = tell;
    [this.#worker, this.#inputPort] = this.#start();
  }

  /** Runs a cell; resolves when it has ended, in whatever way. */
  execute(request: CellRequest): Promise<Outcome> {
    Atomics.store(this.#interruptFlag, 0, 0);
    return new Promise((resolve) => {
      this.#running.set(request.cell, resolve);
      this.#post({ type: "execute", ...request });
    });
  }

  /** Hands a comm message of the front end to the notebook. */
  deliver(message: Extract<ToRealm, { type: "comm_open" | "comm_msg" | "comm_close" }>): void {
    this.#post(message);
  }

  /** Answers the question that a cell waits for. */
  answerInput(value: string): void {
    this.#answer({ value });
  }

  /** Stops every cell that runs: politely, and after a moment by force. Values are kept. */
  interrupt(): void {
    if (this.#running.size === 0) return;
    Atomics.store(this.#interruptFlag, 0, 1);
    this.#post({ type: "interrupt" });
    this.#answer({ interrupted: true });
    this.#grace ??= setInterval(() => {
      this.#terminator.terminate(this.#worker);
      // The message that was under way may have been what was terminated.
      this.#post({ type: "interrupt" });
    }, millisecondsOfGrace);
  }

  /** Throws all values away and begins anew. */
  async restart(): Promise<void> {
    const worker = this.#worker;
    worker.removeAllListeners();
    [this.#worker, this.#inputPort] = this.#start();
    await worker.terminate();
  }

  /** Ends the worker; resolves when it is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#endGrace();
    await this.#worker.terminate();
    this.#terminator.close();
  }

  #post(message: ToRealm): void {
    this.#worker.postMessage(message);
  }

  #answer(answer: InputAnswer): void {
    if (!this.#waitsForInput) return;
    this.#waitsForInput = false;
    this.#inputPort.postMessage(answer);
    Atomics.store(this.#inputSignal, 0, 1);
    Atomics.notify(this.#inputSignal, 0);
  }

  #endGrace(): void {
    clearInterval(this.#grace);
    this.#grace = undefined;
  }

  #start(): [Worker, MessagePort] {
    const { port1, port2 } = new MessageChannel();
    port1.unref();
    const workerData: RealmData = {
      ...this.#options,
      interruptFlag: this.#interruptFlag.buffer as SharedArrayBuffer,
      inputSignal: this.#inputSignal.buffer as SharedArrayBuffer,
      inputPort: port2 as never,
    };
    const worker = new Worker(new URL("worker.js", import.meta.url), {
      workerData,
      transferList: [port2],
      // Anything that does not go through the redirected streams still must not reach the kernel's own output.
      stdout: true,
      stderr: true,
    });
    worker.stderr.on("data", (text) => process.stderr.write(text));
    worker.on("message", (message: FromRealm) => this.#hear(message));
    let reason = "";
    worker.on("error", (error: NodeJS.ErrnoException) => {
      reason =
        error.code === "ERR_WORKER_OUT_OF_MEMORY" ? "its JavaScript heap was full" : `${error.name}: ${error.message}`;
    });
    worker.on("exit", (code) => {
      if (!this.#closed) this.#replace(reason || `it ended with exit code ${code}`);
    });
    return [worker, port1];
  }

  #hear(message: FromRealm): void {
    if (message.type === "finished") {
      const resolve = this.#running.get(message.cell);
      this.#running.delete(message.cell);
      resolve?.(message.outcome);
    } else if (message.type === "interrupted") {
      this.#endGrace();
    } else {
      if (message.type === "input") this.#waitsForInput = true;
      this.#tell(message);
    }
  }

  #replace(reason: string): void {
    this.#endGrace();
    this.#waitsForInput = false;
    [this.#worker, this.#inputPort] = this.#start();
    this.#tell({ type: "lost", reason });
    const evalue = `the notebook's values are lost: ${reason}; run the cells that they come from again`;
    const outcome: Outcome = { status: "error", ename: "RealmLost", evalue, traceback: [`RealmLost: ${evalue}`] };
    const waiting = [...this.#running.values()];
    this.#running.clear();
    for (const resolve of waiting) resolve(outcome);
  }
}
