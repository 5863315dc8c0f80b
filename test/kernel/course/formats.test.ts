import * as assert from "uvu/assert";
import {
  checkSource,
  checksumOf,
  gradeCell,
  graderCell,
  gradesCsv,
  gradescopeResults,
  prairieLearnResults,
  questionsCsv,
  releaseNotebook,
  restore,
  type SubmissionResult,
  submissionsJunit,
  summarise,
} from "../../../kernel/course/index.ts";
import type { Cell, Output } from "../../../kernel/headless/index.ts";
import { suite } from "../../support/suite.ts";
import { exampleSource, goodSubmission, hasTrueChecksum, marked, plain } from "./example-course.ts";

const test = suite("assignments and their formats");

const sourceOf = (cells: readonly Cell[], id: string): string =>
  cells.find((cell) => graderCell(cell)?.id === id)?.source ?? "no such cell";

test("a release holds stubs for solutions, no hidden tests, and cells with true checksums", () => {
  const { cells } = releaseNotebook(exampleSource);
  assert.is(sourceOf(cells, "mean"), '// YOUR CODE HERE\nthrow new Error("not implemented yet")');
  assert.is(sourceOf(cells, "essay"), "YOUR ANSWER HERE");
  assert.is(sourceOf(cells, "test-mean"), "assert.ok(Math.abs(mean([1, 2, 3]) - 2) < tolerance);");
  assert.ok(cells.every(hasTrueChecksum));
  assert.not.match(JSON.stringify(cells), /HIDDEN|SOLUTION/);
  const setup = cells.find((cell) => graderCell(cell)?.id === "setup");
  assert.equal([setup?.metadata.deletable, setup?.metadata.editable], [false, false]);
});

test("checksums are those that nbgrader computed for the same cells", () => {
  // From nbgrader.utils.compute_checksum, 0.9.6.
  const known: [Cell, string][] = [
    [
      marked("setup", 'import assert from "node:assert/strict";\nconst tolerance = 1e-9;', { locked: true }),
      "eddd847f0fea4e6a5f55bd918082db49",
    ],
    [marked("test", "1 + 1", { grade: true, locked: true, points: 2 }), "4dfdbe5af8431d1e165abdf49e7bbb39"],
    [
      marked("half", "é\n", { grade: true, solution: true, points: 0.5 }, "markdown"),
      "435f9e2e2435b25e00c26aa187884116",
    ],
  ];
  for (const [cell, checksum] of known) assert.is(checksumOf(cell, graderCell(cell)!), checksum);
});

const faults: [what: string, cells: Cell[], told: RegExp][] = [
  [
    "a name used twice",
    [marked("a", "", { solution: true }), marked("a", "", { solution: true })],
    /grade_id: must be used once, got a in cells 1 and 2/,
  ],
  ["a name that nbgrader refuses", [marked("a b", "", { solution: true })], /grade_id: must be letters/],
  ["points below zero", [marked("a", "", { grade: true, points: -1 })], /points: must be a number/],
  ["a test without points", [marked("a", "", { grade: true })], /points: must be a number .*got none in a/],
  [
    "a region that is not closed",
    [marked("a", "// BEGIN SOLUTION", { solution: true })],
    /BEGIN SOLUTION must be closed/,
  ],
  [
    "a region in a region",
    [marked("a", "// BEGIN SOLUTION\n// BEGIN SOLUTION\n// END SOLUTION", { solution: true })],
    /must not stand inside another, got one in line 2/,
  ],
  ["an end without a beginning", [marked("a", "// END SOLUTION", { solution: true })], /must follow BEGIN SOLUTION/],
  [
    "a solution that would be released",
    [marked("a", "// BEGIN SOLUTION\n// END SOLUTION", { locked: true })],
    /students would see it/,
  ],
  [
    "hidden tests that would be released",
    [marked("a", "// BEGIN HIDDEN TESTS\n// END HIDDEN TESTS", { locked: true })],
    /students would see them/,
  ],
  [
    "a solution in a cell without marks",
    [plain("// BEGIN SOLUTION\n// END SOLUTION")],
    /must stand in a cell that takes part/,
  ],
  [
    "words that are graded and cannot be written",
    [marked("a", "", { grade: true, points: 1 }, "markdown")],
    /must be both solution and graded/,
  ],
  ["nothing to grade", [plain("1")], /must have cells for grading, got none/],
];
for (const [what, cells, told] of faults) {
  test(`assign names ${what}`, () => {
    const troubles = checkSource({ ...exampleSource, cells }, "x.ipynb");
    assert.ok(
      troubles.some((text) => told.test(text)),
      troubles.join("\n"),
    );
    assert.ok(troubles.every((text) => text.includes("x.ipynb") && !text.includes("\n")));
  });
}

