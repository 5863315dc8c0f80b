/** How far a long piece of work has come. */
export interface Progress {
  /** Reports with one id belong to one piece of work. */
  readonly id: string;
  readonly title: string;
  readonly done: number;
  /** Left out while nobody knows. */
  readonly total?: number;
  /** What there is to say at this point, such as `loss 0.31`. */
  readonly note: string;
  readonly finished: boolean;
}

/** What the outside lends to the library. */
export interface Host {
  report(progress: Progress): void;
  /** Not zero at element 0 means: stop at the next safe point. Shared with whoever interrupts; null for nobody. */
  readonly interruptFlag: Int32Array | null;
}

let current: Host = { report: () => {}, interruptFlag: null };

/** Says who shows progress and who may interrupt. */
export function setHost(host: Host): void {
  current = host;
}

/** Who shows progress and who may interrupt: nobody, until somebody says so. */
export function host(): Host {
  return current;
}

/** Work was stopped at a safe point because somebody asked for it. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}

/** True if somebody asked to stop. */
export function interruptRequested(): boolean {
  const { interruptFlag } = current;
  return interruptFlag !== null && Atomics.load(interruptFlag, 0) !== 0;
}

/** How long to work before letting others through, in milliseconds. */
const millisecondsOfWork = 50;

/** A timer waits for at least a millisecond, which is much beside 50; browsers have nothing else. */
const afterOthers: (go: () => void) => void =
  typeof setImmediate === "function" ? (go) => void setImmediate(go) : (go) => void setTimeout(go, 0);

/** Long work takes a pause now and then, so that messages, timers and pictures come through. */
export class Pauses {
  #last = performance.now();

  /** True if it is time for a pause. */
  due(): boolean {
    return performance.now() - this.#last > millisecondsOfWork;
  }

  /** Lets whatever waits come first: one turn of the event loop. */
  async take(): Promise<void> {
    await new Promise<void>((resolve) => afterOthers(resolve));
    this.#last = performance.now();
  }
}
