import ts from "typescript";
import { moduleAugmentations } from "./declarations.ts";
import type { BoundSourceFile, EmitHost, EmitResolver, TypeScript } from "./internals.ts";

/** A module as JavaScript, and the source map (version 3, JSON) back to it. */
export interface EmittedModule {
  readonly text: string;
  readonly sourceMap: string;
}

/** What the JavaScript of cells is like. */
export const emitOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  // A module awaits; in a script `await (x)` calls a function of that name.
  moduleDetection: ts.ModuleDetectionKind.Force,
  // An import that only a later cell uses must not be dropped.
  verbatimModuleSyntax: true,
  experimentalDecorators: true,
  jsx: ts.JsxEmit.React,
  sourceMap: true,
  newLine: ts.NewLineKind.LineFeed,
};

/** With that `transpileModule` looks at nothing but the module, and checks nothing. */
const options: ts.CompilerOptions = {
  ...emitOptions,
  noCheck: true,
  noLib: true,
  noResolve: true,
  suppressOutputPathCheck: true,
  allowNonTsExtensions: true,
};

/** What a checker finds out about the nodes of a module it keeps: after so many modules another one takes its place. */
const modulesPerChecker = 100;

/**
 * Emits one module after the other, each by itself, as `transpileModule` does.
 *
 * That makes a program and a type checker for every module, though nothing but the names within a module is ever asked of
 * them: for a cell as small as `1+1` they are three quarters of all the memory that it takes to check and translate it. Here
 * all modules share them.
 */
export class Emitter {
  readonly #typescript = ts as TypeScript;
  readonly #program = ts.createProgram([], options, emptyHost) as ts.Program & EmitHost;
  readonly #setIndicator = this.#typescript.getSetExternalModuleIndicator(options);
  #resolver: EmitResolver | undefined;
  #emitted = 0;

  /**
   * @param source a module of TypeScript; what is wrong with it is not told
   * @param fileName what the source map calls it
   * @param last changes the JavaScript before it is printed
   */
  emit(source: string, fileName: string, last: ts.TransformerFactory<ts.SourceFile>): EmittedModule {
    const file = ts.createSourceFile(fileName, source, {
      languageVersion: options.target as ts.ScriptTarget,
      setExternalModuleIndicator: this.#setIndicator,
    }) as BoundSourceFile;
    Object.assign(file, { path: fileName, resolvedPath: fileName, originalFileName: fileName });
    Object.assign(file, { imports: [], ambientModuleNames: [], moduleAugmentations: moduleAugmentations(file) });
    let [text, sourceMap] = ["", ""];
    const host = Object.assign(Object.create(this.#program) as EmitHost, {
      isEmitBlocked: () => false,
      writeFile: (path: string, written: string) => {
        if (path.endsWith(".map")) sourceMap = written;
        else text = written;
      },
    });
    const transformers = this.#typescript.getTransformers(options, { after: [last] });
    try {
      this.#typescript.emitFiles(this.#resolverFor(file), host, file, transformers);
    } catch (error) {
      // Whatever the checker was in the midst of, the next module must not find it so.
      this.#resolver = undefined;
      throw error;
    }
    return { text, sourceMap };
  }

  #resolverFor(file: BoundSourceFile): EmitResolver {
    // What a module adds to the names that all modules see is nobody else's business.
    if (file.moduleAugmentations.length > 0) return this.#open([file]);
    if (this.#resolver === undefined || this.#emitted === modulesPerChecker) {
      this.#resolver = this.#open([]);
      this.#emitted = 0;
    }
    this.#emitted++;
    this.#typescript.bindSourceFile(file, options);
    return this.#resolver;
  }

  #open(files: readonly BoundSourceFile[]): EmitResolver {
    const program = Object.assign(Object.create(this.#program) as ts.Program, { getSourceFiles: () => files });
    return this.#typescript.createTypeChecker(program).getEmitResolver();
  }
}

/** There is nothing but the module. */
const emptyHost: ts.CompilerHost = {
  getSourceFile: () => undefined,
  getDefaultLibFileName: () => "lib.d.ts",
  getCurrentDirectory: () => "",
  getCanonicalFileName: (name) => name,
  useCaseSensitiveFileNames: () => false,
  getNewLine: () => "\n",
  fileExists: () => false,
  readFile: () => undefined,
  writeFile: () => {},
};
