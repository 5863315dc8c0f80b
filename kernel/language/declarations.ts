import ts from "typescript";
import { parseCell } from "./parse.ts";

/** Names under which a compiled module exports something, types included; `default` is not among them. */
export function exportedNames(program: ts.Program, modulePath: string): string[] {
  const declarations = program.getSourceFile(modulePath.replace(/\.js$/, ".d.ts"));
  const checker = program.getTypeChecker();
  const symbol = declarations && checker.getSymbolAtLocation(declarations);
  if (symbol === undefined) return [];
  return checker
    .getExportsOfModule(symbol)
    .map(({ name }) => name)
    .filter((name) => name !== "default" && !name.startsWith("__"));
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

/** Declarations of every name that a cell declares at its top level, each of type `any`. */
export function untypedDeclarations(source: string): string {
  const file = parseCell(source);
  const names = new Set<string>();
  const bind = (name: ts.BindingName): void => {
    if (ts.isIdentifier(name)) names.add(name.text);
    else for (const element of name.elements) if (ts.isBindingElement(element)) bind(element.name);
  };
  for (const statement of file.statements) {
    if (ts.isVariableStatement(statement)) {
      for (const declaration of statement.declarationList.declarations) bind(declaration.name);
    } else if (
      (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement) || ts.isEnumDeclaration(statement)) &&
      statement.name
    ) {
      names.add(statement.name.text);
    }
  }
  return [...names].map((name) => `let ${name}: any;\n`).join("");
}
