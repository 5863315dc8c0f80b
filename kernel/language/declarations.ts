import ts from "typescript";
import { parseCell } from "./parse.ts";

/** Every module that a cell names, by whatever kind of import. */
export function importedNames(source: string): string[] {
  if (!/\b(import|from|require|reference)\b/.test(source)) return [];
  const { importedFiles, typeReferenceDirectives } = ts.preProcessFile(source, true, true);
  return [...importedFiles, ...typeReferenceDirectives].map(({ fileName }) => fileName);
}

/** The names of `declare global` and `declare module "…"`, by which a cell adds to what other modules see. */
export function moduleAugmentations(file: ts.SourceFile): ts.ModuleName[] {
  return file.statements
    .filter((statement) => ts.isModuleDeclaration(statement))
    .filter(({ name, flags }) => ts.isStringLiteral(name) || (flags & ts.NodeFlags.GlobalAugmentation) !== 0)
    .map(({ name }) => name);
}

/**
 * Blanks out what makes a declaration of a cell an export: every declaration is visible to later cells anyway, and the
 * converter adds exports of its own. The text keeps its length, so positions stay true.
 */
export function withoutExports(source: string): string {
  if (!source.includes("export")) return source;
  const file = parseCell(source);
  const blanks: [start: number, end: number][] = [];
  for (const statement of file.statements) {
    if (ts.isExportDeclaration(statement) && !statement.moduleSpecifier) {
      blanks.push([statement.getStart(file), statement.end]);
    } else if (ts.isExportAssignment(statement)) {
      blanks.push([statement.getStart(file), statement.expression.getStart(file)]);
    } else if (ts.canHaveModifiers(statement)) {
      for (const modifier of ts.getModifiers(statement) ?? []) {
        const exporting =
          modifier.kind === ts.SyntaxKind.ExportKeyword || modifier.kind === ts.SyntaxKind.DefaultKeyword;
        if (exporting) blanks.push([modifier.getStart(file), modifier.end]);
      }
    }
  }
  let text = source;
  for (const [start, end] of blanks) {
    text = text.slice(0, start) + text.slice(start, end).replace(/[^\n]/g, " ") + text.slice(end);
  }
  return text;
}
