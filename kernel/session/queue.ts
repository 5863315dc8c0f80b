/** Cells wait here for their turn. Each main shell and subshell has a queue of its own. */
export class ExecutionQueue {
  readonly #waiting: { run(): Promise<void>; abort(): void }[] = [];
  #busy = false;

  /** Runs `run` when all before it have ended, or calls `abort` if it is dropped before. */
  add(run: () => Promise<void>, abort: () => void): void {
    this.#waiting.push({ run, abort });
    void this.#work();
  }

  /** Drops everything that has not begun. */
  abortWaiting(): void {
    for (const { abort } of this.#waiting.splice(0)) abort();
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) await next.run();
    this.#busy = false;
  }
}
