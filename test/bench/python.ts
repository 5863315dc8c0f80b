import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Figures } from "./benchmark.ts";

const project = join(import.meta.dirname, "../../..");

/** The Python that peers run in: `TESSERA_PYTHON`, or the project's virtual environment. */
function findPython(): string | null {
  const candidates = [process.env.TESSERA_PYTHON, join(project, ".venv/bin/python")];
  return candidates.find((path) => path !== undefined && path !== "" && existsSync(path)) ?? null;
}

/**
 * Runs a peer's script, which prints its figures as JSON in its last line.
 *
 * @param module the Python module that it cannot do without
 * @returns its figures, or the reason why there are none
 */
export function pythonPeer(script: string, module: string, ...args: readonly string[]): Figures | string {
  const python = findPython();
  if (python === null) return "absent: no Python in TESSERA_PYTHON or .venv";
  try {
    execFileSync(python, ["-c", `import ${module}`], { stdio: "ignore" });
  } catch {
    return `absent: ${python} has no ${module}`;
  }
  const output = execFileSync(python, [join(project, "test/bench", script), ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(output.trim().split("\n").at(-1) as string) as Figures;
}