test("assign finds nothing wrong with a sound source, and says what there is to earn", () => {
  assert.equal(checkSource(exampleSource, "x.ipynb"), []);
  assert.equal(summarise(exampleSource), { tests: 4, manual: 1, solutions: 5, points: 12 });
});

test("a submission is put in order, and what was wrong with it is told", () => {
  const good = goodSubmission();
  const [title, setup, mean, testMean, ...rest] = good.cells;
  const retyped: Cell = { cell_type: "markdown", id: "x", source: setup.source, metadata: setup.metadata };
  const cells = [
    title,
    retyped,
    mean,
    { ...mean, id: "twin" },
    { ...testMean, source: "1" },
    ...rest.slice(0, -2),
    plain("mine"),
  ];
  const { notebook, findings } = restore({ ...good, cells }, exampleSource);
  const kinds = findings.map(({ kind, cell }) => `${kind} ${cell}`);
  for (const expected of [
    "retyped setup",
    "duplicated mean",
    "restored test-mean",
    "missing test-counter",
    "missing essay",
  ]) {
    assert.ok(kinds.includes(expected), `${expected} among ${kinds}`);
  }
  assert.is(sourceOf(notebook.cells, "test-mean"), sourceOf(exampleSource.cells, "test-mean"));
  const order = notebook.cells.map((cell) => graderCell(cell)?.id).filter(Boolean);
  assert.equal(order, [
    "setup",
    "mean",
    "test-mean",
    "scale",
    "test-scale",
    "later",
    "test-later",
    "counter",
    "test-counter",
    "essay",
  ]);
});

const judged = (outputs: Output[]) => gradeCell({ ...marked("t", "1", { grade: true, points: 4 }), outputs } as Cell);
const value = (text: string): Output => ({
  output_type: "execute_result",
  execution_count: 1,
  data: { "text/plain": text },
  metadata: {},
});
test("points follow nbgrader's rules", () => {
  assert.is(judged([])?.score, 4);
  assert.is(judged([value("2.5")])?.score, 2.5);
  assert.is(judged([value("\x1b[33m3\x1b[39m")])?.score, 3);
  assert.is(judged([value("'text'")])?.score, 4);
  assert.is(judged([value("5")])?.score, 0);
  assert.is(judged([{ output_type: "stream", name: "stderr", text: "x" }])?.score, 0);
  assert.is(judged([{ output_type: "stream", name: "stdout", text: "x" }])?.score, 4);
  const error = judged([{ output_type: "error", ename: "E", evalue: "why", traceback: [] }]);
  assert.equal([error?.score, error?.message], [0, "E: why"]);
});

const result: SubmissionResult = {
  student: "=cmd,1",
  assignment: "ps1",
  timestamp: "2026-03-01 12:00:00 UTC",
  seconds: 3.2,
  notebooks: [
    {
      notebook: "p.ipynb",
      findings: [],
      troubles: ["slow"],
      grades: [
        { id: "a", score: 1, points: 2, message: 'got "x"' },
        { id: "b", score: null, points: 2, message: "graded by hand" },
      ],
    },
  ],
};

test("results are exported in the forms that other systems read", () => {
  const [head, row] = gradesCsv([result]).split("\n");
  assert.is(
    head,
    "assignment,duedate,timestamp,student_id,last_name,first_name,email,raw_score,late_submission_penalty,score,max_score",
  );
  assert.is(row, `ps1,,2026-03-01 12:00:00 UTC,"'=cmd,1",,,,1,0,1,4`, "no cell is a formula");
  assert.match(questionsCsv([result]), /p\.ipynb,a,1,2,"got ""x"""\n/);
  const gradescope = gradescopeResults(result) as { score: number; tests: { max_score: number; status: string }[] };
  assert.is(gradescope.score, 1);
  assert.equal(
    gradescope.tests.map(({ max_score, status }) => [max_score, status]),
    [
      [2, "failed"],
      [2, "passed"],
    ],
  );
  const prairie = prairieLearnResults(result) as { score: number; gradable: boolean };
  assert.equal([prairie.score, prairie.gradable], [0.25, true]);
  assert.match(submissionsJunit([result]), /<testsuite name="=cmd,1" tests="2" failures="1" skipped="1"/);
});

test.run();
