import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The kernel's compiled modules. */
const kernel = new URL("../", import.meta.url).href;

/** What the compiler writes last. A package that is installed has none. */
const compiled = new URL("../.tsbuildinfo", kernel);

/**
 * The bundle of a module that realms load at their start.
 *
 * @param module its URL
 * @returns the bundle's URL, or the module's own where there is no bundle or it is older than what was compiled last
 */
export function bundled(module: string): string {
  if (!module.startsWith(kernel)) return module;
  const bundle = new URL(`bundle/files/${nameOfBundle(module.slice(kernel.length))}`, kernel);
  const made = changed(bundle);
  return made !== undefined && made >= (changed(compiled) ?? 0) ? bundle.href : module;
}

/** Bundles lie side by side, so that each finds the rest of the package by the same steps. */
export function nameOfBundle(pathInKernel: string): string {
  return pathInKernel.replaceAll("/", "-");
}

function changed(file: URL): number | undefined {
  return statSync(fileURLToPath(file), { throwIfNoEntry: false })?.mtimeMs;
}
