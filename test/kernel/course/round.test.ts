import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseHTML } from "linkedom";
import * as assert from "uvu/assert";
import { findProtection, graderCell, releaseNotebook } from "../../../kernel/course/index.ts";
import { readNotebook, writeNotebook } from "../../../kernel/headless/index.ts";
import { suite } from "../../support/suite.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { tessera } from "../headless/run-command.ts";
import { exampleSource, goodSubmission, withSource, writeCourse } from "./example-course.ts";

const protection = findProtection();
const test = suite("a teacher's round", !protection.bubblewrap && `no sandbox: ${protection.trouble}`);

const scripted = '<script>alert(1)</script><img src=x onerror="alert(2)">';
const secret = "assert.equal(mean([4]), 4)";
const root = temporaryFolder();

test("write, release, two students' work, autograde, feedback, export", async () => {
  // Anna did everything; Ben left one out, got one half right, and put active content into his answer.
  const ben = withSource(
    withSource(
      withSource(goodSubmission(), "mean", "function mean(xs: readonly number[]): number { throw new Error('later') }"),
      "counter",
      "class Counter { #n = 0; increment(by = 1) { return ++this.#n } }",
    ),
    "essay",
    scripted,
  );
  writeCourse(root, { anna: goodSubmission(), ben });
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await tessera(args, { cwd: root });
    assert.is(code, 0, stderr + stdout);
    return stdout;
  };

  assert.is(await run("assign", "ps1"), "problems.ipynb: 5 to solve, 4 tests, 1 graded by hand, 12 points\n");
  await run("release", "ps1");
  assert.equal(await readNotebook(join(root, "release/ps1/problems.ipynb")), releaseNotebook(exampleSource));
  const graded = await run("autograde", "ps1", "--jobs", "2");
  assert.match(graded, /anna: 10 of 12 points, 1 by hand/);
  assert.match(graded, /ben: 6 of 12 points, 1 by hand/);
  assert.match(graded, /2 of 2 submissions graded/);

  await run("feedback", "ps1");
  const page = readFileSync(join(root, "feedback/ben/ps1/problems.html"), "utf8");
  const { document } = parseHTML(page);
  const text = document.body.textContent ?? "";
  assert.match(text, /problems: 6 of 12 points/);
  assert.match(text, /test-mean: 0 of 2 points: a test of this cell failed/);
  assert.match(text, /test-counter: 2 of 4 points: partial credit: 2 of 4/);
  assert.is(document.querySelectorAll("script, iframe, object, embed, form").length, 0);
  assert.is(document.querySelectorAll("[onerror], [onload], [onclick]").length, 0);
  assert.match(
    document.querySelector("meta[http-equiv=Content-Security-Policy]")?.getAttribute("content") ?? "",
    /default-src 'none'/,
  );
  assert.ok(text.includes("<script>alert(1)</script>"), "what was written is shown as text");
  assert.not.ok(page.includes(secret) || text.includes("HIDDEN"), "hidden tests stay hidden");

  await run("export", "ps1");
  assert.match(
    readFileSync(join(root, "exported/ps1/grades.csv"), "utf8"),
    /^ps1,,2026-03-01 12:00:00 UTC,anna,,,,10,0,10,12$/m,
  );
  const gradescope = JSON.parse(readFileSync(join(root, "exported/ps1/gradescope/ben/results.json"), "utf8"));
  assert.is(gradescope.score, 6);
  assert.is(existsSync(join(root, "exported/ps1/junit.xml")), true);
});

test("the executed notebook holds the tests whole, with what the student's code printed in them", async () => {
  const { cells } = await readNotebook(join(root, "autograded/anna/ps1/problems.ipynb"));
  const mean = cells.find((cell) => graderCell(cell)?.id === "test-mean");
  assert.ok(mean?.source.includes(secret));
  assert.is(mean?.cell_type === "code" && mean.execution_count !== null, true);
});

test("a student's own check names the tests that fail", async () => {
  const path = join(root, "mine.ipynb");
  writeFileSync(
    path,
    writeNotebook(
      withSource(releaseNotebook(exampleSource), "mean", "function mean(xs: readonly number[]) { return 2 }"),
    ),
  );
  const { code, stdout } = await tessera(["validate", path]);
  assert.is(code, 1);
  assert.match(stdout, /^ok {4}test-mean$/m);
  assert.match(stdout, /^FAIL {2}test-scale: /m);
});

