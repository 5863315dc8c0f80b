import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const command = join(import.meta.dirname, "../../../kernel/cli/main.js");

const execute = `
import sys, nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
source, target, folder = sys.argv[1:]
notebook = nbformat.read(source, as_version=4)
client = NotebookClient(notebook, kernel_name="tessera", timeout=None, resources={"metadata": {"path": folder}})
try:
    client.execute()
except CellExecutionError:
    pass
nbformat.write(notebook, target)
`;

/** A folder for JUPYTER_PATH with a kernelspec that starts the kernel under test. */
function kernelspecFolder(): string {
  const folder = temporaryFolder();
  const spec = join(folder, "kernels/tessera");
  mkdirSync(spec, { recursive: true });
  const argv = [process.execPath, "--no-force-async-hooks-checks", command, "kernel", "{connection_file}"];
  const kernel = { argv, display_name: "TypeScript (Tessera)", language: "typescript", interrupt_mode: "message" };
  writeFileSync(join(spec, "kernel.json"), JSON.stringify(kernel));
  return folder;
}

/**
 * Executes a notebook with nbclient on our kernel and writes it with nbformat; a failing cell ends it, as with us.
 *
 * @param folder where the kernel works
 */
export async function executeWithNbclient(
  python: string,
  source: string,
  target: string,
  folder: string,
): Promise<void> {
  const env = { ...process.env, JUPYTER_PATH: kernelspecFolder() };
  const child = spawn(python, ["-c", execute, source, target, folder], { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (text) => (said += text));
  const status = await new Promise((resolve) => child.on("close", resolve));
  if (status !== 0)
    throw new Error(`nbclient: must execute the notebook, got exit code ${status} (${source}): ${said}`);
}
