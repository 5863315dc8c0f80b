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
  test(`${kind}: ${name} earns ${score}`, () => {
    const verdict = verdicts[index];
    const said = verdict.result.notebooks.map(({ grades, troubles }) => JSON.stringify([grades, troubles])).join("\n");
    assert.is(verdict.score, score, said);
  });
}

test("every limit that was passed is told", () => {
  const told = (name: string): string => {
    const found = verdicts.find(({ mutant }) => mutant.name.startsWith(name));
    return JSON.stringify(found?.result.notebooks);
  };
  assert.match(told("endless loop in a function"), /ran longer than its limit of 4 s/);
  assert.match(told("four gigabytes"), /more memory than its limit/);
  assert.match(told("fork bomb"), /more processes than its limit|process ended|ended \(/);
  assert.match(told("corrupt JSON"), /notebook: must be JSON/);
});

test("no test's text reaches the student's process", () => {
  const overheard = verdicts.find(({ mutant }) => mutant.name.startsWith("tests overheard"));
  assert.not.match(JSON.stringify(overheard?.result), /OVERHEARD/);
});

test.run();
