import * as assert from "uvu/assert";
import { findPython } from "../../support/environment.ts";
import { type NodeTestRun, nodeTableInReadme, nodeTableText, runNodeTests } from "../../support/onnx-node-table.ts";
import { suite } from "../../support/suite.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const found = findPython("onnx");
const test = suite("node tests of the onnx package", "missing" in found && found.missing);

let run: NodeTestRun;
test.before(async () => {
  if ("python" in found) run = await runNodeTests(found.python, temporaryFolder());
});

test("every case of an operator that has a rule passes at the suite's tolerance, or is refused with a reason", () => {
  const wrong = run.results.filter(({ outcome }) => outcome === "wrong");
  assert.equal(
    wrong.map(({ name, reason }) => `${name}: ${reason}`),
    [],
  );
  const near = run.results.filter(({ outcome }) => outcome === "near");
  assert.ok(
    near.every(({ name }) => name.includes("_expanded")),
    "bodies of functions alone may be rounded at the end",
  );
  const passed = run.results.filter(({ outcome }) => outcome === "passed");
  assert.ok(passed.length > 700, `${passed.length} cases passed`);
  const unexplained = run.results.filter(({ outcome, reason }) => outcome === "refused" && !reason.includes(", got "));
  assert.equal(
    unexplained.map(({ name, reason }) => `${name}: ${reason}`),
    [],
  );
});

test("the room's README says what passes today", () => {
  assert.is(nodeTableInReadme(), nodeTableText(run), "npm run onnx-table writes the table anew");
});

test.run();
