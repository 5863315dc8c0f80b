import { inspect, types } from "node:util";
import { type Cell, runningCellNamed } from "./cell.ts";

// Every `await` that stands in a cell itself is given its value through here; see ../language/transform.ts.

/** Notes what a cell is about to wait for, and gives it back. */
export function wait<Awaited>(awaited: Awaited, cellName: string, line: number, column: number): Awaited {
  const cell = runningCellNamed(cellName);
  if (cell !== undefined) cell.wait = { awaited, line, column };
  return awaited;
}

/** The same for what `for await` goes through, at every step of it. */
export function waitEach(iterable: unknown, cellName: string, line: number, column: number): unknown {
  const begin = (iterable as AsyncIterable<unknown> | null | undefined)?.[Symbol.asyncIterator];
  if (typeof begin !== "function") {
    if (typeof (iterable as Iterable<unknown> | null | undefined)?.[Symbol.iterator] === "function") return iterable;
    throw new TypeError(`for await: must be given something iterable, got ${inspect(iterable, { depth: 0 })}`);
  }
  return {
    [Symbol.asyncIterator](): AsyncIterator<unknown> {
      const iterator = begin.call(iterable as AsyncIterable<unknown>);
      return {
        next: () => wait(iterator.next(), cellName, line, column),
        // A loop that is left early asks for this method, and calls it if it is there.
        get return() {
          const end = iterator.return;
          return end && (() => wait(end.call(iterator), cellName, line, column));
        },
      };
    },
  };
}

/** Where a cell waits, as a stack frame; undefined where it had not waited yet. */
export function waitingFrame({ name, wait: last }: Cell): string | undefined {
  return last && `at ${name}:${last.line}:${last.column}`;
}

/**
 * Whether what a cell was known to wait for last has not come yet. JavaScript itself does not tell. What is awaited and is
 * no promise is taken for something that has come.
 */
export function isWaiting({ wait: last }: Cell): boolean {
  const awaited = last?.awaited;
  return types.isPromise(awaited) && /^[^{]*\{ <pending>/.test(inspect(awaited, { depth: 0, customInspect: false }));
}
