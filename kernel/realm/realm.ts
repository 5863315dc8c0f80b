import { setTimeout as wait } from "node:timers/promises";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { Backlog } from "./backlog.ts";
import { describeError, Interrupted } from "./errors.ts";
import { notingExpression } from "./interrupted.ts";
import type { CellRequest, FromRealm, InputAnswer, Look, Looked, Outcome, RealmData, ToRealm } from "./messages.ts";
import { stopPrograms } from "./programs.ts";
import { Terminator } from "./terminate.ts";

/** After an interrupt a worker gets this long to stop by itself before its JavaScript is terminated. */
const millisecondsOfGrace = 40;

/**
 * Then it gets this long to say that nothing runs any more, and twice as long each time that it does not: on a machine
 * with too much to do, every termination could otherwise hit just what was going to say so.
 */
const firstPatience = 15;
const longestPatience = 1000;

/** A reader who writes does not wait longer for what a value has to say; code that outlived its cell may keep it busy. */
const patienceForLooks = 300;

export interface RealmOptions {
  readonly workingDirectory: string;
  readonly preload: string | null;
  readonly modules: Readonly<Record<string, string>>;
}

/** What a realm tells its owner: all that the worker says, and its loss. */
export type RealmEvent =
  | Exclude<FromRealm, { type: "finished" | "interrupted" | "looked" | "program" }>
  /** The worker is gone with every value in it, and a new one takes its place. */
  | { readonly type: "lost"; readonly reason: string };

/** The worker in which user code lives, seen from the kernel's side: never blocked, never lost. */
export class Realm {
  readonly #options: RealmOptions;
  readonly #tell: (event: RealmEvent) => void;
  readonly #terminator = new Terminator();
  readonly #interruptFlag = new Int32Array(new SharedArrayBuffer(4));
  readonly #inputSignal = new Int32Array(new SharedArrayBuffer(4));
  readonly #hooksFlag = new Int32Array(new SharedArrayBuffer(4));
  readonly #backlog = new Backlog();
  readonly #running = new Map<number, (outcome: Outcome) => void>();
  /** Programs that run beside the cells; an interrupt is none of theirs. */
  readonly #programs = new Set<number>();
  readonly #looking = new Map<number, (found: Looked | null) => void>();
  #worker: Worker;
  #inputPort: MessagePort;
  #waitsForInput = false;
  /** Messages that wait until an interrupt is over: one of them could be what is terminated. */
  #heldBack: ToRealm[] | undefined;
  /** Set while an interrupt is under way; called when the worker says that nothing runs any more. */
  #stopped: (() => void) | undefined;
  #lastInterrupt = 0;
  #lastLook = 0;
  /** Why the worker ends, where that is known before it does. */
  #reason = "";
  #closed = false;

