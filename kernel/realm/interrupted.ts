import { type Cell, runningCells } from "./cell.ts";
import { describeError, Interrupted } from "./errors.ts";
import type { Outcome } from "./messages.ts";
import { cellPosition } from "./sources.ts";
import { isWaiting, waitingFrame } from "./waits.ts";

/** The kernel has this run in the midst of whatever keeps the worker busy; see terminate.ts. */
export const notingExpression = "__tessera__.noteStack() //# sourceURL=node:interrupt";

/** Deep enough to reach the cell from anywhere in a library. */
const mostFrames = 100;

let noted: Interrupted | undefined;

/** Remembers by which way the code came that runs now, just before it is terminated. */
export function noteStack(): void {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = mostFrames;
  noted = new Interrupted();
  Error.captureStackTrace(noted, noteStack);
  Error.stackTraceLimit = stackTraceLimit;
}

/** What is said of a cell that was stopped: the line in which it was or, if other code ran or none, in which it waited. */
export function interruptedOutcome(cell: Cell): Outcome {
  const stack = noted?.stack ?? "";
  const ranThere = runningCells().length === 1 ? cellPosition(stack) !== undefined : stack.includes(cell.name);
  if (noted !== undefined && ranThere) return { status: "error", ...describeError(noted) };
  const interrupted = new Interrupted();
  // A cell that is not on the stack waits. Where there was none it may do so in a way that is not followed.
  const isKnown = noted !== undefined || isWaiting(cell);
  interrupted.stack = `${interrupted}\n    ${(isKnown && waitingFrame(cell)) || ""}`;
  return { status: "error", ...describeError(interrupted) };
}

/** What was noted belongs to one interrupt. */
export function forgetStack(): void {
  noted = undefined;
}
