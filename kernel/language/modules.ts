import type ts from "typescript";
import type { BoundSourceFile, CheckerHost, TypeScript } from "./internals.ts";

/** Where a notebook's modules are looked for; all paths absolute. */
export interface ModuleOptions {
  /** Where relative imports and `node_modules` are looked for. */
  readonly workingDirectory: string;
  /** Folder that holds `node/`, the declarations of Node itself, for projects without any of their own. */
  readonly typeRoot: string;
  /** Bare module name → absolute path of its declarations, known from any working directory. */
  readonly modules: Readonly<Record<string, readonly string[]>>;
  /** Modules of which every export is visible without an import. */
  readonly preloaded: readonly string[];
  /** The file system that the compiler sees. */
  readonly system: ts.System;
}

/** The compiler's view of files and options; completion asks for both. */
export interface CompletionHost extends ts.CompilerHost {
  getCompilationSettings(): ts.CompilerOptions;
}

/**
 * Every module that a notebook has ever imported, with all that those import, as one program of the compiler.
 *
 * The program does not know the cells: they come and go without a new program. It is built anew only when a cell imports
 * what none did before, or when a local file has changed, and then all files that stayed as they were are kept.
 */
export class ModuleProgram {
  readonly options: ts.CompilerOptions;
  readonly host: CompletionHost;
  readonly #typescript: TypeScript;
  readonly #system: ts.System;
  readonly #preludePath: string;
  readonly #importsPath: string;
  readonly #globalsPath: string;
  readonly #specifiers = new Set<string>();
  readonly #files = new Map<string, ts.SourceFile>();
  /** Those that are the reader's own → the time of their last change. All others are taken never to change. */
  readonly #local = new Map<string, number>();
  readonly #namespaces = new Map<string, string>();
  #prelude = "";
  #retry = false;
  #program: ts.Program;

  constructor(typescript: TypeScript, options: ModuleOptions) {
    this.#typescript = typescript;
    this.#system = options.system;
    this.options = compilerOptions(typescript, options);
    this.#preludePath = `${options.workingDirectory}/.tessera-prelude.ts`;
    // Relative imports of a cell start from the working directory.
    this.#importsPath = `${options.workingDirectory}/.tessera-imports.ts`;
    this.#globalsPath = `${options.workingDirectory}/.tessera-globals.ts`;
    this.host = this.#createHost();
    this.#prelude = options.preloaded.map((path) => `import ${JSON.stringify(path)};\n`).join("");
    this.#program = this.#build();
    this.#prelude = options.preloaded.map((path) => this.#importAll(path)).join("");
    this.#files.delete(this.#preludePath);
    this.#program = this.#build();
  }

  get program(): ts.Program {
    return this.#program;
  }

  /** Modules that are visible as namespaces: path without extension → name. */
  get namespaces(): ReadonlyMap<string, string> {
    return this.#namespaces;
  }

  /** The module whose scope holds the preloaded names. */
  get prelude(): BoundSourceFile {
    return this.#fileOf(this.#preludePath);
  }

  /** What a cell's import of `name` leads to. */
  resolve(name: string): ReturnType<CheckerHost["getResolvedModule"]> {
    const { ModuleKind } = this.#typescript;
    const program = this.#program as CheckerHost;
    const imports = this.#fileOf(this.#importsPath);
    return (
      program.getResolvedModule(imports, name, undefined) ?? program.getResolvedModule(imports, name, ModuleKind.ESNext)
    );
  }

  /**
   * Looks whether local files have changed, and loads modules that no cell has imported yet.
   *
   * @returns whether there is a new program now
   */
  update(specifiers: Iterable<string>): boolean {
    let outdated = false;
    for (const specifier of specifiers) {
      if (this.#specifiers.has(specifier)) continue;
      this.#specifiers.add(specifier);
      outdated = true;
    }
    if (outdated) this.#files.delete(this.#importsPath);
    for (const [path, modified] of this.#local) {
      if (modified === this.#modifiedAt(path)) continue;
      this.#files.delete(path);
      this.#local.delete(path);
      outdated = true;
    }
    if (outdated) this.#program = this.#build();
    return outdated;
  }

  /** Looks again for every module that was not found: it may have been installed since. */
  lookAgain(): void {
    this.#retry = true;
    this.#program = this.#build();
    this.#retry = false;
  }

  /** Whether a file is the reader's own, and may change or hold mistakes. */
  isLocal(file: ts.SourceFile): boolean {
    return this.#local.has(file.fileName);
  }

  #build(): ts.Program {
    return this.#typescript.createProgram({
      rootNames: [this.#preludePath, this.#importsPath, this.#globalsPath],
      options: this.options,
      host: this.host,
      oldProgram: this.#program,
    });
  }

