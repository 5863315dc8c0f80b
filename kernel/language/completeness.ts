import type { Completeness } from "./messages.ts";
import { parseCell } from "./parse.ts";

const unterminatedString = 1002;

/** A block comment and a template run on over the end of a line; their report covers all of the text to the end. */
const unterminated = new Set([1010, 1160]);

/**
 * Whether a console should run the code, ask for another line, or point to a mistake. Incomplete means that the parser
 * misses something just where the text ends.
 */
export function completenessOf(code: string): Completeness {
  const { parseDiagnostics } = parseCell(code);
  const [first] = parseDiagnostics;
  if (first === undefined) return { status: "complete" };
  const missing = unterminated.has(first.code) || first.start >= code.trimEnd().length;
  // A string ends where its line does: no further line can mend it.
  return missing && first.code !== unterminatedString
    ? { status: "incomplete", indent: indentAfter(code) }
    : { status: "invalid" };
}

/** The indentation for the line after `code`: as deep as its last line, and two more where that opens a bracket. */
function indentAfter(code: string): string {
  const line = code.slice(code.lastIndexOf("\n") + 1);
  const current = line.match(/^\s*/)?.[0] ?? "";
  return /([{([]|=>)\s*(\/\/.*)?$/.test(line) ? `${current}  ` : current;
}
