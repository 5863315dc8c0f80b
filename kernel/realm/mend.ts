/** Thrown where nothing catches it, to make Node put its books in order. */
const mending = new Error("internal: thrown to make Node forget the callbacks that were terminated");

const waiting: (() => void)[] = [];

/**
 * JavaScript that is terminated never leaves the callbacks that it was in, by Node's books, and Node aborts the process
 * when it finds that out: as soon as anything uses async_hooks. After an error that nobody caught it throws those books
 * away, so after a termination we make one. Calls `done` when that has happened.
 */
export function mendAfterTermination(done: () => void): void {
  waiting.push(done);
  setImmediate(() => {
    throw mending;
  });
}

/** Whether an uncaught error is ours, and dealt with herewith. */
export function mended(error: unknown): boolean {
  if (error !== mending) return false;
  for (const done of waiting.splice(0)) done();
  return true;
}
