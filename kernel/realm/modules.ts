import { createRequire, register } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import vm from "node:vm";
import { realmData } from "./port.ts";

const { workingDirectory, modules } = realmData;

/** The file that the notebook would be, for everything that is relative to it. */
const notebookPath = join(workingDirectory, "notebook.ts");
const notebookUrl = pathToFileURL(notebookPath).href;

/** `require` as in a CommonJS file that lies in the working directory. */
export const notebookRequire = createRequire(notebookPath);

/** `import.meta` of every cell. */
export const notebookMeta = {
  url: notebookUrl,
  filename: notebookPath,
  dirname: workingDirectory,
  resolve: (specifier: string): string => modules[specifier] ?? pathToFileURL(notebookRequire.resolve(specifier)).href,
};

/** Node's own `import()`, as written in a file that lies in the working directory. */
const importFromNotebook = vm.runInThisContext("(specifier) => import(specifier)", {
  filename: notebookPath,
  importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
}) as (specifier: string) => Promise<Record<string, unknown>>;

let hooked = false;

/** Teaches Node to load TypeScript files, and ours by name from them. A thread of its own, so only when needed. */
function hookTypeScript(): void {
  if (hooked) return;
  hooked = true;
  // Kept by Node for each file, so that stack frames can be told in its own lines.
  process.setSourceMapsEnabled(true);
  register(new URL("typescript-hooks.js", import.meta.url), { data: { modules } });
}

/** What `import` in a cell does. */
export async function importModule(specifier: string): Promise<Record<string, unknown>> {
  const named = modules[specifier];
  if (named !== undefined) return import(named);
  if (specifier.endsWith(".json")) return { default: readJson(specifier) };
  if (/^(\.{0,2}\/|file:)/.test(specifier)) hookTypeScript();
  return withNamesOfDefault(await importFromNotebook(specifier));
}

/** Read anew each time: data changes between the runs of a cell. */
function readJson(specifier: string): unknown {
  const path = notebookRequire.resolve(specifier);
  delete notebookRequire.cache[path];
  return notebookRequire(path);
}

/**
 * A CommonJS module's exports that Node could not foresee are properties of `default` only; TypeScript's types promise
 * them by name.
 */
function withNamesOfDefault(namespace: Record<string, unknown>): Record<string, unknown> {
  const { default: whole } = namespace;
  if (whole === null || (typeof whole !== "object" && typeof whole !== "function")) return namespace;
  return new Proxy(namespace, {
    get: (target, key) => (Reflect.has(target, key) ? Reflect.get(target, key) : Reflect.get(whole, key)),
  });
}