const refusals: [what: string, args: string[], told: RegExp][] = [
  [
    "an assignment that is not there",
    ["autograde", "ps9"],
    /^assignment: must be a folder in .*got ps9, there are: ps1/,
  ],
  ["no assignment", ["release"], /^tessera release: one assignment must be named, got none/],
  ["two assignments", ["release", "ps1", "ps2"], /^tessera release: one assignment must be named, got ps1, ps2/],
  ["a path instead of a name", ["release", "../ps1"], /^assignment: must be the name of a folder/],
  [
    "a student who handed in nothing",
    ["autograde", "ps1", "--student", "carl"],
    /^submissions: must lie in .*got none of carl/,
  ],
  ["an unknown format", ["export", "ps1", "--format", "pdf"], /^--format: must be one of grades/],
  ["a limit without meaning", ["autograde", "ps1", "--memory", "lots"], /^--memory: must be a size/],
];
for (const [what, args, told] of refusals) {
  test(`refuses ${what}: one line, exit code 2`, async () => {
    const { code, stderr } = await tessera(args, { cwd: root });
    assert.is(code, 2, stderr);
    assert.match(stderr, told);
    assert.is(stderr.trim().split("\n").length, 1);
  });
}

test("refuses to run strangers' code where nothing holds it, unless told", async () => {
  const { code, stderr } = await tessera(["autograde", "ps1"], { cwd: root, environment: { PATH: "/nonexistent" } });
  assert.is(code, 2);
  assert.match(
    stderr,
    /^sandbox: strangers' code must be held by bubblewrap, got none \(bubblewrap is not installed\).*--no-sandbox\n$/,
  );
  const open = await tessera(["autograde", "ps1", "--student", "anna", "--no-sandbox"], {
    cwd: root,
    environment: { PATH: "/nonexistent" },
  });
  assert.is(open.code, 0, open.stderr);
  assert.match(open.stdout, /anna: 10 of 12 points/);
});

test("a faulty source is refused with every fault in a line of its own, and nothing is written", async () => {
  const folder = temporaryFolder();
  const faulty = withSource(exampleSource, "mean", "// BEGIN SOLUTION");
  writeCourse(folder, {}, "ps1", withSource(faulty, "test-mean", "// END HIDDEN TESTS"));
  const { code, stderr } = await tessera(["release", "ps1"], { cwd: folder });
  assert.is(code, 2);
  assert.is(stderr.trim().split("\n").length, 2, stderr);
  assert.not.ok(existsSync(join(folder, "release")));
});

test("two assignments of one name, and two notebooks of one, are refused in one line before anything is written", async () => {
  for (const [first, second, told] of [
    ["source/ps1/problems.ipynb", "source/PS1/problems.ipynb", /^assignment: names must differ in more than case/],
    ["source/ps1/problems.ipynb", "source/ps1/Problems.ipynb", /^notebook: names must differ in more than case/],
  ] as const) {
    const folder = temporaryFolder();
    for (const path of [first, second]) {
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(join(folder, path), writeNotebook(exampleSource));
    }
    for (const command of ["assign", "release", "autograde"]) {
      const { code, stderr } = await tessera([command, "ps1"], { cwd: folder });
      assert.is(code, 2, stderr);
      assert.match(stderr, told);
      assert.is(stderr.trim().split("\n").length, 1);
    }
    assert.equal(readdirSync(folder), ["source"]);
  }
});

test("an output folder that cannot be written is told in one line", async () => {
  const folder = temporaryFolder();
  writeCourse(folder, {});
  // A file where the folder should be stops root, too.
  mkdirSync(join(folder, "release"));
  writeFileSync(join(folder, "release/ps1"), "");
  chmodSync(join(folder, "release"), 0o555);
  const { code, stderr } = await tessera(["release", "ps1"], { cwd: folder });
  assert.is(code, 2, stderr);
  assert.match(stderr, /^output: the folder must be writable, got /);
});

test.run();
