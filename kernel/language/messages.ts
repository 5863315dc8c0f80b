import type { JsonObject } from "../protocol/index.ts";
import type { TransformedCell } from "./transform.ts";

/** One mistake that the compiler found in a cell, or in a file that a cell imports. */
export interface Diagnostic {
  /** Line and column, counted from 1; columns in UTF-16 units. */
  readonly line: number;
  readonly column: number;
  /** End of the offending text, not included. */
  readonly endLine: number;
  readonly endColumn: number;
  readonly message: string;
  /** TypeScript's number for this kind of mistake. */
  readonly code: number;
  /** The imported file, relative to the working directory; absent where the mistake is in the cell itself. */
  readonly file?: string;
}

/** A cell that the compiler accepted, ready to run; or what it refused. */
export type CheckedCell =
  | ({ readonly status: "ok" } & TransformedCell)
  | { readonly status: "error"; readonly diagnostics: readonly Diagnostic[] };

/** The way to a value of the notebook: a name of the outermost scope, and keys from there. */
export type ValuePath = readonly string[];

/** Positions in UTF-16 units. */
export interface Completions {
  readonly start: number;
  readonly end: number;
  readonly matches: readonly { readonly text: string; readonly type: string }[];
  /** Where types know no member: the value that may have some. `quoted` for any key, otherwise it must be an identifier. */
  readonly membersOf?: { readonly path: ValuePath; readonly quoted: boolean };
}

/** What types know about a name, and the way to its value. */
export interface Inspection {
  readonly data: JsonObject | null;
  readonly path: ValuePath | null;
}

export type Completeness =
  | { readonly status: "complete" | "invalid" }
  | { readonly status: "incomplete"; readonly indent: string };

/** What the language process answers. Every method may be asked while a cell runs. */
export interface Language {
  /** Checks a cell against all earlier ones and, if it is sound, remembers what it declares. */
  check(cell: { readonly code: string; readonly name: string }): CheckedCell;
  /** Translates an expression without checking it or remembering anything. */
  translate(cell: { readonly code: string; readonly name: string }): CheckedCell;
  complete(cursor: { readonly code: string; readonly position: number }): Completions;
  /** Plain text and markdown about the name at the cursor, or about the function whose call it stands in. */
  inspect(cursor: { readonly code: string; readonly position: number }): Inspection;
  isComplete(cell: { readonly code: string }): Completeness;
  /**
   * Forgets of old cells what no later one can see, if at least so many were checked since that was done last. Takes about
   * a tenth of a second. Says whether it has; then there is garbage to be collected.
   */
  settle(cells: { readonly atLeast: number }): boolean;
  /** Forgets every cell. */
  reset(none: Record<string, never>): null;
}

/** A question to the language process, and its answer; `id` pairs them. */
export type LanguageRequest = {
  [Method in keyof Language]: {
    readonly id: number;
    readonly method: Method;
    readonly parameters: Parameters<Language[Method]>[0];
  };
}[keyof Language];

export type LanguageResponse =
  | { readonly id: number; readonly result: ReturnType<Language[keyof Language]> }
  | { readonly id: number; readonly failure: string };

/** Where a notebook's names and modules come from; all paths absolute. */
export interface LanguageOptions {
  readonly workingDirectory: string;
  /** Compiled modules (`.js` beside their `.d.ts`) of which every export is visible without an import. */
  readonly preloaded: readonly string[];
  /** Bare module name → compiled module, importable by that name from any working directory. */
  readonly modules: Readonly<Record<string, string>>;
  /** Folder that holds the declarations of Node as `node/`. */
  readonly typeRoot: string;
}
