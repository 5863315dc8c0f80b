import type ts from "typescript";
import { importedNames, moduleAugmentations } from "./declarations.ts";
import type { BoundSourceFile, CheckerHost, TypeScript, WorkingChecker } from "./internals.ts";
import type { ModuleProgram } from "./modules.ts";
import { cellsFolder, type Summary, SummarySymbols, summarise } from "./summary.ts";

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
  /** Cells checked since the last summary, whether they were accepted or not: the checker remembers all. */
  #unsettled = 0;

  constructor(typescript: TypeScript, modules: ModuleProgram, workingDirectory: string) {
    this.#typescript = typescript;
    this.#modules = modules;
    this.#folder = `${workingDirectory}${cellsFolder}`;
    this.#newest = modules.prelude;
    this.renew();
  }

  /** The program with the cells in it, whose checker is the one for all. */
  get program(): ts.Program {
    return this.#program;
  }

  /** How many cells were checked since {@link settle}. */
  get unsettled(): number {
    return this.#unsettled;
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
    this.#unsettled++;
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

  /**
   * Forgets of the cells what no later one can see. The syntax tree of a cell, and what the checker found out about each
   * of its nodes, is some twenty kilobytes; cells in a row that can be summed up are replaced by one scope with a line of
   * text for each name, and a new checker begins with those. Takes about a tenth of a second, for between two cells.
   */
  settle(): void {
    this.#unsettled = 0;
    const kept: BoundSourceFile[] = [];
    let lines = new Map<string, string>();
    const endSummary = (): void => {
      if (lines.size === 0) return;
      kept.push(this.#openSummary(lines));
      lines = new Map();
    };
    for (const file of this.#scopes()) {
      const summary = file.locals instanceof SummarySymbols ? file.locals.lines : this.#summarise(file);
      if (summary === undefined) {
        endSummary();
        kept.push(file);
      } else {
        // Of several declarations of a name later cells see the last.
        for (const [name, line] of summary) lines.set(name, line);
      }
    }
    endSummary();
    this.#newest = this.#modules.prelude;
    this.#files.clear();
    for (const file of kept) {
      file.parent = this.#newest;
      this.#newest = file;
    }
    for (const file of [...kept, ...this.#augmenting]) this.#files.set(file.path, file);
    this.renew();
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

  /** Cells that declared anything, and summaries of such, oldest first. */
  #scopes(): BoundSourceFile[] {
    const { prelude } = this.#modules;
    const scopes: BoundSourceFile[] = [];
    for (let file = this.#newest; file.path !== prelude.path; file = file.parent as BoundSourceFile) scopes.push(file);
    return scopes.reverse();
  }

  /** A scope that has the names of a summary; their declarations are parsed when somebody asks for them. */
  #openSummary(lines: Summary): BoundSourceFile {
    const scope = this.open("", "summary.ts");
    const symbols = new SummarySymbols(lines, (line, name) => {
      const file = this.open(line, "summary.ts");
      file.parent = scope;
      return file.locals?.get(name);
    });
    return Object.assign(scope, { locals: symbols });
  }

  #summarise(file: BoundSourceFile): Summary | undefined {
    return this.#augmenting.includes(file) ? undefined : summarise(this.#typescript, this.#checker, file);
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
