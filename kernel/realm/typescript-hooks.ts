import { readFile, stat } from "node:fs/promises";
import type { InitializeHook, LoadHook, ResolveHook } from "node:module";
import { fileURLToPath } from "node:url";
import type ts from "typescript";

let modules: Readonly<Record<string, string>> = {};
let typescript: typeof ts | undefined;

/** Called by Node with what was given at registration. */
export const initialize: InitializeHook<{ modules: Readonly<Record<string, string>> }> = (data) => {
  modules = data.modules;
};

/** Everything of ours: compiled already, and loaded once only. */
const distribution = new URL("../..", import.meta.url).href;

const extensions = ["", ".ts", ".tsx", ".js", "/index.ts", "/index.js"];

async function modifiedAt(url: URL): Promise<number | null> {
  try {
    const found = await stat(url);
    return found.isFile() ? found.mtimeMs : null;
  } catch {
    return null;
  }
}

/**
 * Finds local files the way the compiler does: with or without extension, `.js` standing for `.ts`. The time of the last
 * change is part of a local file's address, so a cell that imports it again gets it as it is now.
 */
export const resolve: ResolveHook = async (specifier, context, next) => {
  const named = modules[specifier];
  if (named !== undefined) return { url: named, shortCircuit: true };
  if (!/^(\.{0,2}\/|file:)/.test(specifier) || context.parentURL?.includes("/node_modules/")) {
    return next(specifier, context);
  }
  const base = new URL(specifier, context.parentURL);
  if (base.href.startsWith(distribution)) return next(specifier, context);
  base.search = "";
  const candidates = extensions.map((extension) => base.href + extension);
  if (base.pathname.endsWith(".js")) candidates.push(base.href.replace(/\.js$/, ".ts"));
  for (const candidate of candidates) {
    const modified = await modifiedAt(new URL(candidate));
    if (modified === null) continue;
    if (candidate.endsWith(".json")) return { url: candidate, importAttributes: { type: "json" }, shortCircuit: true };
    return next(`${candidate}?modified=${modified}`, context);
  }
  return next(specifier, context);
};

/** Translates TypeScript files; the type check of the cell that imports them has read them already. */
export const load: LoadHook = async (url, context, next) => {
  const file = new URL(url);
  if (!/\.tsx?$/.test(file.pathname)) return next(url, context);
  const source = await readFile(fileURLToPath(file), "utf8");
  typescript ??= (await import("typescript")).default;
  const { outputText } = typescript.transpileModule(source, {
    fileName: fileURLToPath(file),
    compilerOptions: {
      target: typescript.ScriptTarget.ES2022,
      module: typescript.ModuleKind.ESNext,
      experimentalDecorators: true,
      inlineSourceMap: true,
    },
  });
  return { format: "module", source: outputText, shortCircuit: true };
};
