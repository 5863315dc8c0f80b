import { findSourceMap, SourceMap } from "node:module";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

/** A cell as it was typed, and the way back to it from the JavaScript that runs. */
interface CellSource {
  readonly lines: readonly string[];
  readonly sourceMap: string;
  decoded: SourceMap | undefined;
}

/** A place in a cell, counted from 1. */
export interface CellPosition {
  readonly name: string;
  readonly line: number;
  readonly column: number;
}

const sources = new Map<string, CellSource>();

/** Remembers a cell, so that its stack frames can be told in its own lines. */
export function rememberSource(name: string, source: string, sourceMap: string): void {
  sources.set(name, { lines: source.split("\n"), sourceMap, decoded: undefined });
}

/** The lines of a cell, as they were typed. */
export function sourceLines(name: string): readonly string[] | undefined {
  return sources.get(name)?.lines;
}

const positionInCell = /(cell\d+\.ts):(\d+):(\d+)/g;

/** Where a stack frame stands in a cell; undefined for a frame elsewhere. */
export function cellPosition(frame: string): CellPosition | undefined {
  const match = frame.matchAll(positionInCell).next().value;
  return match && { name: match[1], line: Number(match[2]), column: Number(match[3]) };
}

/** As the TypeScript files that a cell imports stand in stack frames; see typescript-hooks.ts. */
const positionInFile = /(file:\/\/[^\s()]+\?modified=[\d.]+):(\d+):(\d+)/g;

/** Rewrites positions in the JavaScript of cells, and of local files that they import, to those in their TypeScript. */
function toTypeScript(frame: string): string {
  return frame
    .replace(positionInCell, (whole, name: string, line: string, column: string) => {
      const source = sources.get(name);
      if (source === undefined || source.sourceMap === "") return whole;
      source.decoded ??= new SourceMap(JSON.parse(source.sourceMap));
      return `${name}:${original(source.decoded, line, column)}`;
    })
    .replace(positionInFile, (_whole, address: string, line: string, column: string) => {
      const path = relative(process.cwd(), fileURLToPath(address));
      return `${path.startsWith("..") ? path : `./${path}`}:${original(findSourceMap(address), line, column)}`;
    });
}

function original(map: SourceMap | undefined, line: string, column: string): string {
  const found = map?.findEntry(Number(line) - 1, Number(column) - 1);
  return found && "originalLine" in found
    ? `${found.originalLine + 1}:${found.originalColumn + 1}`
    : `${line}:${column}`;
}

const evaluateModule = new URL("evaluate.js", import.meta.url).href;

/** Makes `error.stack` speak of cells in TypeScript, whoever reads it. */
export function mapStackTraces(): void {
  Error.prepareStackTrace = (error, frames) => {
    const told = frames.map(String);
    // Below that lies how the kernel runs cells.
    const evaluation = told.findIndex((frame) => frame.includes(evaluateModule));
    const shown = evaluation < 0 ? told : told.slice(0, evaluation);
    return [describeHead(error), ...shown.map((frame) => `    at ${toTypeScript(frame)}`)].join("\n");
  };
}

function describeHead(error: Error): string {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    return "Error";
  }
}
