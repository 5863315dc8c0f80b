import type ts from "typescript";
import { importedNames, moduleAugmentations } from "./declarations.ts";
import type { BoundSourceFile, CheckerHost, TypeScript, WorkingChecker } from "./internals.ts";
import type { ModuleProgram } from "./modules.ts";

const cannotFindModule = 2307;

/**
 * The cells of a notebook as the compiler knows them: one type checker for all, and each cell a scope inside of the one
 * before.
 *
 * tslab makes two programs and a checker for every cell, and hands all that was declared before to it as text. Here a cell
 * is a module whose `parent` is the newest cell that declared anything. The checker looks for a name from the inside out,
 * so it finds the newest declaration, and whatever it has found out about earlier cells it still knows. Checking a cell
 * costs what is in the cell.
 */
export class Cells {
  readonly #typescript: TypeScript;
  readonly #modules: ModuleProgram;
  /** Cells lie in a folder that does not exist. */
  readonly #folder: string;
  /** Files that are not in the program, by path. */
  readonly #files = new Map<string, BoundSourceFile>();
  /** Cells that add to what all modules see: `declare global`, `declare module`. */
  readonly #augmenting: BoundSourceFile[] = [];
  #newest: BoundSourceFile;
  #program!: ts.Program;
  #checker!: WorkingChecker;
  #opened = 0;

  constructor(typescript: TypeScript, modules: ModuleProgram, workingDirectory: string) {
    this.#typescript = typescript;
    this.#modules = modules;
    this.#folder = `${workingDirectory}/.tessera-cells/`;
    this.#newest = modules.prelude;
    this.renew();
  }

  /** The program with the cells in it, whose checker is the one for all. */
  get program(): ts.Program {
    return this.#program;
  }

  /** The scope that the next cell is in. */
  get newest(): BoundSourceFile {
    return this.#newest;
  }

