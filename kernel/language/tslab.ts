import type ts from "typescript";
import type { Cells } from "./cells.ts";
import type { TypeScript } from "./internals.ts";
import type { CompletionHost } from "./modules.ts";

/** What we use of tslab's converter. It asks for the text of what was declared before, and is given the cells instead. */
export interface Converter {
  inspect(declarations: string, source: string, position: number): ts.QuickInfo | undefined;
  complete(
    declarations: string,
    source: string,
    position: number,
  ): { start: number; end: number; candidates: string[]; original?: ts.CompletionInfo };
}

/** Loads a CommonJS module of tslab's, so that every `require` of its TypeScript fork gives `typescript` instead. */
export type LoadTslab = (request: "tslab/dist/converter.js" | "tslab/dist/inspect.js", typescript: unknown) => unknown;

/** tslab's converter, and its plain text of what is known about a name. */
export interface OpenedConverter {
  readonly converter: Converter;
  printQuickInfo(info: ts.QuickInfo): string;
}

/** What the converter does with a program that follows its files. */
interface WatchHost {
  readonly files: readonly string[];
  readonly system: ts.System;
  afterProgramCreate(program: Pick<ts.BuilderProgram, "getSourceFile" | "getProgram">): void;
}

/**
 * The one door to tslab. Its converter was written for a fork of TypeScript 5.0.4 that adds a handful of functions, and
 * makes a program of its own for everything that it is asked. Here it meets stock TypeScript, with those functions added
 * from outside, and looks at the cells that are there already.
 */
export function openConverter(
  typescript: TypeScript,
  load: LoadTslab,
  cells: Cells,
  host: CompletionHost,
  system: ts.System,
): OpenedConverter {
  const patched = {
    ...typescript,
    Completions: {
      ...typescript.Completions,
      // The converter gives a host that knows nothing, and completion inside of an import's quotes looks for files.
      getCompletionsAtPositionForTslab: (_host: unknown, ...rest: CompletionRequest) =>
        ownKinds(typescript, rest, typescript.Completions.getCompletionsAtPosition(host, ...rest, undefined, true)),
    },
    getQuickInfoAtPosition: (
      sourceFile: ts.SourceFile,
      checker: ts.TypeChecker,
      _cancellation: unknown,
      position: number,
    ) => quickInfo(typescript, sourceFile, checker, position),
    sys: system,
    // Asked in vain: the options of our program hold.
    getDefaultTypeRoots: () => [],
    createWatchCompilerHost: (files: readonly string[], _options: unknown, watched: ts.System) => ({
      files,
      system: watched,
    }),
    createWatchProgram: (watching: WatchHost) => followCells(watching, cells),
  };
  const { createConverter } = load("tslab/dist/converter.js", patched) as { createConverter(): Converter };
  const { printQuickInfo } = load("tslab/dist/inspect.js", patched) as { printQuickInfo(info: ts.QuickInfo): string };
  return { converter: createConverter(), printQuickInfo };
}

/** What the converter gives, up to the parameters that it does not know. */
type CompletionRequest = [
  program: ts.Program,
  log: unknown,
  file: ts.SourceFile,
  position: number,
  preferences: unknown,
  trigger: unknown,
  kind: unknown,
  cancellation: unknown,
];

/** Completions in which a name that comes by an import is called what it is: a function, a class, a module. */
function ownKinds(
  typescript: TypeScript,
  [program, , file]: CompletionRequest,
  found: ts.CompletionInfo | undefined,
): ts.CompletionInfo | undefined {
  const checker = program.getTypeChecker();
  for (const entry of found?.entries ?? []) {
    const { symbol } = entry as { symbol?: ts.Symbol };
    if (entry.kind !== typescript.ScriptElementKind.alias || symbol === undefined) continue;
    entry.kind = typescript.SymbolDisplay.getSymbolKind(checker, checker.getAliasedSymbol(symbol), file);
  }
  return found;
}

/**
 * Stands for the program that the converter believes to follow two files, the earlier declarations and the cell that it is
 * asked about: the first is the newest of the cells, the second is opened among them.
 */
function followCells(host: WatchHost, cells: Cells): { close(): void } {
  const { files, system } = host;
  const [declarations, source] = files;
  let waiting = false;
  const open = (): void => {
    waiting = false;
    const text = system.readFile(source) ?? "";
    const asked = cells.open(text, "cell.ts");
    host.afterProgramCreate({
      getSourceFile: (path) => (path === source ? asked : path === declarations ? cells.newest : undefined),
      getProgram: () => cells.program,
    });
  };
  for (const file of files) {
    system.watchFile?.(file, () => {
      // The converter calls back what waits when it has told of both files.
      if (!waiting) system.setTimeout?.(open, 0);
      waiting = true;
    });
  }
  open();
  return { close: () => {} };
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
    // What it does not know the compiler takes for anything.
    if ((type.flags & typescript.TypeFlags.Any) !== 0) return undefined;
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
