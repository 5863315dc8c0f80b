import { spawnSync } from "node:child_process";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "./suite.ts";

const test = suite("the guard around uvu");

function run(fixture: string, ...patterns: string[]): { status: number | null; output: string; last: string } {
  const root = join(import.meta.dirname, "../fixtures/guard", fixture);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, "run.js"), "--root", root, ...patterns],
    { encoding: "utf8" },
  );
  return { status, output: stdout + stderr, last: stdout.trim().split("\n").at(-1) ?? "" };
}

test("passes a passing suite and names what was skipped, with the reason", () => {
  const { status, output, last } = run("passing");
  assert.is(status, 0);
  assert.is(last, "1 passed, 0 failed, 1 skipped");
  assert.match(output, "skipped: passing › is left out: the machine has no tape drive");
});

test("runs every test and hook once, those that wait for something too", () => {
  const { status, output, last } = run("waiting");
  assert.is(status, 0, output);
  assert.is(last, "2 passed, 0 failed");
});

const failing: [fixture: string, said: string, last: string][] = [
  ["forgotten-run", 'suite "forgotten" is never run', "0 passed, 1 failed"],
  ["throwing-before", "the set-up failed", "0 passed, 2 failed"],
  ["no-suite", "defines no suite", "0 passed, 1 failed"],
  ["early-exit", "before its tests did", "0 passed, 1 failed"],
  ["failing", "does not hold", "1 passed, 1 failed"],
];
for (const [fixture, said, closing] of failing) {
  test(`fails on ${fixture}`, () => {
    const { status, output, last } = run(fixture);
    assert.is(status, 1);
    assert.match(output, said);
    assert.is(last, closing);
  });
}

test("fails when no file matches", () => {
  const { status, output } = run("passing", "no-such-file");
  assert.is(status, 1);
  assert.match(output, "no test file matches");
});

test.run();
