/** What the builder tells the script that makes the snapshot. All paths are absolute. */
export interface SnapshotPlan {
  /** Our compiled modules lie here. */
  readonly folder: string;
  /** `typescript`, `tslab/…` and what they require → file. */
  readonly files: Readonly<Record<string, string>>;
  readonly options: object;
}

/**
 * Builds what is frozen. The text of this function is the script that `node --build-snapshot` runs, so it sees nothing but
 * its parameters: a snapshot holds one script and no user modules, and what is needed of them is read as text here.
 */
export function makeSnapshot(plan: SnapshotPlan, require: NodeJS.Require): void {
  const fs = require("node:fs") as typeof import("node:fs");
  const path = require("node:path") as typeof import("node:path");
  const v8 = require("node:v8") as typeof import("node:v8");
  const loaded = new Map<string, { exports: unknown }>();
  let typescript: typeof import("typescript") | undefined;

  /** Stands for `require` in everything that is frozen. */
  function load(request: string, from: string): unknown {
    if (request.startsWith(".")) return loadFile(path.resolve(path.dirname(from), request));
    const file = plan.files[request];
    if (file !== undefined) return loadFile(file);
    // These cannot be frozen, and TypeScript does without.
    if (/^(node:)?(crypto|inspector|perf_hooks)$/.test(request)) throw new Error(`${request} is not available here`);
    return require(request);
  }

  function loadFile(wanted: string): unknown {
    const candidates = [wanted, `${wanted}.js`, `${wanted}.json`, `${wanted}/index.js`];
    const file = candidates.find((candidate) => fs.existsSync(candidate) && fs.statSync(candidate).isFile());
    if (file === undefined) throw new Error(`snapshot: ${wanted} must be a file, found none`);
    const known = loaded.get(file);
    if (known !== undefined) return known.exports;
    const module: { exports: unknown } = { exports: {} };
    loaded.set(file, module);
    let source = fs.readFileSync(file, "utf8");
    if (file.endsWith(".json")) {
      module.exports = JSON.parse(source);
      return module.exports;
    }
    // Our modules are ES modules, which cannot be loaded from text.
    if (file.startsWith(plan.folder) && typescript !== undefined) {
      const { ModuleKind, ScriptTarget } = typescript;
      const compilerOptions = { module: ModuleKind.CommonJS, target: ScriptTarget.ES2023, esModuleInterop: true };
      source = typescript.transpileModule(source, { compilerOptions }).outputText;
    }
    const run = new Function("exports", "require", "module", "__filename", "__dirname", source);
    run(module.exports, (request: string) => load(request, file), module, file, path.dirname(file));
    return module.exports;
  }

  typescript = loadFile(plan.files.typescript) as typeof typescript;
  const { freeze } = loadFile(path.join(plan.folder, "frozen.js")) as typeof import("./frozen.ts");
  const thaw = freeze((request, patched) => {
    loaded.set(plan.files["@tslab/typescript-for-tslab"], { exports: patched });
    return loadFile(plan.files[request]);
  }, plan.options as never);
  v8.startupSnapshot.setDeserializeMainFunction(() => thaw(process.argv[1]));
}
