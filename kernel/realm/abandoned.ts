import { Session } from "node:inspector";
import { promiseHooks } from "node:v8";
import { runningCells } from "./cell.ts";
import { mendAfterTermination } from "./mend.ts";
import { hooksFlag } from "./port.ts";

/** Promises that were made after the last interrupt, by code that was not stopped by it. */
let fresh: WeakSet<Promise<unknown>> | undefined;
let inAbandoned = false;

/**
 * From now on, whatever waits for a promise waits in vain: an interrupted cell that reads files in an endless loop must
 * not come back when the next file has been read, and an async function cannot be ended from outside while it waits. So
 * V8 tells us before each continuation, and one that is older than the interrupt is terminated as it begins.
 *
 * Termination empties V8's queue of continuations. While a cell runs that could cost the cell its own, so then the
 * abandoned code is let go on for a step, and is ended when the cell is. Where async_hooks are in use it is not ended at
 * all, since Node would abort.
 */
export function abandonWaiting(): void {
  const hooked = fresh !== undefined;
  fresh = new WeakSet();
  inAbandoned = false;
  // Costs every promise a little, so only notebooks that were ever interrupted pay for it.
  if (hooked) return;
  const session = new Session();
  session.connect();
  promiseHooks.createHook({
    init(promise) {
      if (!inAbandoned) fresh?.add(promise);
    },
    before(promise) {
      inAbandoned = fresh?.has(promise) === false;
      if (!inAbandoned || runningCells().length > 0 || Atomics.load(hooksFlag, 0) !== 0) return;
      // What is terminated comes to no `after`.
      inAbandoned = false;
      mendAfterTermination(() => {});
      session.post("Runtime.terminateExecution");
    },
    after() {
      inAbandoned = false;
    },
  });
}
