import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as assert from "uvu/assert";
import { findPython, projectRoot } from "../../support/environment.ts";
import { suite } from "../../support/suite.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { besideNbclient } from "./beside-nbclient.ts";
import { fixture } from "./fixtures.ts";
import { executeWithNbclient } from "./nbclient.ts";
import { tessera } from "./run-command.ts";

const found = findPython("nbclient", "nbformat");
const test = suite("the runner beside nbclient", "missing" in found && found.missing);
const python = "missing" in found ? "" : found.python;

/** A notebook file's text without the times at which its cells ran, and without the banner of a run that stopped. */
function timeless(path: string): string {
  const text = readFileSync(path, "utf8").replace(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, '"TIME"');
  return text.replace(/ {2}\{\n {3}"cell_type": "markdown",\n {3}"id": "run-stopped",\n[\s\S]*?\n {2}\},\n/, "");
}

for (const name of ["runs.ipynb", "fails.ipynb", "mistyped.ipynb"]) {
  test(`writes ${name} byte for byte as nbclient and nbformat do, with the same kernel`, async () => {
    const out = temporaryFolder();
    const theirs = join(out, "theirs.ipynb");
    await executeWithNbclient(python, fixture(name), theirs, dirname(fixture(name)));
    const { code, stderr } = await tessera(["run", fixture(name), "--out", out]);
    assert.ok(code === 0 || code === 1, stderr);
    assert.is(timeless(join(out, name)), timeless(theirs));
  });
}

test("shows in a lecture of the course what nbclient shows, output for output", async () => {
  const { outputs, differences } = await besideNbclient(
    python,
    join(projectRoot, "notebooks/07-the-tile-machine.ipynb"),
  );
  assert.equal(differences, []);
  assert.ok(outputs > 0);
});

test.run();
