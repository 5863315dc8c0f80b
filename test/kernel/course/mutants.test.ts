import * as assert from "uvu/assert";
import { findProtection } from "../../../kernel/course/index.ts";
import { suite } from "../../support/suite.ts";
import { gradeMutants, type Verdict } from "./grade-mutants.ts";
import { kindsOfMutants, mutants } from "./mutants.ts";

const protection = findProtection();
const test = suite(
  "submissions that were tampered with",
  !protection.bubblewrap && `no sandbox: ${protection.trouble}`,
);

// All kinds, and each on several exercises, by `node dist/test/kernel/course/grade-mutants.js 200`.
const chosen = [
  "solution deleted",
  "half right",
  "metadata stripped",
  "endless loop in a function",
  "endless wait",
  "four gigabytes",
  "fork bomb",
  "network call",
  "corrupt JSON",
  "assert patched",
  "assert redeclared",
  "tests weakened",
  "output forged",
  "answers forged",
  "solutions read from the teacher's folder",
  "prototypes polluted",
  "tests overheard",
];
const all = mutants(kindsOfMutants).filter(({ name }) => chosen.includes(name.replace(/ \(.*/, "")));
let verdicts: readonly Verdict[] = [];

test("one batch grades them all", async () => {
  assert.is(all.length, chosen.length);
  ({ verdicts } = await gradeMutants(all));
  assert.is(verdicts.length, all.length);
});

for (const [index, { name, kind, score }] of all.entries()) {
  test(`${kind}: ${name} earns ${score}, and its teacher reads why`, () => {
    const verdict = verdicts[index];
    const said = JSON.stringify(verdict.result.notebooks);
    assert.is(verdict.score, score, said);
    assert.ok(verdict.isTold, said);
  });
}

test("no test's text reaches the student's process", () => {
  const overheard = verdicts.find(({ mutant }) => mutant.name.startsWith("tests overheard"));
  assert.not.match(JSON.stringify(overheard?.result), /OVERHEARD/);
});

test.run();