  #fileOf(path: string): BoundSourceFile {
    const file = this.#program.getSourceFile(path);
    if (file === undefined) throw new Error(`internal: ${path} must be in the program`);
    return file as BoundSourceFile;
  }

  /** One line that makes every export of a module visible, types included. */
  #importAll(path: string): string {
    const file = this.#program.getSourceFile(path.replace(/\.js$/, ".d.ts"));
    const checker = this.#program.getTypeChecker();
    const symbol = file && checker.getSymbolAtLocation(file);
    if (symbol === undefined) throw new Error(`internal: ${path} must be a module with declarations`);
    const exported = checker
      .getExportsOfModule(symbol)
      .filter(({ name }) => name !== "default" && !name.startsWith("__"));
    for (const each of exported) this.#rememberNamespace(checker, each);
    const names = exported.map(({ name }) => name);
    return `import { ${names.join(", ")} } from ${JSON.stringify(path)};\n`;
  }

  #rememberNamespace(checker: ts.TypeChecker, exported: ts.Symbol): void {
    const { SymbolFlags } = this.#typescript;
    if ((exported.flags & SymbolFlags.Alias) === 0) return;
    const { flags, declarations } = checker.getAliasedSymbol(exported);
    const [module] = declarations ?? [];
    if ((flags & SymbolFlags.ValueModule) === 0 || module === undefined) return;
    this.#namespaces.set(module.getSourceFile().fileName.replace(/\.d\.ts$/, ""), exported.name);
  }

  #createHost(): CompletionHost {
    const host = this.#typescript.createCompilerHostWorker(this.options, false, this.#system);
    const { getSourceFile } = host;
    const own: Readonly<Record<string, () => string>> = {
      [this.#preludePath]: () => this.#prelude,
      [this.#globalsPath]: () => this.#globals(),
      [this.#importsPath]: () => [...this.#specifiers].map((name) => `import ${JSON.stringify(name)};\n`).join(""),
    };
    return {
      ...host,
      getCompilationSettings: () => this.options,
      getSourceFile: (path, languageVersion, onError) => {
        const known = this.#files.get(path);
        if (known !== undefined) return known;
        const text = own[path]?.();
        const isOwn = text !== undefined;
        const file = isOwn
          ? this.#typescript.createSourceFile(path, `export {};\n${text}`, languageVersion)
          : getSourceFile(path, languageVersion, onError);
        const fixed = isOwn || path.includes("/node_modules/") || path.endsWith(".d.ts");
        if (file === undefined) return undefined;
        this.#files.set(path, file);
        if (!fixed) this.#local.set(path, this.#modifiedAt(path));
        return file;
      },
      hasInvalidatedResolutions: (path) => this.#retry && !path.includes("/node_modules/"),
    };
  }

  /**
   * What Node has and its declarations leave to the browser's: `WebAssembly`, taken from where TypeScript declares it. The
   * rest of the browser's names must not be known here.
   */
  #globals(): string {
    const { combinePaths, getDirectoryPath } = this.#typescript;
    const path = combinePaths(getDirectoryPath(this.host.getDefaultLibFileName(this.options)), "lib.dom.d.ts");
    const declared = /^declare (namespace WebAssembly \{\n.*?\n)\}$/ms.exec(this.#system.readFile(path) ?? "")?.[1];
    if (declared === undefined) throw new Error(`internal: WebAssembly must be declared in ${path}`);
    return `declare global {\n${declared}type BufferSource = ArrayBufferView<ArrayBuffer> | ArrayBuffer;\n}\n}\n`;
  }

  #modifiedAt(path: string): number {
    return this.#system.getModifiedTime?.(path)?.getTime() ?? 0;
  }
}

function compilerOptions(
  { JsxEmit, ModuleDetectionKind, ModuleKind, ModuleResolutionKind, ScriptTarget }: TypeScript,
  { modules, typeRoot, workingDirectory }: ModuleOptions,
): ts.CompilerOptions {
  return {
    // tslab's notebooks were never checked strictly, and a cell is a sketch: what is declared is checked, what is not
    // declared is `any`. TypeScript 6 is strict unless told otherwise.
    strict: false,
    target: ScriptTarget.ES2023,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
    module: ModuleKind.ESNext,
    moduleResolution: ModuleResolutionKind.Bundler,
    moduleDetection: ModuleDetectionKind.Auto,
    allowImportingTsExtensions: true,
    noEmit: true,
    esModuleInterop: true,
    experimentalDecorators: true,
    resolveJsonModule: true,
    jsx: JsxEmit.React,
    // Local files of JavaScript give the types that can be inferred from them.
    allowJs: true,
    checkJs: false,
    skipLibCheck: true,
    types: ["node"],
    typeRoots: [`${workingDirectory}/node_modules/@types`, typeRoot],
    paths: Object.fromEntries(Object.entries(modules).map(([name, files]) => [name, [...files]])),
  };
}
