import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import type { ErrorContent } from "../protocol/index.ts";
import { bold, dim, excerptOf, red } from "./excerpt.ts";
import { type CellPosition, cellPosition, sourceLines } from "./sources.ts";

/** What ends a cell that was told to stop. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  constructor() {
    super("the cell was stopped; the values of all cells are kept");
  }
}

/** Folder that holds everything of ours, as it stands in stack frames. */
const packageFolder = fileURLToPath(new URL("../..", import.meta.url));

/** Tells an error as a reader of the notebook needs it: what, where in the cell, and by which way. */
export function describeError(thrown: unknown): ErrorContent {
  if (!isError(thrown)) {
    const evalue = typeof thrown === "string" ? thrown : inspect(thrown);
    return {
      ename: thrown === null ? "null" : typeof thrown,
      evalue,
      traceback: [`${red(bold("Thrown"))}: ${evalue}`],
    };
  }
  const ename = String(thrown.name || "Error");
  const evalue = String(thrown.message);
  return { ename, evalue, traceback: [`${red(bold(ename))}: ${evalue}`, ...trace(thrown)] };
}

function isError(thrown: unknown): thrown is Error {
  return (
    thrown instanceof Error ||
    (typeof thrown === "object" && thrown !== null && "stack" in thrown && "message" in thrown)
  );
}

function trace(error: Error, depth = 0): string[] {
  const frames = framesOf(error);
  const own = frames.map(cellPosition).find((position) => position !== undefined);
  const lines = [...(own ? excerpt(own) : []), ...fold(frames, own)];
  if (error instanceof AggregateError && depth < 3) {
    for (const inner of error.errors) lines.push(...nested("one of the errors", inner, depth));
  }
  if (error.cause !== undefined && depth < 3) lines.push(...nested("caused by", error.cause, depth));
  return lines;
}

function nested(relation: string, thrown: unknown, depth: number): string[] {
  if (!isError(thrown)) return [`${dim(relation)} ${inspect(thrown)}`];
  return [`${dim(relation)} ${red(`${thrown.name}: ${thrown.message}`)}`, ...trace(thrown, depth + 1)];
}

function framesOf(error: Error): string[] {
  const stack = typeof error.stack === "string" ? error.stack : "";
  return stack
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim());
}

function excerpt({ name, line, column }: CellPosition): string[] {
  const lines = sourceLines(name);
  return lines === undefined ? [] : excerptOf(lines, line, column);
}

/**
 * Frames for the reader: those of cells and of the reader's own files; ours and Node's are counted only.
 *
 * @param shown a place whose lines stand above: of other places in cells each frame says its line
 */
function fold(frames: readonly string[], shown: CellPosition | undefined): string[] {
  const lines: string[] = [];
  let folded = 0;
  let repeated = 0;
  const endFold = (): void => {
    if (folded > 0) lines.push(dim(`    … ${folded} ${folded === 1 ? "frame" : "frames"} inside Tessera`));
    folded = 0;
    if (repeated > 0) lines.push(dim(`    … ${repeated} more of the same`));
    repeated = 0;
  };
  let last = "";
  for (const frame of frames) {
    if (isNodes(frame)) continue;
    if (frame.includes(packageFolder) && !frame.includes("/test/")) {
      if (!frame.includes("/kernel/realm/")) folded++;
      continue;
    }
    if (frame === last) {
      repeated++;
      continue;
    }
    endFold();
    last = frame;
    const position = cellPosition(frame);
    lines.push(`    ${position ? frame : dim(frame)}${position ? lineBeside(position, shown) : ""}`);
  }
  endFold();
  return lines;
}

function lineBeside({ name, line }: CellPosition, shown: CellPosition | undefined): string {
  const text = sourceLines(name)?.[line - 1]?.trim() ?? "";
  return text === "" || (name === shown?.name && line === shown.line) ? "" : dim(`  │ ${text}`);
}

function isNodes(frame: string): boolean {
  return /\(?node:|^at (async )?(new )?Promise|\(<anonymous>\)$|^at <anonymous>$/.test(frame);
}
