import { relative } from "node:path";
import ts from "typescript";
import type { Diagnostic } from "./messages.ts";

/** A mistake that the compiler found, told in places of the cell or of the reader's file. */
export function describeDiagnostic(
  { file, start = 0, length = 0, messageText, code }: ts.Diagnostic,
  cell: ts.SourceFile,
  workingDirectory: string,
): Diagnostic {
  const source = file ?? cell;
  const from = source.getLineAndCharacterOfPosition(start);
  const to = source.getLineAndCharacterOfPosition(Math.min(start + length, source.text.length));
  return {
    line: from.line + 1,
    column: from.character + 1,
    endLine: to.line + 1,
    endColumn: to.character + 1,
    message: ts.flattenDiagnosticMessageText(messageText, "\n"),
    code,
    ...(source === cell ? {} : { file: relative(workingDirectory, source.fileName) }),
  };
}

/** How the modules that hold types are called by those who read about them. */
export interface ModuleNames {
  /** Folder of a module's files, with a slash at its end → the module's name; `""` for names that need no import. */
  readonly folders: ReadonlyMap<string, string>;
  /** Path of a module without its extension → the name under which its namespace is visible. */
  readonly namespaces: ReadonlyMap<string, string>;
}

const importType = /(typeof )?import\("([^"]+)"\)(\.?)/g;

/**
 * Shortens what the compiler says about types that have no name in a cell: `typeof import("/long/way/lib/nn/index")` is
 * called `typeof nn`, and a type of a module that is visible anyway by its own name alone.
 */
export function readable(text: string, { folders, namespaces }: ModuleNames): string {
  return text.replace(importType, (whole, typeOf: string = "", path: string, dot: string) => {
    const space = namespaces.get(path.replace(/(\.d)?\.[cm]?[jt]s$/, ""));
    if (space !== undefined) return `${typeOf}${space}${dot}`;
    for (const [folder, name] of folders) {
      if (!path.startsWith(folder)) continue;
      if (name === "" && typeOf === "" && dot !== "") return "";
      return `${typeOf}import("${name || "tessera"}")${dot}`;
    }
    const modules = path.lastIndexOf("/node_modules/");
    return modules < 0 ? whole : `${typeOf}import("${path.slice(modules + "/node_modules/".length)}")${dot}`;
  });
}
