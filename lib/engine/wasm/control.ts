// How a pool and its threads talk: words in shared memory for what happens at every step, messages for the rest.

/** Counts everything that a thread should look up for: runs and messages. It is what idle threads wait for. */
export const eventsWord = 0;
/** Counts runs. */
export const runsWord = 1;
/** The program that the last run is of. */
export const programWord = 2;
/** Threads that sleep and must be woken. */
export const sleepingWord = 3;
/** Words of thread t begin at `threadWords · t`, in a cache line of their own. */
export const threadWords = 16;
/** Among a thread's words: messages that it has been sent. */
export const sentWord = 0;
/** Among a thread's words: the last run that it is done with. */
export const finishedWord = 1;

/** Bytes of control memory for so many threads. */
export function controlBytes(threads: number): number {
  return 4 * threadWords * threads;
}

/** What a pool tells a thread. */
export type ToThread =
  | {
      readonly kind: "load";
      readonly program: number;
      readonly module: WebAssembly.Module;
      readonly memory: WebAssembly.Memory;
    }
  | { readonly kind: "unload"; readonly program: number };

/** What a thread answers when it has loaded a program. */
export interface FromThread {
  readonly kind: "loaded";
  readonly program: number;
}

/** What a thread begins with. */
export interface ThreadStart {
  /** From 1; thread 0 is the one that owns the pool. */
  readonly thread: number;
  readonly control: SharedArrayBuffer;
}
