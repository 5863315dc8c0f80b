import type ts from "typescript";

/** A source file with what the parser and the binder leave in it, and the compiler's own marks. */
export interface BoundSourceFile extends ts.SourceFile {
  /** Where the search for a name goes on when this file does not declare it. */
  parent: ts.Node;
  path: string;
  resolvedPath: string;
  originalFileName: string;
  imports: readonly ts.StringLiteralLike[];
  moduleAugmentations: readonly ts.Node[];
  ambientModuleNames: readonly string[];
  readonly locals?: ReadonlyMap<string, ts.Symbol>;
  readonly parseDiagnostics: readonly ts.DiagnosticWithLocation[];
  readonly bindDiagnostics: readonly ts.DiagnosticWithLocation[];
  readonly commentDirectives?: readonly { readonly range: ts.TextRange }[];
}

/** Files and resolutions, as the type checker asks for them. */
export interface CheckerHost extends ts.Program {
  getResolvedModule(
    file: ts.SourceFile,
    name: string,
    mode: ts.ResolutionMode,
  ): { readonly resolvedModule?: ts.ResolvedModuleFull } | undefined;
}

/** What `checker.getDiagnostics` is in the checker that the compiler makes for itself. */
export interface WorkingChecker extends ts.TypeChecker {
  getDiagnostics(file: ts.SourceFile): readonly ts.Diagnostic[];
  getEmitResolver(): EmitResolver;
}

/** What the back end asks the checker about the names of a file; only handed on. */
export interface EmitResolver {
  hasGlobalName(name: string): boolean;
}

/** Where the back end writes to, and what else it asks of a program. */
export interface EmitHost {
  isEmitBlocked(path: string): boolean;
  writeFile(path: string, text: string): void;
}

/**
 * The parts of the stock compiler that it exports but does not declare, and that tslab's converter or our door to it
 * needs. `typescript` is pinned to one version, and test/kernel/language says so when a part goes missing.
 */
export interface TypeScriptInternals {
  bindSourceFile(file: ts.SourceFile, options: ts.CompilerOptions): void;
  createTypeChecker(host: ts.Program): WorkingChecker;
  /** What makes a module of a file, under these options. */
  getSetExternalModuleIndicator(options: ts.CompilerOptions): (file: ts.SourceFile) => void;
  getTransformers(options: ts.CompilerOptions, custom: ts.CustomTransformers): object;
  emitFiles(resolver: EmitResolver, host: EmitHost, file: ts.SourceFile, transformers: object): ts.EmitResult;
  createCompilerHostWorker(options: ts.CompilerOptions, setParentNodes: boolean, system: ts.System): ts.CompilerHost;
  createCommentDirectivesMap(
    file: ts.SourceFile,
    directives: readonly { readonly range: ts.TextRange }[],
  ): {
    getUnusedExpectations(): readonly { readonly range: ts.TextRange }[];
    markUsed(line: number): boolean;
  };
  combinePaths(folder: string, name: string): string;
  getDirectoryPath(path: string): string;
  getTouchingPropertyName(sourceFile: ts.SourceFile, position: number): ts.Node;
  findPrecedingToken(position: number, sourceFile: ts.SourceFile): ts.Node | undefined;
  readonly Completions: {
    getCompletionsAtPosition(...parameters: unknown[]): ts.CompletionInfo | undefined;
  };
  readonly SymbolDisplay: {
    getSymbolKind(checker: ts.TypeChecker, symbol: ts.Symbol, location: ts.Node): ts.ScriptElementKind;
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
