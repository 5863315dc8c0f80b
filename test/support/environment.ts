import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** The project's folder. */
export const projectRoot = join(import.meta.dirname, "../../..");

/**
 * A Python with the given modules: the one that TESSERA_PYTHON names, or that of the project's `.venv`.
 *
 * @returns the interpreter, or why there is none
 */
export function findPython(...modules: readonly string[]): { readonly python: string } | { readonly missing: string } {
  const python = process.env.TESSERA_PYTHON ?? join(projectRoot, ".venv/bin/python");
  if (!existsSync(python)) return { missing: `no Python at TESSERA_PYTHON or .venv (${python})` };
  const found = spawnSync(python, ["-c", `import ${modules.length > 0 ? modules.join(", ") : "sys"}`]);
  return found.status === 0 ? { python } : { missing: `Python without ${modules.join(" or ")} (${python})` };
}

/**
 * A Chromium: the one that TESSERA_CHROMIUM names, or the system's.
 *
 * @returns the program, or why there is none
 */
export function findChromium(): { readonly chromium: string } | { readonly missing: string } {
  const named = process.env.TESSERA_CHROMIUM;
  const chromium = [named, "/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => path && existsSync(path));
  return chromium ? { chromium } : { missing: "no Chromium at TESSERA_CHROMIUM or /usr/bin/chromium" };
}

/** Options under which Chromium runs headless, as root too, and asks the network for nothing of its own. */
export const chromiumArguments: readonly string[] = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