  constructor(options: RealmOptions, tell: (event: RealmEvent) => void) {
    this.#options = options;
    this.#tell = tell;
    [this.#worker, this.#inputPort] = this.#start();
  }

  /** Runs a cell; resolves when it has ended, in whatever way. */
  execute(request: CellRequest): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#running.set(request.cell, resolve);
      this.#post({ type: "execute", ...request });
    });
  }

  /** Looks at a value that cells left. Resolves to null at once while a cell runs, and soon where there is no answer. */
  look(question: Look): Promise<Looked | null> {
    if (this.#running.size > 0 || this.#heldBack !== undefined) return Promise.resolve(null);
    const id = ++this.#lastLook;
    return new Promise((resolve) => {
      const answer = (found: Looked | null): void => {
        clearTimeout(tooLong);
        this.#looking.delete(id);
        resolve(found);
      };
      const tooLong = setTimeout(() => answer(null), patienceForLooks);
      this.#looking.set(id, answer);
      this.#post({ type: "look", id, path: question.path });
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
    if (this.#running.size > 0 && this.#heldBack === undefined) void this.#stop();
  }

  /** Ends the worker and every value with it; a new one has taken its place when this resolves. */
  async restart(): Promise<void> {
    this.#reason = "the kernel was restarted";
    await this.#worker.terminate();
  }

  /** Ends the worker; resolves when it is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker.terminate();
    this.#stopped?.();
    this.#terminator.close();
  }

  async #stop(): Promise<void> {
    this.#heldBack = [];
    const worker = this.#worker;
    const stopped = new Promise<"stopped">((resolve) => {
      this.#stopped = () => resolve("stopped");
    });
    const within = (milliseconds: number): Promise<string> => Promise.race([stopped, wait(milliseconds, "not yet")]);
    const id = ++this.#lastInterrupt;
    const ask = (): void => worker.postMessage({ type: "interrupt", id } satisfies ToRealm);

    Atomics.store(this.#interruptFlag, 0, 1);
    ask();
    this.#answer({ interrupted: true });
    let state = await within(millisecondsOfGrace);
    let patience = firstPatience;
    let noted = false;
    let attempts = 0;
    while (state !== "stopped" && worker === this.#worker && !this.#closed) {
      if (Atomics.load(this.#hooksFlag, 0) !== 0) {
        this.#reason = "code that uses async_hooks can only be stopped together with everything else";
        await worker.terminate();
        break;
      }
      // Once, since another one could take the termination before it upon itself.
      if (!noted) this.#terminator.interpose(worker, notingExpression);
      noted = true;
      const terminated = this.#terminator.terminate(worker).then(() => "terminated");
      // Where the loop has ended just before, the next message is what is terminated.
      const over = (): Promise<string> => Promise.race([terminated, wait(patience, "not yet")]);
      while ((await over()) !== "terminated") {
        ask();
        stopPrograms(attempts++, this.#programs);
      }
      ask();
      state = await within(patience);
      patience = Math.min(2 * patience, longestPatience);
    }
    this.#stopped = undefined;
    Atomics.store(this.#interruptFlag, 0, 0);
    const heldBack = this.#heldBack;
    this.#heldBack = undefined;
    for (const message of heldBack) this.#post(message);
  }

  #post(message: ToRealm): void {
    if (this.#heldBack) this.#heldBack.push(message);
    else this.#worker.postMessage(message);
  }

  #answer(answer: InputAnswer): void {
    if (!this.#waitsForInput) return;
    this.#waitsForInput = false;
    this.#inputPort.postMessage(answer);
    Atomics.store(this.#inputSignal, 0, 1);
    Atomics.notify(this.#inputSignal, 0);
  }

  #start(): [Worker, MessagePort] {
    const { port1, port2 } = new MessageChannel();
    port1.unref();
    const workerData: RealmData = {
      ...this.#options,
      interruptFlag: this.#interruptFlag.buffer as SharedArrayBuffer,
      hooksFlag: this.#hooksFlag.buffer as SharedArrayBuffer,
      backlog: this.#backlog.buffer,
      inputSignal: this.#inputSignal.buffer as SharedArrayBuffer,
      inputPort: port2 as never,
    };
    const worker = new Worker(new URL("worker.js", import.meta.url), {
      workerData,
      transferList: [port2],
      // Code may be terminated inside a callback, which Node 20 otherwise takes for a reason to abort.
      execArgv: ["--no-force-async-hooks-checks"],
      // Anything that does not go through the redirected streams still must not reach the kernel's own output.
      stdout: true,
      stderr: true,
    });
    worker.stderr.on("data", (text) => process.stderr.write(text));
    worker.on("message", (message: FromRealm) => this.#hear(message));
    worker.on("error", (error: NodeJS.ErrnoException) => {
      this.#reason =
        error.code === "ERR_WORKER_OUT_OF_MEMORY" ? "the JavaScript heap was full" : `${error.name}: ${error.message}`;
    });
    worker.on("exit", (code) => {
      if (!this.#closed) this.#replace(this.#reason || `the realm ended with exit code ${code}`);
    });
    return [worker, port1];
  }

  #hear(message: FromRealm): void {
    this.#backlog.leave(message);
    if (message.type === "finished") {
      const resolve = this.#running.get(message.cell);
      this.#running.delete(message.cell);
      resolve?.(message.outcome);
    } else if (message.type === "looked") {
      this.#looking.get(message.id)?.(message.found);
    } else if (message.type === "program") {
      if (message.runs) this.#programs.add(message.id);
      else this.#programs.delete(message.id);
    } else if (message.type === "interrupted") {
      if (message.id === this.#lastInterrupt && this.#stopped) this.#endInterrupt(this.#stopped);
    } else {
      if (message.type === "input") this.#waitsForInput = true;
      this.#tell(message);
    }
  }

  /**
   * Nothing runs any more. A cell of which the worker has said nothing was terminated before it began: on a machine with too
   * much to do, a worker may not even have read its request in the time of grace.
   */
  #endInterrupt(stopped: () => void): void {
    const held = new Set(this.#heldBack?.map((message) => (message.type === "execute" ? message.cell : undefined)));
    for (const [cell, resolve] of [...this.#running]) {
      if (held.has(cell)) continue;
      this.#running.delete(cell);
      resolve({ status: "error", ...describeError(new Interrupted()) });
    }
    this.#backlog.clear();
    stopped();
  }

  #replace(reason: string): void {
    this.#waitsForInput = false;
    this.#reason = "";
    Atomics.store(this.#hooksFlag, 0, 0);
    this.#backlog.clear();
    [this.#worker, this.#inputPort] = this.#start();
    this.#tell({ type: "lost", reason });
    const evalue = `the notebook's values are lost: ${reason}; run the cells that they come from again`;
    const outcome: Outcome = { status: "error", ename: "RealmLost", evalue, traceback: [`RealmLost: ${evalue}`] };
    const waiting = [...this.#running.values()];
    this.#running.clear();
    for (const resolve of waiting) resolve(outcome);
    this.#stopped?.();
  }
}
