import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * The licences of packages, as they ask to travel with what is bundled of them.
 *
 * @param root the folder that holds `node_modules`
 * @param inputs the files in the bundle
 * @param more names of further packages
 */
export async function licences(root: string, inputs: Iterable<string>, more: readonly string[] = []): Promise<string> {
  const packages = new Set(more);
  for (const path of inputs) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
    if (name) packages.add(name);
  }
  const texts = [...packages].sort().map(async (name) => {
    const folder = join(root, "node_modules", name);
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    return `${name} ${version} (${license})\n\n${file ? await readFile(join(folder, file), "utf8") : ""}`;
  });
  return (await Promise.all(texts)).join(betweenLicences);
}

/** What stands between the licences of two packages. */
export const betweenLicences = `\n\n${"-".repeat(80)}\n\n`;
