import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import * as assert from "uvu/assert";
import { install } from "../../kernel/install.ts";
import { findPython, projectRoot } from "../support/environment.ts";
import { suite } from "../support/suite.ts";

const python = findPython("jupyter_kernel_test", "nbclient", "nbconvert", "papermill");
const test = suite("Jupyter's own clients", "missing" in python && python.missing);

const folder = mkdtempSync(join(tmpdir(), "tessera-clients-"));
test.before(async () => {
  await install(join(folder, "jupyter"));
  writeFileSync(
    join(folder, "error.ipynb"),
    JSON.stringify(notebook(["1 + 1", "throw new RangeError('too far')", "2"])),
  );
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

function notebook(sources: readonly string[]): object {
  const cells = sources.map((source, index) => ({
    cell_type: "code",
    id: `cell-${index}`,
    source,
    metadata: {},
    outputs: [],
    execution_count: null,
  }));
  const kernelspec = { name: "tessera", display_name: "Tessera", language: "typescript" };
  return { nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells };
}

/** Runs a Python program with the kernel installed where it looks first. */
function run(...given: string[]): { status: number | null; output: string } {
  if ("missing" in python) throw new Error(`internal: ${python.missing}`);
  const { status, stdout, stderr } = spawnSync(python.python, given, {
    cwd: folder,
    encoding: "utf8",
    env: {
      ...process.env,
      PATH: `${dirname(python.python)}${delimiter}${process.env.PATH}`,
      JUPYTER_DATA_DIR: join(folder, "jupyter"),
      // Inside a virtual environment, Jupyter would look there first.
      JUPYTER_PREFER_ENV_PATH: "0",
      XDG_DATA_HOME: folder,
    },
  });
  return { status, output: stripVTControlCharacters(stdout + stderr) };
}

/** The outputs of a notebook that stopped at its second cell. */
function assertStopped(file: string): void {
  const { cells } = JSON.parse(readFileSync(join(folder, file), "utf8"));
  const code = cells.filter((cell: { cell_type: string }) => cell.cell_type === "code");
  const [first, second, third] = code.map((cell: { outputs: unknown[] }) => cell.outputs);
  assert.is([first[0].data["text/plain"]].flat().join(""), "2");
  assert.is(second[0].ename, "RangeError");
  assert.is(second[0].evalue, "too far");
  assert.equal(third, []);
}

test("jupyter_kernel_test finds no fault", () => {
  const { status, output } = run(join(projectRoot, "test/fixtures/kernel/kernel_gate.py"));
  assert.is(status, 0, output);
});

test("nbclient runs a notebook and stops at its error", () => {
  const { status, output } = run("-m", "jupyter", "execute", "error.ipynb");
  assert.is.not(status, 0);
  assert.match(output, "RangeError: too far");
});

test("nbconvert --execute stops at the error and names it", () => {
  const { status, output } = run("-m", "nbconvert", "--execute", "--to", "notebook", "error.ipynb", "--output", "out");
  assert.is.not(status, 0);
  assert.match(output, "RangeError: too far");
});

test("papermill stops at the error, and writes what there was until then", () => {
  writeFileSync(
    join(folder, "mill.ipynb"),
    JSON.stringify(notebook(["1 + 1", "throw new RangeError('too far')", "2"])),
  );
  const { status, output } = run("-m", "papermill", "mill.ipynb", "milled.ipynb", "-k", "tessera");
  assert.is.not(status, 0);
  assert.match(output, "too far");
  assertStopped("milled.ipynb");
});

test.run();
