import type ts from "typescript";
import type { TypeScript } from "./internals.ts";

/** "File … is not under 'rootDir'". */
const notUnderRootFolder = 6059;

/** A place in a cell, both counted from 0; `character` in UTF-16 units. */
export interface ConverterPosition {
  readonly offset: number;
  readonly line: number;
  readonly character: number;
}

/** What tslab's converter says of one mistake. */
export interface ConverterDiagnostic {
  readonly start: ConverterPosition;
  readonly end: ConverterPosition;
  readonly messageText: string;
  readonly category: ts.DiagnosticCategory;
  readonly code: number;
  /** Set for a mistake in a file that the cell imports, relative to the working directory. */
  readonly fileName?: string;
}

/** What we use of tslab's converter: `declarations` is the text of a `.d.ts` that carries the earlier cells. */
export interface Converter {
  convert(
    declarations: string,
    source: string,
  ): { readonly diagnostics: readonly ConverterDiagnostic[]; readonly declOutput?: string };
  inspect(declarations: string, source: string, position: number): ts.QuickInfo | undefined;
  complete(
    declarations: string,
    source: string,
    position: number,
  ): { start: number; end: number; candidates: string[]; original?: ts.CompletionInfo };
  close(): void;
}

/** Loads a CommonJS module of tslab's, so that every `require` of its TypeScript fork gives `typescript` instead. */
export type LoadTslab = (request: "tslab/dist/converter.js" | "tslab/dist/inspect.js", typescript: unknown) => unknown;

export interface ConverterOptions {
  /** Where relative imports and `node_modules` are looked for. */
  readonly workingDirectory: string;
  /** Folder that holds `node/`, the declarations of Node itself, for projects without any of their own. */
  readonly typeRoot: string;
  /** Bare module name → absolute path of its declarations, known from any working directory. */
  readonly modules: Readonly<Record<string, readonly string[]>>;
  /** The file system that the compiler sees. */
  readonly system: ts.System;
}

/** tslab's converter, with the program that it last built. */
export interface OpenedConverter {
  readonly converter: Converter;
  program(): ts.Program;
  /** tslab's plain text of what is known about a name. */
  printQuickInfo(info: ts.QuickInfo): string;
}

/**
 * The one door to tslab. Its converter was written for a fork of TypeScript 5.0.4 that adds a handful of functions; here
 * it meets stock TypeScript, with those functions added from outside and the compiler options of this decade.
 */
export function openConverter(typescript: TypeScript, load: LoadTslab, options: ConverterOptions): OpenedConverter {
  let builder: ts.BuilderProgram | undefined;
  const patched = {
    ...typescript,
    ...forkFunctions(typescript),
    sys: options.system,
    // The converter asks where to look for @types; it always gets the working directory's and then ours.
    getDefaultTypeRoots: () => [],
    createWatchCompilerHost: (
      roots: string[],
      converterOptions: ts.CompilerOptions,
      system: ts.System,
      ...rest: [undefined, ts.DiagnosticReporter, ts.WatchStatusReporter]
    ) =>
      typescript.createWatchCompilerHost(
        roots,
        compilerOptions(typescript, converterOptions, options),
        system,
        ...rest,
      ),
    createWatchProgram: (host: ts.WatchCompilerHostOfFilesAndCompilerOptions<ts.BuilderProgram>) => {
      const told = host.afterProgramCreate;
      host.afterProgramCreate = (program) => {
        builder = program;
        told?.(emitsOnlyDeclarationsOfTheCell(program));
      };
      return typescript.createWatchProgram(host);
    },
  };
  const { createConverter } = load("tslab/dist/converter.js", patched) as { createConverter(): Converter };
  const { printQuickInfo } = load("tslab/dist/inspect.js", patched) as { printQuickInfo(info: ts.QuickInfo): string };
  const converter = createConverter();
  return {
    converter,
    program: () => {
      if (builder === undefined) throw new Error("internal: the converter has built no program");
      return builder.getProgram();
    },
    printQuickInfo,
  };
}

