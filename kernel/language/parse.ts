import ts from "typescript";

/** A cell's syntax tree, with the mistakes that the parser found. */
export interface ParsedCell extends ts.SourceFile {
  readonly parseDiagnostics: readonly ts.DiagnosticWithLocation[];
}

/** Parses a cell as what it is: a module, whether it imports or exports anything or not, so that it may await. */
export function parseCell(code: string): ParsedCell {
  const options: ts.CreateSourceFileOptions = {
    languageVersion: ts.ScriptTarget.Latest,
    setExternalModuleIndicator(file) {
      (file as { externalModuleIndicator?: ts.Node | true }).externalModuleIndicator = true;
    },
  };
  return ts.createSourceFile("cell.ts", code, options, true, ts.ScriptKind.TS) as ParsedCell;
}
