import { stripVTControlCharacters } from "node:util";
import type { Json, JsonObject } from "../protocol/index.ts";
import { type Cell, type CodeCell, isJsonMime, type Notebook, type Output, tagsOf } from "./notebook.ts";
import { isExecuted } from "./run-notebook.ts";

/** A cell whose outputs are not those that the notebook stores. */
export interface Difference {
  /** Position of the cell among those that are executed, from 1. */
  readonly number: number;
  readonly index: number;
  /** Lines for the reader: `-` as stored, `+` as now. */
  readonly lines: readonly string[];
}

/** What a comparison found. */
export interface Comparison {
  /** How many cells store outputs and were compared. */
  readonly compared: number;
  readonly differences: readonly Difference[];
}

/** Tags of cells whose outputs change from run to run, such as times; nbval's tag is understood, too. */
const exempt = ["ignore-output", "nbval-ignore-output"];

/** Formats that show the same thing in other ways; what one renderer makes of it is not compared. */
const isCompared = (mime: string): boolean => mime.startsWith("text/") || isJsonMime(mime);

const mostLines = 12;

/**
 * Compares the outputs of a run with those that the notebook stored before it. Numbers in texts may differ by a
 * tolerance, relative to the larger of two and absolute below 1; all else must be equal. Pictures, progress, streams of
 * errors, and cells without stored outputs are not compared.
 */
export function compareOutputs(stored: Notebook, run: Notebook, tolerance: number): Comparison {
  const differences: Difference[] = [];
  let compared = 0;
  // A cell that only carries a run's parameters has no counterpart.
  const kept = (cell: Cell): cell is CodeCell => isExecuted(cell) && !tagsOf(cell).includes("injected-parameters");
  const before = stored.cells.filter(kept);
  const after = run.cells.filter(kept);
  for (const [position, cell] of before.entries()) {
    if (cell.outputs.length === 0 || tagsOf(cell).some((tag) => exempt.includes(tag))) continue;
    const now = after[position];
    if (now === undefined) continue;
    compared++;
    const lines = compareCell(cell, now, tolerance);
    if (lines.length > 0) differences.push({ number: position + 1, index: stored.cells.indexOf(cell), lines });
  }
  return { compared, differences };
}

function compareCell(stored: CodeCell, now: CodeCell, tolerance: number): string[] {
  const [before, after] = [facets(stored.outputs), facets(now.outputs)];
  const lines: string[] = [];
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(key), after.get(key)];
    if (was === undefined) lines.push(`+ ${key}: ${shorten(is ?? "")}`);
    else if (is === undefined) lines.push(`- ${key}: ${shorten(was)}`);
    else lines.push(...compareText(was, is, tolerance));
  }
  return lines.length <= mostLines
    ? lines
    : [...lines.slice(0, mostLines), `… and ${lines.length - mostLines} more lines`];
}

/** What there is to compare in some outputs: texts by name. Text that was printed in pieces is one text. */
function facets(outputs: readonly Output[]): Map<string, string> {
  const found = new Map<string, string>();
  const add = (key: string, text: string): void => void found.set(key, (found.get(key) ?? "") + text);
  for (const [index, output] of outputs.entries()) {
    if (output.output_type === "stream") {
      if (output.name === "stdout") add("printed", stripVTControlCharacters(output.text));
    } else if (output.output_type === "error") {
      add("error", `${output.ename}: ${stripVTControlCharacters(output.evalue)}\n`);
    } else if (!isProgress(output)) {
      for (const [mime, data] of Object.entries(output.data)) {
        // Of the same value in several formats, the first that can be compared says enough; the others must be there.
        add(`output ${index + 1}, ${mime}`, isCompared(mime) ? textOf(data) : "");
      }
    }
  }
  return found;
}

/** A bar, which tells times: the kernel marks it in the output's metadata. */
function isProgress({ metadata }: { readonly metadata: JsonObject }): boolean {
  return (metadata.tessera as JsonObject | null | undefined)?.progress === true;
}

function textOf(data: Json | undefined): string {
  return typeof data === "string" ? stripVTControlCharacters(data) : JSON.stringify(sorted(data ?? null), null, 1);
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value as JsonObject).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item ?? null)]));
}

const number = /[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/g;

function compareText(was: string, is: string, tolerance: number): string[] {
  const before = was.trimEnd().split("\n");
  const after = is.trimEnd().split("\n");
  const lines: string[] = [];
  for (let i = 0; i < Math.max(before.length, after.length); i++) {
    if (before[i] === undefined) lines.push(`+ ${shorten(after[i])}`);
    else if (after[i] === undefined) lines.push(`- ${shorten(before[i])}`);
    else if (!isClose(before[i], after[i], tolerance)) {
      lines.push(`- ${shorten(before[i])}`, `+ ${shorten(after[i])}${distance(before[i], after[i])}`);
    }
  }
  return lines;
}

/** Whether two lines are equal but for numbers that are near each other. Columns may shift with the width of a number. */
function isClose(was: string, is: string, tolerance: number): boolean {
  if (was === is) return true;
  const frame = (line: string): string =>
    line
      .replace(number, "#")
      .replace(/[ ─-]+/g, " ")
      .trim();
  if (frame(was) !== frame(is)) return false;
  return farthest(was, is) <= tolerance;
}

/** The largest difference of the numbers in two lines, each relative to the larger of two, or to 1. */
function farthest(was: string, is: string): number {
  const [before, after] = [was.match(number) ?? [], is.match(number) ?? []];
  let most = 0;
  for (const [index, text] of before.entries()) {
    const [a, b] = [Number(text), Number(after[index])];
    most = Math.max(most, Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b), 1));
  }
  return before.length === after.length ? most : Number.POSITIVE_INFINITY;
}

function distance(was: string, is: string): string {
  const far = farthest(was, is);
  return Number.isFinite(far) && far > 0 ? `   (differs by ${far.toPrecision(2)})` : "";
}

function shorten(line: string): string {
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
