import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as assert from "uvu/assert";
import { findPython } from "../../support/environment.ts";
import { suite } from "../../support/suite.ts";
import { fixture } from "./fixtures.ts";

const found = findPython("nbclient", "nbformat");
const test = suite("the runner beside nbclient", "missing" in found && found.missing);
const command = join(import.meta.dirname, "../../../kernel/cli/main.js");

const execute = `
import sys, nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
source, target, folder = sys.argv[1:]
notebook = nbformat.read(source, as_version=4)
client = NotebookClient(notebook, kernel_name="tessera", resources={"metadata": {"path": folder}})
try:
    client.execute()
except CellExecutionError:
    pass
nbformat.write(notebook, target)
`;

/** A folder for JUPYTER_PATH with a kernelspec that starts the kernel under test. */
function kernelspecFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tessera-"));
  const spec = join(folder, "kernels/tessera");
  mkdirSync(spec, { recursive: true });
  const argv = [process.execPath, "--no-force-async-hooks-checks", command, "kernel", "{connection_file}"];
  const kernel = { argv, display_name: "TypeScript (Tessera)", language: "typescript", interrupt_mode: "message" };
  writeFileSync(join(spec, "kernel.json"), JSON.stringify(kernel));
  return folder;
}

/** A notebook file's text without the times at which its cells ran, and without the banner of a run that stopped. */
function timeless(path: string): string {
  const text = readFileSync(path, "utf8").replace(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, '"TIME"');
  return text.replace(/ {2}\{\n {3}"cell_type": "markdown",\n {3}"id": "run-stopped",\n[\s\S]*?\n {2}\},\n/, "");
}

for (const name of ["runs.ipynb", "fails.ipynb", "mistyped.ipynb"]) {
  test(`writes ${name} byte for byte as nbclient and nbformat do, with the same kernel`, () => {
    if ("missing" in found) return;
    const out = mkdtempSync(join(tmpdir(), "tessera-"));
    const env = { ...process.env, JUPYTER_PATH: kernelspecFolder() };
    const theirs = join(out, "theirs.ipynb");
    const python = spawnSync(found.python, ["-c", execute, fixture(name), theirs, dirname(fixture(name))], {
      encoding: "utf8",
      env,
    });
    assert.is(python.status, 0, python.stderr);
    const ours = spawnSync(process.execPath, [command, "run", fixture(name), "--out", out], { encoding: "utf8" });
    assert.ok(ours.status === 0 || ours.status === 1, ours.stderr);
    assert.is(timeless(join(out, name)), timeless(theirs));
  });
}

test.run();
