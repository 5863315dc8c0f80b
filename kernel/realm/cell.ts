/** What a cell waits for, or waited for last, and where in it. */
export interface Wait {
  readonly awaited: unknown;
  /** Counted from 1, as is `column`. */
  readonly line: number;
  readonly column: number;
}

/** One execution of a cell. */
export class Cell {
  readonly id: number;
  readonly name: string;
  readonly allowInput: boolean;
  /** Set once the kernel has been told how the cell ended. */
  finished = false;
  /** What its own `await` was given last. */
  wait: Wait | undefined;
  /** Displays that are still being drawn; the cell ends after them. */
  readonly drawing = new Set<Promise<void>>();

  constructor(id: number, name: string, allowInput: boolean) {
    this.id = id;
    this.name = name;
    this.allowInput = allowInput;
  }
}

/** Cells that have begun and not ended, oldest first; more than one only with subshells. */
const running: Cell[] = [];
let latest = new Cell(0, "start", false);

/** Makes a cell the one in whose name code speaks. */
export function beginCell(cell: Cell): void {
  running.push(cell);
  latest = cell;
}

export function endCell(cell: Cell): void {
  cell.wait = undefined;
  const index = running.indexOf(cell);
  if (index >= 0) running.splice(index, 1);
  latest = running.at(-1) ?? cell;
}

/** The newest cell of this name that has begun and not ended. */
export function runningCellNamed(name: string): Cell | undefined {
  return running.findLast((cell) => cell.name === name);
}

/** All cells that have begun and not ended. */
export function runningCells(): readonly Cell[] {
  return [...running];
}

/**
 * The cell in whose name code speaks now: the newest that runs, or else the last one that ran.
 *
 * Node could follow each promise and timer to its cell (async_hooks), but it aborts the whole process when code under
 * such hooks is terminated, and an interrupt must be able to terminate anything.
 */
export function currentCell(): Cell {
  return latest;
}
