import type { Diagnostic } from "../language/index.ts";
import type { ErrorContent } from "../protocol/index.ts";
import { excerptOf } from "../realm/index.ts";
import { insteadOfMagic } from "./habits.ts";

const mostShown = 10;

/** What the reader sees of a cell that the compiler refused: every mistake with its line and a caret. */
export function describeDiagnostics(diagnostics: readonly Diagnostic[], code: string, name: string): ErrorContent {
  const lines = code.split("\n");
  const traceback: string[] = [];
  for (const { line, column, endLine, endColumn, message, code: number, file } of diagnostics.slice(0, mostShown)) {
    traceback.push(
      `\x1b[31m\x1b[1mTypeScriptError\x1b[22m\x1b[39m TS${number} in ${file ?? name}:${line}:${column}: ${message}`,
    );
    if (file !== undefined) continue;
    const lineEnd = lines[line - 1].length + 1;
    traceback.push(...excerptOf(lines, line, column, (endLine === line ? endColumn : lineEnd) - column));
  }
  const hidden = diagnostics.length - mostShown;
  if (hidden > 0) traceback.push(`… and ${hidden} more`);
  const instead = insteadOfMagic(code);
  if (instead !== undefined) traceback.push(instead);
  const [first] = diagnostics;
  const more = diagnostics.length > 1 ? ` (and ${diagnostics.length - 1} more)` : "";
  const place = `${first.file ?? name}:${first.line}:${first.column}`;
  return { ename: "TypeScriptError", evalue: `${place}: ${first.message} (TS${first.code})${more}`, traceback };
}
