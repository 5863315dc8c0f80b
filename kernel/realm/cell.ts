import { AsyncLocalStorage } from "node:async_hooks";

/** One execution of a cell, for as long as any of its code may still run. */
export class Cell {
  readonly id: number;
  readonly name: string;
  readonly allowInput: boolean;
  /** Set by the cell's last expression. */
  value: unknown;
  /** Set once the kernel has been told how the cell ended. */
  finished = false;
  /** Displays that are still being drawn; the cell ends after them. */
  readonly drawing = new Set<Promise<void>>();

  constructor(id: number, name: string, allowInput: boolean) {
    this.id = id;
    this.name = name;
    this.allowInput = allowInput;
  }
}

/** Follows a cell through its promises, timers and callbacks. */
const storage = new AsyncLocalStorage<Cell>();
let latest = new Cell(0, "start", false);

/** Runs the code of a cell, and everything that it sets going, in the cell's name. */
export function runInCell<Result>(cell: Cell, run: () => Result): Result {
  latest = cell;
  return storage.run(cell, run);
}

/** The cell whose code is running; the latest one where that is not known, as in the callbacks of native modules. */
export function currentCell(): Cell {
  return storage.getStore() ?? latest;
}
