import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import {
  inProcessKernelName,
  inProcessKernels,
  type Notebook,
  readNotebook,
  runFiles,
  writeNotebook,
} from "../../../kernel/headless/index.ts";
import { suite } from "../../support/suite.ts";
import { code, notebookOf } from "./fixtures.ts";
import { ScriptedSession, type Step, script } from "./scripted-session.ts";

const test = suite("running notebook files");
console.debug = () => {}; // @jupyterlab/services tells of every socket it opens.

const print = (text: string): Step => ["stream", { name: "stdout", text }];
const fails: Step = [
  "reply",
  {
    status: "error",
    ename: "RangeError",
    evalue: "too far",
    traceback: ["\x1b[31mRangeError\x1b[0m: too far", "  cell2.ts:1:1"],
  },
];

interface Ran {
  readonly code: number;
  readonly progress: string;
  readonly results: string;
  readonly sessions: readonly ScriptedSession[];
  readonly folders: readonly string[];
}

async function run(paths: readonly string[], out: string, signal?: AbortSignal): Promise<Ran> {
  const written = { progress: "", results: "" };
  const sessions: ScriptedSession[] = [];
  const folders: string[] = [];
  const exit = await runFiles(paths, {
    out,
    kernelName: inProcessKernelName,
    kernels: (folder) => {
      folders.push(folder);
      return inProcessKernels(() => {
        sessions.push(new ScriptedSession());
        return sessions.at(-1)!;
      });
    },
    progress: { write: (text) => (written.progress += text) },
    results: { write: (text) => (written.results += text) },
    ...(signal && { signal }),
  });
  return { code: exit, ...written, sessions, folders };
}

function folderWith(notebooks: Readonly<Record<string, Notebook | string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "tessera-"));
  for (const [name, content] of Object.entries(notebooks)) {
    writeFileSync(join(folder, name), typeof content === "string" ? content : writeNotebook(content));
  }
  return folder;
}

test("writes the executed notebook and its page, and says where; summaries go to the results", async () => {
  const table = { data: { "text/plain": "shallow  2.1 %" }, metadata: {}, execution_count: 2 };
  const notebook = notebookOf(code(script(print("a"))), code(script(["execute_result", table]), "summary"));
  const folder = folderWith({ "one.ipynb": notebook });
  const out = join(folder, "deep", "out");
  const ran = await run([join(folder, "one.ipynb")], out);
  assert.is(ran.code, 0);
  assert.equal(readdirSync(out).sort(), ["one.html", "one.ipynb"]);
  const executed = await readNotebook(join(out, "one.ipynb"));
  assert.is(executed.cells[0].cell_type === "code" && executed.cells[0].outputs.length, 1);
  assert.match(readFileSync(join(out, "one.html"), "utf8"), /shallow {2}2\.1 %/);
  assert.match(ran.results, /^\nshallow {2}2\.1 %\n\n {2}notebook {2}.*one\.ipynb\n {2}page {6}.*one\.html\n$/);
  assert.match(ran.progress, /one\.ipynb\n {2}\[1\/2\] .*\n {2}\[2\/2\] .*\n {2}ran 2 cells in \d+\.\d s\n$/);
  assert.equal(ran.folders, [folder]);
  assert.ok(ran.sessions[0].isShutDown);
  assert.is(readFileSync(join(folder, "one.ipynb"), "utf8"), writeNotebook(notebook), "the source is left alone");
});

test("a failing cell is named with its error and lines; the files are written all the same, and the next notebook runs", async () => {
  const bad = notebookOf(code(script(print("half"))), code(script(fails)), code(script(print("never"))));
  const folder = folderWith({ "bad.ipynb": bad, "good.ipynb": notebookOf(code(script(print("fine")))) });
  const out = join(folder, "out");
  const ran = await run([join(folder, "bad.ipynb"), join(folder, "good.ipynb")], out);
  assert.is(ran.code, 1);
  assert.equal(readdirSync(out).sort(), ["bad.html", "bad.ipynb", "good.html", "good.ipynb"]);
  assert.match(ran.progress, /bad\.ipynb: cell 2 of 3 failed: RangeError: too far\n {2}cell2\.ts:1:1\n/);
  assert.match(readFileSync(join(out, "bad.html"), "utf8"), /This run stopped at/);
  assert.ok(ran.sessions.every(({ isShutDown }) => isShutDown));
});

const bad: [what: string, files: Readonly<Record<string, string>>, paths: readonly string[], told: RegExp][] = [
  ["a missing file", {}, ["none.ipynb"], /^notebook: the file must exist/],
  ["a file that is no notebook", { "x.ipynb": "{" }, ["x.ipynb"], /^notebook: must be JSON/],
  ["nbformat 3", { "x.ipynb": '{"nbformat":3}' }, ["x.ipynb"], /^notebook: must be of nbformat 4/],
  [
    "another language",
    { "x.ipynb": writeNotebook({ ...notebookOf(), metadata: { language_info: { name: "julia" } } }) },
    ["x.ipynb"],
    /^notebook: .*must be in typescript or javascript, got julia/,
  ],
];
for (const [what, files, paths, told] of bad) {
  test(`refuses ${what} before anything runs: one line, exit code 2, nothing written`, async () => {
    const folder = folderWith({ ...files, "good.ipynb": notebookOf(code(script(print("fine")))) });
    const ran = await run(
      [join(folder, "good.ipynb"), ...paths.map((path) => join(folder, path))],
      join(folder, "out"),
    );
    assert.is(ran.code, 2);
    assert.match(ran.progress, told);
    assert.is(ran.progress.split("\n").length, 2);
    assert.is(ran.results, "");
    assert.is(ran.sessions.length, 0);
    assert.not.ok(readdirSync(folder).includes("out"));
  });
}

test("names every file that it refuses, not only the first", async () => {
  const folder = folderWith({ "x.ipynb": "{" });
  const ran = await run([join(folder, "none.ipynb"), join(folder, "x.ipynb")], join(folder, "out"));
  assert.is(ran.code, 2);
  assert.match(ran.progress, /^notebook: the file must exist .*\nnotebook: must be JSON.*\n$/);
});

test("refuses two notebooks that would be written to one file, and an output folder that cannot be", async () => {
  const folder = folderWith({ "a.ipynb": notebookOf() });
  mkdirSync(join(folder, "other"));
  writeFileSync(join(folder, "other", "a.ipynb"), writeNotebook(notebookOf()));
  const twice = await run([join(folder, "a.ipynb"), join(folder, "other", "a.ipynb")], join(folder, "out"));
  assert.is(twice.code, 2);
  assert.match(twice.progress, /^output: notebooks of one run must have different names/);
  const inFile = await run([join(folder, "a.ipynb")], join(folder, "a.ipynb", "out"));
  assert.is(inFile.code, 2);
  assert.match(inFile.progress, /^output: the folder must be writable, got ENOTDIR/);
});

test("an interrupt ends the cell and the runs that wait, writes what there is, and exits with 130", async () => {
  const folder = folderWith({
    "a.ipynb": notebookOf(code(script(print("half"), ["wait"]))),
    "b.ipynb": notebookOf(code(script(print("never")))),
  });
  const out = join(folder, "out");
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 150);
  const ran = await run([join(folder, "a.ipynb"), join(folder, "b.ipynb")], out, controller.signal);
  assert.is(ran.code, 130);
  assert.equal(readdirSync(out).sort(), ["a.html", "a.ipynb"]);
  assert.match(readFileSync(join(out, "a.ipynb"), "utf8"), /half/);
  assert.match(ran.progress, /a\.ipynb: cell 1 of 1 was interrupted/);
});

test.run();
