import { abandonRun } from "./barrier.ts";
import {
  eventsWord,
  type FromThread,
  finishedWord,
  programWord,
  runsWord,
  sentWord,
  sleepingWord,
  type ThreadStart,
  type ToThread,
  threadWords,
} from "./control.ts";

/** How often an idle thread looks for the next run before it sleeps: long enough to copy a batch of digits in. */
const looksBeforeSleep = 20_000;

interface Loaded {
  readonly memory: WebAssembly.Memory;
  readonly run: (thread: number) => void;
}

/** One thread of a pool, apart from how messages reach it. */
export class PoolThread {
  readonly #thread: number;
  readonly #control: Int32Array;
  readonly #answer: (message: FromThread) => void;
  readonly #programs = new Map<number, Loaded>();
  #handled = 0;
  #seenRuns: number;

  constructor({ thread, control }: ThreadStart, answer: (message: FromThread) => void) {
    this.#thread = thread;
    this.#control = new Int32Array(control);
    this.#answer = answer;
    this.#seenRuns = Atomics.load(this.#control, runsWord);
  }

  /** Does what a message says, then serves runs until the next message is on its way. */
  receive(message: ToThread): void {
    this.#handled++;
    if (message.kind === "load") {
      const { program, module, memory } = message;
      const instance = new WebAssembly.Instance(module, { host: { memory } });
      this.#programs.set(program, { memory, run: instance.exports.run as (thread: number) => void });
      this.#answer({ kind: "loaded", program });
    } else {
      this.#programs.delete(message.program);
    }
    this.#serve();
  }

  #serve(): void {
    const control = this.#control;
    const own = threadWords * this.#thread;
    for (;;) {
      // Read first: whatever comes after this makes the wait below return at once.
      const events = Atomics.load(control, eventsWord);
      if (Atomics.load(control, own + sentWord) !== this.#handled) return;
      const runs = Atomics.load(control, runsWord);
      if (runs !== this.#seenRuns) {
        this.#seenRuns = runs;
        this.#run(Atomics.load(control, programWord));
        Atomics.store(control, own + finishedWord, runs);
        Atomics.notify(control, own + finishedWord);
        continue;
      }
      let looks = looksBeforeSleep;
      while (looks > 0 && Atomics.load(control, eventsWord) === events) looks--;
      if (looks > 0) continue;
      Atomics.add(control, sleepingWord, 1);
      Atomics.wait(control, eventsWord, events);
      Atomics.sub(control, sleepingWord, 1);
    }
  }

  #run(program: number): void {
    const loaded = this.#programs.get(program);
    if (loaded === undefined) return;
    try {
      loaded.run(this.#thread);
    } catch (error) {
      // Either the run was abandoned by another thread, and giving up is right; or this thread failed, and the others
      // must not wait for it: thread 0 then reports the failure.
      abandonRun(loaded.memory);
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    }
  }
}