function compilerOptions(
  { ModuleResolutionKind, ScriptTarget }: TypeScript,
  converterOptions: ts.CompilerOptions,
  { modules, typeRoot, workingDirectory }: ConverterOptions,
): ts.CompilerOptions {
  // The fork's own switches; stock TypeScript complains about them.
  const { noImplicitUseStrict: _, disableTopLevelAwait: __, ...known } = converterOptions;
  return {
    ...known,
    // tslab's notebooks were never checked strictly, and a cell is a sketch: what is declared is checked, what is not
    // declared is `any`. TypeScript 6 is strict unless told otherwise.
    strict: false,
    target: ScriptTarget.ES2023,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
    moduleResolution: ModuleResolutionKind.Bundler,
    allowImportingTsExtensions: true,
    checkJs: false,
    types: ["node"],
    typeRoots: [`${workingDirectory}/node_modules/@types`, typeRoot],
    paths: Object.fromEntries(Object.entries(modules).map(([name, files]) => [name, [...files]])),
  };
}

/**
 * The converter also translates every file that a cell imports to CommonJS, and refuses files outside the working
 * directory. The realm loads such files itself, as the ES modules they are, so only the cell's own output is asked for.
 */
function emitsOnlyDeclarationsOfTheCell(builder: ts.BuilderProgram): ts.BuilderProgram {
  const emit: ts.BuilderProgram["emit"] = (file, ...rest) =>
    file?.fileName.endsWith("/__tslab__.ts") ? builder.emit(file, ...rest) : { emitSkipped: true, diagnostics: [] };
  return new Proxy(builder, {
    get(target, key) {
      return key === "emit" ? emit : Reflect.get(target, key);
    },
  });
}

/** The functions that tslab's fork adds to TypeScript, made from what stock TypeScript has. */
function forkFunctions(typescript: TypeScript): Record<string, unknown> {
  return {
    getNullTransformationContext: () => typescript.nullTransformationContext,
    Completions: {
      ...typescript.Completions,
      getCompletionsAtPositionForTslab: typescript.Completions.getCompletionsAtPosition,
    },
    getPreEmitDiagnosticsOfFiles: (program: ts.Program, files: readonly ts.SourceFile[]) =>
      typescript
        .sortAndDeduplicateDiagnostics([
          ...program.getGlobalDiagnostics(),
          ...files.flatMap((file) => [
            ...program.getSyntacticDiagnostics(file),
            ...program.getSemanticDiagnostics(file),
            ...program.getDeclarationDiagnostics(file),
          ]),
        ])
        // A notebook may import from the folders above its own.
        .filter(({ code }) => code !== notUnderRootFolder),
    getQuickInfoAtPosition: (
      sourceFile: ts.SourceFile,
      checker: ts.TypeChecker,
      _cancellation: unknown,
      position: number,
    ) => quickInfo(typescript, sourceFile, checker, position),
  };
}

function quickInfo(
  typescript: TypeScript,
  sourceFile: ts.SourceFile,
  checker: ts.TypeChecker,
  position: number,
): ts.QuickInfo | undefined {
  const touched = typescript.getTouchingPropertyName(sourceFile, position);
  if (touched === sourceFile) return undefined;
  // `new Thing()` is asked about as a whole when the cursor stands on `new`.
  const node =
    typescript.isNewExpression(touched.parent) && touched.pos === touched.parent.pos
      ? touched.parent.expression
      : touched;
  const textSpan = { start: node.getStart(sourceFile), length: node.getWidth(sourceFile) };
  const symbol = checker.getSymbolAtLocation(node);
  if (symbol === undefined) {
    if (!typescript.isExpression(node)) return undefined;
    const type = checker.getTypeAtLocation(node);
    return {
      kind: typescript.ScriptElementKind.unknown,
      kindModifiers: "",
      textSpan,
      displayParts: typescript.typeToDisplayParts(checker, type, node),
      documentation: type.symbol?.getDocumentationComment(checker),
      tags: type.symbol?.getJsDocTags(checker),
    };
  }
  const { symbolKind, displayParts, documentation, tags } =
    typescript.SymbolDisplay.getSymbolDisplayPartsDocumentationAndSymbolKind(
      checker,
      symbol,
      sourceFile,
      node.parent,
      node,
    );
  const kindModifiers = typescript.SymbolDisplay.getSymbolModifiers(checker, symbol);
  return { kind: symbolKind, kindModifiers, textSpan, displayParts, documentation, tags };
}
