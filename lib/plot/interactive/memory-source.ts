import type { MemoryReport } from "../../memory/index.ts";
import { cropWindow, readWindow, type StoredWindow } from "../memory/memory-levels.ts";
import { windowOf } from "../memory/memory-window.ts";
import type { MemoryWindow, Range } from "../memory/window-data.ts";

/** Asks a living kernel for what a figure's stored data leave out; null where the kernel does not know the figure. */
export type Ask = (request: unknown) => Promise<unknown>;

/** Where a memory view gets what it draws. */
export interface MemorySource {
  readonly whole: MemoryWindow;
  /** A part of it at once, as fine as what is stored. */
  cut(steps: Range, addresses: Range): MemoryWindow;
  /** The same part as finely as it can be drawn, where a kernel lives that has the whole report. */
  readonly refine?: (steps: Range, addresses: Range) => Promise<MemoryWindow | null>;
  /** The step that executes an operation, as far as the data tell. */
  stepOf(operation: number): number | undefined;
}

/** Reads what is stored of a memory figure: a report, which is cut here, or one window of it. */
export function readMemory(data: MemoryReport | StoredWindow, ask: Ask | undefined): MemorySource {
  if (data.kind === "memory") {
    const steps = new Map(data.steps.flatMap(({ operations = [] }, step) => operations.map((id) => [id, step])));
    return {
      whole: windowOf(data),
      cut: (from, addresses) => windowOf(data, undefined, from, addresses),
      stepOf: (operation) => steps.get(operation),
    };
  }
  const whole = readWindow(data);
  const steps = new Map(
    whole.columns.flatMap(({ step, label: { operations = [] } }) => operations.map((id) => [id, step])),
  );
  return {
    whole,
    cut: (from, addresses) => cropWindow(whole, from, addresses),
    ...(ask && {
      refine: async (from: Range, addresses: Range) => {
        const answer = (await ask({ steps: from, addresses })) as StoredWindow | null;
        return answer && readWindow(answer);
      },
    }),
    stepOf: (operation) => steps.get(operation),
  };
}
