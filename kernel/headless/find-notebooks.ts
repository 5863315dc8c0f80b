import { existsSync } from "node:fs";
import { glob } from "tinyglobby";
import { BadInput } from "./bad-input.ts";

/**
 * The notebook files that some paths and patterns name, in their order and each once. A path that exists is itself; any
 * other with `*`, `?`, `[` or `{` is a pattern.
 *
 * @throws BadInput when a pattern matches nothing
 */
export async function findNotebooks(given: readonly string[]): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const path of given) {
    if (existsSync(path) || !/[*?[{]/.test(path)) {
      found.add(path);
      continue;
    }
    const matches = await glob(path, { ignore: ["**/node_modules/**", "**/.ipynb_checkpoints/**"] });
    const notebooks = matches.filter((match) => match.endsWith(".ipynb")).sort();
    if (notebooks.length === 0) {
      throw new BadInput(`notebook: a pattern must match .ipynb files, got none (${path}), correct the pattern`);
    }
    for (const notebook of notebooks) found.add(notebook);
  }
  return [...found];
}
