import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { graderCell, releaseNotebook } from "../../../kernel/course/index.ts";
import { readNotebook } from "../../../kernel/headless/index.ts";
import { findPython } from "../../support/environment.ts";
import { suite } from "../../support/suite.ts";
import { tessera } from "../headless/run-command.ts";
import { exampleSource, goodSubmission, withSource } from "./example-course.ts";
import { nbgraderCourse, nbgraderScores } from "./nbgrader.ts";

const found = findPython("nbgrader");
const test = suite("unmodified nbgrader with our kernel", "missing" in found && found.missing);
const python = "missing" in found ? "" : found.python;

const half = withSource(
  goodSubmission(),
  "counter",
  "class Counter { #n = 0; increment(by = 1) { return ++this.#n } }",
);

test("generates what tessera releases: the same cells, sources, marks and checksums", async () => {
  const course = await nbgraderCourse(python, exampleSource, {});
  const log = await course.run("generate_assignment", "ps1", "--create");
  const theirs = await readNotebook(join(course.root, "release/ps1/problems.ipynb")).catch(() =>
    assert.unreachable(log),
  );
  const ours = releaseNotebook(exampleSource);
  const seen = (notebook: typeof ours) =>
    notebook.cells.map((cell) => [cell.source, graderCell(cell), cell.metadata.editable, cell.metadata.deletable]);
  assert.equal(seen(theirs!), seen(ours));
});

test("autogrades, with partial credit, and gives feedback", async () => {
  const scores = await nbgraderScores(python, exampleSource, {
    anna: goodSubmission(),
    ben: half,
    carl: releaseNotebook(exampleSource),
  });
  assert.equal(scores, { anna: 10, ben: 8, carl: 0 });
});

test("grades what tessera released, and gives feedback on it", async () => {
  const course = await nbgraderCourse(python, exampleSource, { anna: goodSubmission() });
  assert.is((await tessera(["release", "ps1"], { cwd: course.root })).code, 0);
  // nbgrader wants to have generated the assignment itself; what it finds in release/ stays.
  mkdirSync(join(course.root, "kept"));
  cpSync(join(course.root, "release"), join(course.root, "kept"), { recursive: true });
  const log =
    (await course.run("generate_assignment", "ps1", "--create", "--force")) +
    (await course.run("autograde", "ps1", "--create")) +
    (await course.run("generate_feedback", "ps1"));
  const page = join(course.root, "feedback/anna/ps1/problems.html");
  assert.ok(existsSync(page), log);
  assert.match(readFileSync(page, "utf8"), /Score: 10\.0 \/ 12\.0/);
});

test.run();
