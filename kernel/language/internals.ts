import type ts from "typescript";

/**
 * The parts of the stock compiler that it exports but does not declare, and that tslab's converter or our door to it
 * needs. `typescript` is pinned to one version, and test/kernel/language says so when a part goes missing.
 */
export interface TypeScriptInternals {
  readonly nullTransformationContext: ts.TransformationContext;
  getTouchingPropertyName(sourceFile: ts.SourceFile, position: number): ts.Node;
  findPrecedingToken(position: number, sourceFile: ts.SourceFile): ts.Node | undefined;
  sortAndDeduplicateDiagnostics(diagnostics: readonly ts.Diagnostic[]): readonly ts.Diagnostic[];
  readonly Completions: {
    getCompletionsAtPosition(...parameters: unknown[]): ts.CompletionInfo | undefined;
  };
  readonly SymbolDisplay: {
    getSymbolDisplayPartsDocumentationAndSymbolKind(
      checker: ts.TypeChecker,
      symbol: ts.Symbol,
      sourceFile: ts.SourceFile,
      enclosing: ts.Node | undefined,
      location: ts.Node,
    ): {
      symbolKind: ts.ScriptElementKind;
      displayParts: ts.SymbolDisplayPart[];
      documentation: ts.SymbolDisplayPart[];
      tags: ts.JSDocTagInfo[] | undefined;
    };
    getSymbolModifiers(checker: ts.TypeChecker, symbol: ts.Symbol): string;
  };
  typeToDisplayParts(checker: ts.TypeChecker, type: ts.Type, enclosing?: ts.Node): ts.SymbolDisplayPart[];
}

/** The stock compiler with its undeclared parts. */
export type TypeScript = typeof ts & TypeScriptInternals;