  /**
   * Parses and binds the text of a cell as a module of its own, in the scope of all earlier cells.
   *
   * @param name what messages call it
   */
  open(text: string, name: string): BoundSourceFile {
    const path = `${this.#folder}${++this.#opened}/${name}`;
    const { target: languageVersion = this.#typescript.ScriptTarget.Latest } = this.#modules.options;
    const file = this.#typescript.createSourceFile(path, text, {
      languageVersion,
      // A cell is a module, whether it imports or exports anything or not: so it may await.
      setExternalModuleIndicator(parsed) {
        (parsed as { externalModuleIndicator?: true }).externalModuleIndicator = true;
      },
    }) as BoundSourceFile;
    Object.assign(file, { path, resolvedPath: path, originalFileName: path, imports: [], ambientModuleNames: [] });
    file.moduleAugmentations = moduleAugmentations(file);
    this.#typescript.bindSourceFile(file, this.#modules.options);
    file.parent = this.#newest;
    return file;
  }

  /** Finds the mistakes in a cell, and in the local files that it imports. */
  check(file: BoundSourceFile): readonly ts.Diagnostic[] {
    const imported = importedNames(file.text);
    this.update(imported);
    this.#files.set(file.path, file);
    if (file.moduleAugmentations.length > 0) {
      this.#augmenting.push(file);
      this.renew();
    }
    let diagnostics = this.#diagnose(file, imported);
    if (diagnostics.some(({ code }) => code === cannotFindModule)) {
      // The compiler remembers what it did not find, and it may have been installed since.
      this.#modules.lookAgain();
      this.renew();
      diagnostics = this.#diagnose(file, imported);
    }
    return diagnostics;
  }

  /** Makes what a cell declares known to all later ones. */
  accept(file: BoundSourceFile): void {
    if ((file.locals?.size ?? 0) > 0) this.#newest = file;
    else this.#files.delete(file.path);
  }

  /** Forgets a cell that was not accepted. */
  refuse(file: BoundSourceFile): void {
    this.#files.delete(file.path);
    const index = this.#augmenting.indexOf(file);
    if (index < 0) return;
    this.#augmenting.splice(index, 1);
    this.renew();
  }

  /** Loads modules that are new and files that have changed. */
  update(imported: Iterable<string> = []): void {
    if (this.#modules.update(imported)) this.renew();
  }

  /** Forgets every cell. */
  reset(): void {
    this.#newest = this.#modules.prelude;
    this.#files.clear();
    if (this.#augmenting.splice(0).length > 0) this.renew();
  }

  /** A new checker, which has everything yet to find out. */
  renew(): void {
    const { program } = this.#modules;
    const known: Partial<CheckerHost> = {
      getTypeChecker: () => this.#checker,
      getSourceFile: (path) => this.#files.get(path) ?? program.getSourceFile(path),
      getSourceFiles: () => [...program.getSourceFiles(), ...this.#augmenting],
      getResolvedModule: (file, name, mode) =>
        file.fileName.startsWith(this.#folder)
          ? this.#modules.resolve(name)
          : (program as CheckerHost).getResolvedModule(file, name, mode),
    };
    this.#program = Object.assign(Object.create(program), known) as ts.Program;
    this.#checker = this.#typescript.createTypeChecker(this.#program);
  }

  #diagnose(file: BoundSourceFile, imported: Iterable<string>): readonly ts.Diagnostic[] {
    const local = this.#localFiles(imported);
    return this.#typescript.sortAndDeduplicateDiagnostics([file, ...local].flatMap((each) => this.#mistakesIn(each)));
  }

  #mistakesIn(file: BoundSourceFile): readonly ts.Diagnostic[] {
    const { parseDiagnostics, bindDiagnostics } = file;
    // JavaScript is the reader's own business as long as it can be read.
    if (/\.[cm]?jsx?$/.test(file.fileName)) return parseDiagnostics;
    const found = [...parseDiagnostics, ...bindDiagnostics, ...this.#checker.getDiagnostics(file)];
    return file.commentDirectives ? this.#withoutIgnored(file, found, file.commentDirectives) : found;
  }

  /** Honours `// @ts-ignore` and `// @ts-expect-error`. */
  #withoutIgnored(
    file: BoundSourceFile,
    found: readonly ts.Diagnostic[],
    directives: NonNullable<BoundSourceFile["commentDirectives"]>,
  ): readonly ts.Diagnostic[] {
    const map = this.#typescript.createCommentDirectivesMap(file, directives);
    const lines = file.text.split("\n");
    const ignored = ({ start = 0 }: ts.Diagnostic): boolean => {
      let line = file.getLineAndCharacterOfPosition(start).line - 1;
      // Other comments and empty lines may stand between a directive and what it is about.
      for (; line >= 0; line--) {
        if (map.markUsed(line)) return true;
        if (!/^\s*(\/\/.*)?$/.test(lines[line])) return false;
      }
      return false;
    };
    const kept = found.filter((diagnostic) => !ignored(diagnostic));
    const unused = map.getUnusedExpectations().map(
      ({ range: { pos, end } }): ts.Diagnostic => ({
        file,
        start: pos,
        length: end - pos,
        category: this.#typescript.DiagnosticCategory.Error,
        code: 2578,
        messageText: "Unused '@ts-expect-error' directive.",
      }),
    );
    return [...kept, ...unused];
  }

  /** The reader's own files that imports lead to, with all that those import. */
  #localFiles(imported: Iterable<string>): BoundSourceFile[] {
    const program = this.#modules.program as CheckerHost;
    const found = new Set<ts.SourceFile>();
    const follow = (resolution: ReturnType<CheckerHost["getResolvedModule"]>): void => {
      const path = resolution?.resolvedModule?.resolvedFileName;
      const file = path === undefined ? undefined : program.getSourceFile(path);
      if (file === undefined || found.has(file) || !this.#modules.isLocal(file)) return;
      found.add(file);
      for (const { text } of (file as BoundSourceFile).imports)
        follow(program.getResolvedModule(file, text, undefined));
    };
    for (const name of imported) follow(this.#modules.resolve(name));
    return [...found] as BoundSourceFile[];
  }
}
