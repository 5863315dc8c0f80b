import { abandonRun, resetBarrier } from "./barrier.ts";
import {
  controlBytes,
  eventsWord,
  type FromThread,
  finishedWord,
  programWord,
  runsWord,
  sentWord,
  sleepingWord,
  type ToThread,
  threadWords,
} from "./control.ts";
import type { StartThread, ThreadHandle } from "./node-threads.ts";

/** How long threads may take to leave a run that was interrupted, in milliseconds. */
const longestRecovery = 10_000;

/** A program that all threads of a pool have loaded. */
interface Shared {
  readonly memory: WebAssembly.Memory;
  readonly run: (thread: number) => void;
}

interface Waiting {
  missing: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Threads that run programs together: the calling one and others, which sleep while there is nothing to do. */
export class ThreadPool {
  readonly threads: number;
  readonly #control: Int32Array;
  readonly #handles: readonly ThreadHandle[];
  readonly #programs = new Map<number, Shared>();
  readonly #waiting = new Map<number, Waiting>();
  #nextProgram = 1;
  #failure: Error | null = null;
  #closed = false;
  /** Whether messages are being sent; still so afterwards only if an interruption came between. */
  #sending = false;
  /** The program of a run that has begun; still there afterwards only if an interruption left it half-done. */
  #running: Shared | null = null;

  constructor(threads: number, start: StartThread) {
    this.threads = threads;
    const control = new SharedArrayBuffer(controlBytes(threads));
    this.#control = new Int32Array(control);
    const receive = (message: FromThread): void => this.#loaded(message.program);
    const fail = (error: Error): void => this.#fail(error);
    this.#handles = Array.from({ length: threads - 1 }, (_, index) =>
      start({ thread: index + 1, control }, receive, fail),
    );
  }

  /** Whether any program is loaded. */
  get isUsed(): boolean {
    return this.#programs.size > 0;
  }

  /** Whether a thread has ended, so that nothing can be run any more. */
  get isBroken(): boolean {
    return this.#failure !== null;
  }

  /** Loads a program into all threads; returns the number by which it is run. */
  async load(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<number> {
    this.#check();
    const program = this.#nextProgram++;
    const { exports } = new WebAssembly.Instance(module, { host: { memory } });
    this.#programs.set(program, { memory, run: exports.run as (thread: number) => void });
    await new Promise<void>((resolve, reject) => {
      this.#waiting.set(program, { missing: this.#handles.length, resolve, reject });
      for (const handle of this.#handles) handle.keepAlive(true);
      this.#send({ kind: "load", program, module, memory });
    });
    return program;
  }

  /** Forgets a program. */
  unload(program: number): void {
    if (!this.#programs.delete(program) || this.#closed) return;
    this.settle();
    this.#send({ kind: "unload", program });
  }

  /** Runs a program once on all threads; returns when it is done. */
  run(program: number): void {
    this.#check();
    this.settle();
    const shared = this.#programs.get(program);
    if (shared === undefined) throw new Error(`internal: there is no program ${program} in the pool`);
    const control = this.#control;
    this.#running = shared;
    Atomics.store(control, programWord, program);
    Atomics.add(control, runsWord, 1);
    this.#wake();
    shared.run(0);
    this.#running = null;
  }

  /**
   * After a run that an interruption left: makes the other threads give up, waits until all have, and makes barriers
   * start anew. Until then they may still write; what the run has written is of no use. Does nothing otherwise.
   */
  settle(): void {
    if (this.#running === null) return;
    const control = this.#control;
    const runs = Atomics.load(control, runsWord);
    abandonRun(this.#running.memory);
    // The interruption may have come before anybody was woken for the run.
    this.#wake();
    const started = performance.now();
    for (let thread = 1; thread < this.threads; thread++) {
      const word = threadWords * thread + finishedWord;
      for (let finished = Atomics.load(control, word); finished !== runs; finished = Atomics.load(control, word)) {
        if (performance.now() - started > longestRecovery) {
          this.#failure = new Error(`thread ${thread} did not give up an interrupted run in ${longestRecovery} ms`);
          this.#check();
        }
        Atomics.wait(control, word, finished, 10);
      }
    }
    resetBarrier(this.#running.memory);
    this.#running = null;
  }

  /** Ends all threads. */
  close(): void {
    this.#closed = true;
    this.#programs.clear();
    for (const handle of this.#handles) handle.terminate();
  }

  #send(message: ToThread): void {
    this.#sending = true;
    for (const [index, handle] of this.#handles.entries()) {
      Atomics.add(this.#control, threadWords * (index + 1) + sentWord, 1);
      handle.post(message);
    }
    this.#wake();
    this.#sending = false;
  }

  #wake(): void {
    Atomics.add(this.#control, eventsWord, 1);
    if (Atomics.load(this.#control, sleepingWord) > 0) Atomics.notify(this.#control, eventsWord);
  }

  #loaded(program: number): void {
    const waiting = this.#waiting.get(program);
    if (waiting === undefined || --waiting.missing > 0) return;
    this.#waiting.delete(program);
    if (this.#waiting.size === 0) for (const handle of this.#handles) handle.keepAlive(false);
    waiting.resolve();
  }

  #fail(error: Error): void {
    if (this.#closed) return;
    this.#failure ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(this.#failed());
    this.#waiting.clear();
  }

  #check(): void {
    // A thread that was told of a message which never came would wait for it for ever.
    if (this.#sending) this.#failure ??= new Error("an interruption came while it was being told of a program");
    if (this.#failure !== null) throw this.#failed();
    if (this.#closed) throw new Error("internal: a closed pool was used");
  }

  #failed(): Error {
    return new Error(
      `wasm engine: every thread of a pool must live, got one that does not serve (${this.#failure?.message}); load the program again, or with { threads: 1 }`,
      { cause: this.#failure },
    );
  }
}
