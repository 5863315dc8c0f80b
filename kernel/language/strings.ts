import ts from "typescript";
import type { Completions } from "./messages.ts";
import { parseCell } from "./parse.ts";

/** A string in which the cursor stands. */
export interface StringAtCursor {
  /** Where its text begins, behind the quote. */
  readonly start: number;
  /** Its text up to the cursor. */
  readonly typed: string;
  /** Its whole text. */
  readonly text: string;
  /** Whether it names a module: `import … from "here"`, `import("here")`, `require("here")`. */
  readonly namesModule: boolean;
}

/** The string in which a position lies, finished or not. */
export function stringAt(code: string, position: number): StringAtCursor | undefined {
  if (!/["'`]/.test(code.slice(0, position))) return undefined;
  const file = parseCell(code);
  const find = (node: ts.Node): ts.StringLiteralLike | undefined => {
    if (position <= node.pos || position > node.end) return undefined;
    if (ts.isStringLiteralLike(node)) {
      const isInside = position > node.getStart(file) && (position < node.end || node.isUnterminated === true);
      return isInside ? node : undefined;
    }
    return ts.forEachChild(node, find);
  };
  const literal = find(file);
  if (literal === undefined) return undefined;
  const start = literal.getStart(file) + 1;
  return { start, typed: code.slice(start, position), text: literal.text, namesModule: namesModule(literal) };
}

function namesModule({ parent }: ts.Node): boolean {
  if (ts.isCallExpression(parent)) {
    const { expression } = parent;
    return (
      expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === "require")
    );
  }
  return ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent) || ts.isExternalModuleReference(parent);
}

/**
 * What may stand in a string: what its type allows or, for a module, what can be imported, as the compiler knows both; or
 * else the paths of files, which a cell reads relative to its working directory.
 *
 * @param known what the compiler proposes
 */
export function completeString(
  { start, typed, namesModule }: StringAtCursor,
  known: readonly ts.CompletionEntry[],
  system: ts.System,
): Completions {
  const end = start + typed.length;
  const isPath = /^(\.{0,2}\/|\.{1,2}$)/.test(typed);
  if (known.length > 0 && !(namesModule && isPath)) {
    const matches = known.filter(({ name }) => name.startsWith(typed));
    return { start, end, matches: matches.map(({ name, kind }) => ({ text: name, type: kind })) };
  }
  const paths = namesModule && !isPath ? [] : pathsFrom(typed, system).filter((path) => !namesModule || isModule(path));
  return { start, end, matches: paths.map((text) => ({ text, type: "path" })) };
}

/** Files and folders whose path begins like this, folders with a slash at their end. */
function pathsFrom(typed: string, system: ts.System): string[] {
  const slash = typed.lastIndexOf("/") + 1;
  const [folder, stem] = [typed.slice(0, slash), typed.slice(slash)];
  const path = folder.startsWith("/") ? folder : `${system.getCurrentDirectory()}/${folder}`;
  if (!system.directoryExists(path)) return [];
  const folders = system.getDirectories(path).map((name) => `${name}/`);
  const files = system.readDirectory(path, undefined, undefined, ["*"], 1).map((file) => file.split("/").at(-1) ?? "");
  return [...folders, ...files]
    .filter((name) => name.startsWith(stem) && (stem !== "" || !name.startsWith(".")))
    .sort()
    .map((name) => folder + name);
}

function isModule(path: string): boolean {
  return /(\/|\.[cm]?[jt]sx?|\.json)$/.test(path) && !/\.d\.[cm]?ts$/.test(path);
}
