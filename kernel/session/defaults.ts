import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundled } from "../bundle/index.ts";
import { buildSnapshot, type LanguageOptions } from "../language/index.ts";
import type { RealmOptions } from "../realm/index.ts";

/** Everything below stands beside this file, wherever the package is installed. */
const kernel = new URL("..", import.meta.url);
const require = createRequire(import.meta.url);

/** The library and the data sets, loaded into every notebook. */
export const defaultPreload = new URL("preload.js", kernel).href;

const notebookModule = new URL("realm/notebook.js", kernel);
const tslabModule = new URL("realm/tslab.js", kernel);

/** Modules that a notebook may import by name from anywhere. */
function defaultModules(preload: string | null): Record<string, string> {
  return { tslab: tslabModule.href, ...(preload === null ? {} : { tessera: preload }) };
}

/** The same for the compiler, which asks for paths. */
export function preloadedModules(preload: string | null): Pick<LanguageOptions, "preloaded" | "modules"> {
  const modules = Object.entries(defaultModules(preload)).map(([name, url]) => [name, fileURLToPath(url)]);
  const preloaded = [notebookModule.href, ...(preload === null ? [] : [preload])];
  return { modules: Object.fromEntries(modules), preloaded: preloaded.map((url) => fileURLToPath(url)) };
}

/** The version of the compiler that checks the cells. */
export const typescriptVersion = (require("typescript/package.json") as { version: string }).version;

/** Where the declarations of Node itself lie. */
export const typeRoot = dirname(dirname(require.resolve("@types/node/package.json")));

/** The package's version. The compiled kernel lies in dist/kernel, beside no package.json of its own. */
export const version = (
  JSON.parse(readFileSync(join(fileURLToPath(kernel), "../../package.json"), "utf8")) as {
    version: string;
  }
).version;

/** What the compiler of a notebook in this folder starts from. */
export function languageOptions(workingDirectory: string, preload: string | null = defaultPreload): LanguageOptions {
  return { workingDirectory, typeRoot, ...preloadedModules(preload) };
}

/**
 * What the realm of a notebook in this folder starts with. It loads bundles, where there are any: of which modules those
 * are made does not concern it.
 */
export function realmOptions(workingDirectory: string, preload: string | null, realmPreload = preload): RealmOptions {
  return {
    workingDirectory,
    preload: realmPreload && bundled(realmPreload),
    modules: defaultModules(preload && bundled(preload)),
  };
}

/** Builds what lets the first cell of a kernel start soon, unless it is there. Takes some seconds; says whether it is. */
export function prepareSnapshot(): Promise<boolean> {
  return buildSnapshot(languageOptions("/"));
}
