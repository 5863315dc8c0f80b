import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import * as assert from "uvu/assert";
import type { CodeCell } from "../../../kernel/headless/index.ts";
import { suite } from "../../support/suite.ts";
import { fixture } from "./fixtures.ts";
import { outputsIn, tessera } from "./run-command.ts";

const test = suite("tessera run");
const stream = (text: string, name = "stdout"): object => ({ output_type: "stream", name, text });

test("executes a notebook on the real kernel: outputs, summary, page", async () => {
  const out = mkdtempSync(join(tmpdir(), "tessera-"));
  const { code, stdout, stderr } = await tessera(["run", fixture("runs.ipynb"), "--out", out]);
  assert.is(code, 0, stderr);
  assert.match(stdout, /^\nshallow {2}2\.1 %\ndeep {5}1\.9 %\n\n {2}notebook .*runs\.ipynb\n {2}page .*runs\.html\n$/);
  const outputs = await outputsIn(join(out, "runs.ipynb"));
  const [printed, sum, awaited, warned, thrown, skipped, bold] = outputs;
  const result = (count: number, text: string): object => ({
    output_type: "execute_result",
    execution_count: count,
    metadata: {},
    data: { "text/plain": text },
  });
  assert.equal(printed, [stream("one\ntwo\n")]);
  assert.equal(plainOf(sum), [result(2, "21")]);
  assert.equal(plainOf(awaited), [result(3, "42")]);
  assert.equal(warned, [stream("to stderr\n", "stderr")]);
  assert.is(thrown[0].output_type === "error" && thrown[0].ename, "RangeError");
  assert.equal(skipped, []);
  assert.is(bold[0].output_type === "execute_result" && bold[0].data["text/html"], "<b>bold</b>");
  const { document } = parseHTML(readFileSync(join(out, "runs.html"), "utf8"));
  assert.is(document.querySelector("h1")?.textContent, "A notebook that runs");
  assert.is(document.querySelector("#cell-6 .html b")?.textContent, "bold");
});

/** Outputs with their colours taken off. */
function plainOf(outputs: CodeCell["outputs"]): unknown {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with the escape character
  return JSON.parse(JSON.stringify(outputs).replace(/\\u001b\[\d*m|\x1b\[\d*m/g, ""));
}

test("a cell that throws is named with its TypeScript lines; both files are written; the exit code is 1", async () => {
  const out = mkdtempSync(join(tmpdir(), "tessera-"));
  const { code, stderr } = await tessera(["run", fixture("fails.ipynb"), "--out", out]);
  assert.is(code, 1);
  assert.match(stderr, /fails\.ipynb: cell 2 of 3 failed: TypeError: no such layer\n/);
  assert.match(stderr, /throw new TypeError\("no such layer"\)/);
  assert.match(stderr, /cell2\.ts:2:9/);
  assert.equal(readdirSync(out).sort(), ["fails.html", "fails.ipynb"]);
  const [before, failing, after] = await outputsIn(join(out, "fails.ipynb"));
  assert.equal(before, [stream("before\n")]);
  assert.equal(
    failing.map(({ output_type }) => output_type),
    ["stream", "error"],
  );
  assert.equal(after, []);
});

test("a cell that does not type-check stops the run before it executes, at its line and column", async () => {
  const out = mkdtempSync(join(tmpdir(), "tessera-"));
  const { code, stderr } = await tessera(["run", fixture("mistyped.ipynb"), "--out", out]);
  assert.is(code, 1);
  assert.match(stderr, /cell 1 of 1 failed: .*cell1\.ts:1:7.*Type 'string' is not assignable to type 'number'/);
});

test("SIGINT stops a cell that never ends; what it printed is written; the exit code is 130", async () => {
  const out = mkdtempSync(join(tmpdir(), "tessera-"));
  const ended = await tessera(["run", fixture("endless.ipynb"), "--out", out], { mark: join(out, "begun") });
  assert.is(ended.code, 130, ended.stderr);
  assert.match(ended.stderr, /endless\.ipynb: cell 1 of 2 was interrupted/);
  const [first, second] = await outputsIn(join(out, "endless.ipynb"));
  assert.equal(first[0], stream("begun\n"));
  assert.equal(second, []);
});

test("bad input and wrong arguments end with exit code 2, one clear line, and nothing written", async () => {
  const out = join(mkdtempSync(join(tmpdir(), "tessera-")), "out");
  const missing = await tessera(["run", "no-such.ipynb", "--out", out]);
  assert.is(missing.code, 2);
  assert.is(missing.stderr, "notebook: the file must exist (no-such.ipynb), give the path of an .ipynb file\n");
  assert.is((await tessera(["run"])).code, 2);
  const unknown = await tessera(["run", "--outt", "x"]);
  assert.is(unknown.code, 2);
  assert.match(unknown.stderr, /^tessera run: .*--outt/);
  assert.throws(() => readdirSync(out), /ENOENT/);
});

test.run();
