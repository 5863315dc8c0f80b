import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Notebook } from "./notebook.ts";
import { isExecuted } from "./run-notebook.ts";
import { writeFileWhole } from "./write-file.ts";

/** Results of runs that went well, by what they depend on. */
export interface RunCache {
  /** The executed notebook's text, if one was stored for the same code, data and version. */
  find(notebook: Notebook, folder: string): Promise<string | undefined>;
  store(notebook: Notebook, folder: string, executed: string): Promise<void>;
}

/** The folder of this user's cache. */
function userCache(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "tessera/runs");
}

/** A cache in a folder; by default in `$XDG_CACHE_HOME/tessera/runs`. */
export function runCache(cache: string = userCache()): RunCache {
  const place = (notebook: Notebook, folder: string): string => join(cache, `${keyOf(notebook, folder)}.ipynb`);
  return {
    find: (notebook, folder) => readFile(place(notebook, folder), "utf8").catch(() => undefined),
    async store(notebook, folder, executed) {
      await mkdir(cache, { recursive: true });
      await writeFileWhole(place(notebook, folder), executed);
    },
  };
}

/** A file named in a cell that is larger than this is told apart by its size and time, not by its content. */
const mostBytesRead = 16 * 1024 * 1024;

/**
 * A name that changes with the code cells and their tags, the files of the notebook's folder that the code names, what
 * those import, the package as it was built, and Node. Not with data that the code finds in any other way.
 */
function keyOf(notebook: Notebook, folder: string): string {
  const hash = createHash("sha256").update(`${process.version} ${builtAt()} ${resolve(folder)}\n`);
  const seen = new Set<string>();
  const addNamed = (code: string, from: string): void => {
    for (const [, , name] of code.matchAll(/(["'`])((?:(?!\1)[^\\\n]){1,300})\1/g)) addFile(resolve(from, name));
  };
  const addFile = (path: string): void => {
    if (seen.has(path) || !existsSync(path)) return;
    seen.add(path);
    const { size, mtimeMs, isFile } = fileFacts(path);
    if (!isFile) return;
    hash.update(`\n${path}\n`);
    if (size > mostBytesRead) {
      hash.update(`${size} ${mtimeMs}`);
      return;
    }
    const content = readFileSync(path);
    hash.update(content);
    if (/\.[cm]?[jt]sx?$/.test(path)) addNamed(content.toString(), join(path, ".."));
  };
  for (const cell of notebook.cells) {
    if (!isExecuted(cell)) continue;
    hash.update(JSON.stringify([cell.source, cell.metadata.tags ?? []]));
    addNamed(cell.source, folder);
  }
  return hash.digest("hex").slice(0, 32);
}

function fileFacts(path: string): { readonly size: number; readonly mtimeMs: number; readonly isFile: boolean } {
  const { size, mtimeMs, ...rest } = statSync(path);
  return { size, mtimeMs, isFile: (rest.mode & 0o170000) === 0o100000 };
}

/** The build leaves its own time stamp; a package from the registry has none, and its version says the same. */
function builtAt(): string {
  const distribution = fileURLToPath(new URL("../..", import.meta.url));
  const stamp = join(distribution, ".tsbuildinfo");
  const { version } = JSON.parse(readFileSync(join(distribution, "../package.json"), "utf8")) as { version: string };
  return existsSync(stamp) ? `${version} ${statSync(stamp).mtimeMs}` : version;
}
