import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import * as assert from "uvu/assert";
import { type CodeCell, type Notebook, readNotebook, runCache } from "../../../kernel/headless/index.ts";
import { suite } from "../../support/suite.ts";
import { code, notebookOf } from "./fixtures.ts";
import { type Ended, folderWith, outputsIn, tessera } from "./run-command.ts";

const test = suite("tessera run, its options");

const parametric = notebookOf(
  code("interface Plan { readonly epochs: number }"),
  code("const rate: number = 0.05\nlet name = 'slow'\nconst plan: Plan = { epochs: 1 }", "parameters"),
  code("console.log(rate, name, plan.epochs)"),
);

/** Runs one notebook in a folder of its own. */
async function run(notebook: Notebook, ...options: string[]): Promise<Ended & { folder: string; out: string }> {
  const folder = folderWith({ "one.ipynb": notebook });
  const out = join(folder, "out");
  const ended = await tessera(["run", join(folder, "one.ipynb"), "--out", out, ...options]);
  return { ...ended, folder, out };
}

const printed = (outputs: CodeCell["outputs"]): string =>
  outputs.map((output) => (output.output_type === "stream" ? output.text : "")).join("");

test("parameters from a file and from the command line stand behind the cell that declares them", async () => {
  const folder = folderWith({ "one.ipynb": parametric });
  writeFileSync(join(folder, "values.yaml"), "rate: 0.5\nplan:\n  epochs: 7\n");
  const out = join(folder, "out");
  const args = ["--out", out, "--parameters", join(folder, "values.yaml"), "-p", "rate=0.25", "-p", "name=quick"];
  const { code: exit, stderr } = await tessera(["run", join(folder, "one.ipynb"), ...args]);
  assert.is(exit, 0, stderr);
  const { cells } = await readNotebook(join(out, "one.ipynb"));
  assert.equal(cells[2].metadata.tags, ["injected-parameters"]);
  assert.is(
    cells[2].source,
    '// Parameters\nconst rate: number = 0.25\nconst plan: Plan = {"epochs":7}\nlet name = "quick"',
  );
  assert.is(printed((cells[3] as CodeCell).outputs), "0.25 quick 7\n");
});

const refusals: [what: string, notebook: Notebook, options: string[], told: RegExp][] = [
  [
    "a parameter of the wrong type",
    parametric,
    ["-p", "rate=fast"],
    /^parameter rate: must be number, got "fast" .*TS2322/,
  ],
  [
    "one whose type is only implied",
    parametric,
    ["-p", "name=3"],
    /^parameter name: must be of the type of 'slow', got 3 /,
  ],
  ["an object that lacks a key", parametric, ["-p", "plan={}"], /^parameter plan: must be Plan, got \{\} .*epochs/],
  [
    "a name that is not a parameter",
    parametric,
    ["-p", "rat=1"],
    /^parameter: must be one of rate, name, plan, got rat /,
  ],
  ["no name at all", parametric, ["-p", "1"], /^parameter: must be NAME=VALUE/],
  [
    "parameters for a notebook without a cell for them",
    notebookOf(code("1")),
    ["-p", "a=1"],
    /^parameters: the notebook must have a cell for them/,
  ],
  ["a limit that is no number", parametric, ["--timeout", "soon"], /^--timeout: must be a number/],
  ["no jobs", parametric, ["--jobs", "0"], /^--jobs: must be a whole number from 1 on/],
  ["an amount of memory without meaning", parametric, ["--memory", "much"], /^--memory: must be a size/],
];
for (const [what, notebook, options, told] of refusals) {
  test(`refuses ${what} before anything runs: one line, exit code 2`, async () => {
    const { code: exit, stderr, folder } = await run(notebook, ...options);
    assert.is(exit, 2, stderr);
    assert.match(stderr, told);
    assert.is(stderr.trim().split("\n").length, 1, stderr);
    assert.equal(readdirSync(folder), ["one.ipynb"]);
  });
}

test("files that a notebook names are found from where it stands", async () => {
  const folder = folderWith({
    "one.ipynb": notebookOf(code('const { readFileSync } = await import("node:fs")\nreadFileSync("data.txt", "utf8")')),
    "data.txt": "found",
  });
  const { code: exit, stderr } = await tessera(["run", join(folder, "one.ipynb"), "--out", join(folder, "out")]);
  assert.is(exit, 0, stderr);
});

test("a cell that runs too long is stopped, keeps what it printed, and ends the run with exit code 4", async () => {
  const endless = notebookOf(code("console.log('begun'); while (true) {}"), code("1"));
  const { code: exit, stderr, out } = await run(endless, "--cell-timeout", "0.5");
  assert.is(exit, 4, stderr);
  assert.match(stderr, /cell 1 of 2 failed: TimeLimit: the cell ran longer than its limit of 0\.5 s/);
  const { cells } = await readNotebook(join(out, "one.ipynb"));
  assert.match(cells[0].source, /^> \*\*This run stopped\.\*\* Code cell 1 of 2 failed: `TimeLimit/);
  assert.is(printed((cells[1] as CodeCell).outputs), "begun\n");
});

test("a cell's own tag says how long it may run", async () => {
  const patient = notebookOf(code("await new Promise((done) => setTimeout(done, 800)); 'done'", "timeout=20"));
  assert.is((await run(patient, "--cell-timeout", "0.3")).code, 0);
});

test("the limit of the whole notebook counts all its cells", async () => {
  const wait = code("await new Promise((done) => setTimeout(done, 400))");
  const { code: exit, stderr } = await run(notebookOf(...Array(20).fill(wait)), "--timeout", "1.5");
  assert.is(exit, 4);
  assert.match(stderr, /the notebook ran longer than its limit of 1\.5 s/);
});

test("a kernel that takes more memory than its limit is ended, buffers counted, with exit code 5", async () => {
  const greedy = notebookOf(
    code("console.log('before')"),
    code("const all = []; for (;;) { all.push(Buffer.alloc(50e6, 1)); await 0 }"),
  );
  const { code: exit, stderr, out } = await run(greedy, "--memory", "1500M");
  assert.is(exit, 5, stderr);
  assert.match(stderr, /cell 2 of 2 failed: OutOfMemory: the notebook needed more memory than its limit of 1500 MB/);
  const [before, failing] = await outputsIn(join(out, "one.ipynb"));
  assert.is(printed(before), "before\n");
  assert.is(failing.at(-1)?.output_type, "error");
});

test("a cell that fills the JavaScript heap ends the run as out of memory, too", async () => {
  const { code: exit, stderr } = await run(
    notebookOf(code("const all = []; for (;;) all.push(new Array(1e5).fill(0.5))")),
  );
  assert.is(exit, 5, stderr);
  assert.match(stderr, /OutOfMemory: .*the JavaScript heap was full/);
});

test("a kernel that is killed ends the run with exit code 3 and what there is", async () => {
  const suicidal = notebookOf(
    code("console.log('half')"),
    code("process.kill(process.pid, 'SIGKILL'); await new Promise(() => {})"),
  );
  const { code: exit, stderr, out } = await run(suicidal, "--memory", "4G");
  assert.is(exit, 3, stderr);
  assert.match(stderr, /cell 2 of 2 failed: KernelDied: .*SIGKILL/);
  assert.is(printed((await outputsIn(join(out, "one.ipynb")))[0]), "half\n");
});

test("more output than allowed stops the cell", async () => {
  const loud = notebookOf(code("for (;;) console.log('x'.repeat(1000))"));
  const { code: exit, stderr, out } = await run(loud, "--max-output", "1M");
  assert.is(exit, 1);
  assert.match(stderr, /OutputLimit/);
  // The message that passes the limit is kept whole, and on a busy machine it can be long.
  const size = readFileSync(join(out, "one.ipynb")).length;
  assert.ok(size > 500_000 && size < 20_000_000, `${size} bytes were kept`);
});

test("several notebooks run at a time on kernels that know nothing of each other; patterns name them", async () => {
  const names = ["a", "b", "c", "d", "e"];
  const notebook = (name: string): Notebook =>
    notebookOf(
      code("const world = globalThis as any\nconst seen = typeof world.leaked\nworld.leaked = 1"),
      code(`console.log("${name}", seen)`),
    );
  const folder = folderWith(Object.fromEntries(names.map((name) => [`${name}.ipynb`, notebook(name)])));
  const out = join(folder, "out");
  const { code: exit, stderr } = await tessera(["run", "*.ipynb", "--out", out, "--jobs", "2"], { cwd: folder });
  assert.is(exit, 0, stderr);
  assert.match(stderr, /\[5\/5\] ok {3}/);
  for (const name of names) {
    assert.is(printed((await outputsIn(join(out, `${name}.ipynb`)))[1]), `${name} undefined\n`);
  }
});

test("one notebook's time limit leaves the others alone; the gravest outcome is the exit code", async () => {
  const folder = folderWith({
    "a.ipynb": notebookOf(code("while (true) {}")),
    "b.ipynb": notebookOf(code("throw new Error('b')")),
    "c.ipynb": notebookOf(code("console.log('fine')")),
  });
  const out = join(folder, "out");
  const args = ["--out", out, "--cell-timeout", "1", "--jobs", "2"];
  const { code: exit, stderr } = await tessera(["run", join(folder, "*.ipynb"), ...args]);
  assert.is(exit, 4, stderr);
  assert.is(printed((await outputsIn(join(out, "c.ipynb")))[0]), "fine\n");
});

test("a notebook that fails is run again, as often as allowed", async () => {
  const folder = folderWith({
    "one.ipynb": notebookOf(
      code('const { existsSync, writeFileSync } = await import("node:fs")'),
      code('if (!existsSync("tried")) { writeFileSync("tried", ""); throw new Error("the first time") }'),
    ),
  });
  const out = join(folder, "out");
  const { code: exit, stderr } = await tessera(["run", join(folder, "one.ipynb"), "--out", out, "--retries", "2"]);
  assert.is(exit, 0, stderr);
  assert.match(stderr, /failed; run again \(1\)/);
  assert.not.match(stderr, /run again \(2\)/);
});

test("--junit and --github name notebook, cell and error", async () => {
  const folder = folderWith({
    "good.ipynb": notebookOf(code("1 + 1")),
    "bad.ipynb": notebookOf(
      code("const fine = 1"),
      code("throw new RangeError('a <b> & \\x1b[31mc')"),
      code("never()", "skip-execution"),
    ),
  });
  const junit = join(folder, "reports/junit.xml");
  const args = ["--out", join(folder, "out"), "--junit", junit, "--github"];
  const { code: exit, stderr } = await tessera(["run", join(folder, "*.ipynb"), ...args]);
  assert.is(exit, 1);
  assert.match(stderr, /^::error file=.*bad\.ipynb,title=cell 2%3A RangeError::a <b> & c%0A/m);
  const { document } = parseHTML(readFileSync(junit, "utf8"));
  const root = document.querySelector("testsuites");
  assert.is(root?.getAttribute("tests"), "4");
  assert.is(root?.getAttribute("failures"), "1");
  assert.is(root?.getAttribute("skipped"), "1");
  const failing = document.querySelector("failure");
  assert.is(failing?.parentElement?.getAttribute("name"), "cell 2: throw new RangeError('a <b> & \\x1b[31mc')");
  assert.match(failing?.getAttribute("message") ?? "", /^RangeError: a /);
});

test("--check passes where outputs are those stored, numbers within the tolerance, and shows what differs", async () => {
  const stored = (text: string): CodeCell["outputs"] => [{ output_type: "stream", name: "stdout", text }];
  const cell = (source: string, text: string, ...tags: string[]): CodeCell => ({
    ...code(source, ...tags),
    outputs: stored(text),
  });
  const notebook = (loss: string): Notebook =>
    notebookOf(
      cell("console.log('loss', 0.123456)", `loss ${loss}\n`),
      cell("console.log(Math.random())", "0.5\n", "ignore-output"),
      code("console.log('nothing stored')"),
    );
  const bar = (seconds: string): CodeCell["outputs"] => [
    {
      output_type: "display_data",
      data: { "text/plain": `loading 100 % ▕████████████████████▏ 3/3 · ${seconds} s` },
      metadata: { tessera: { progress: true } },
    },
  ];
  const loop = { ...code("for (const i of progress([1, 2, 3])) void i"), outputs: bar("1234") };
  const timed = await run(notebookOf(loop), "--check");
  assert.is(timed.code, 0, `how long a loop took is no difference: ${timed.stderr}`);
  assert.match(timed.stderr, /1 compared/);
  const near = await run(notebook("0.1234561"), "--check");
  assert.is(near.code, 0, near.stderr);
  assert.match(near.stderr, /1 compared/);
  const far = await run(notebook("0.13"), "--check");
  assert.is(far.code, 6, far.stderr);
  assert.match(
    far.stderr,
    /cell 1: outputs differ.*\n {4}- loss 0\.13\n {4}\+ loss 0\.123456 {3}\(differs by 0\.0065\)/,
  );
  assert.is((await run(notebook("0.13"), "--check", "--tolerance", "0.01")).code, 0);
  assert.is((await run(notebook("0.13 s"), "--check", "--tolerance", "0.01")).code, 6, "words must be equal");
});

test("--cache reuses a result until the code, or a file that it names, changes", async () => {
  const source = 'const { readFileSync } = await import("node:fs")\nreadFileSync("data.txt", "utf8")';
  const folder = folderWith({ "data.txt": "first" });
  const cache = runCache(join(folder, "cache"));
  assert.is(await cache.find(notebookOf(code(source)), folder), undefined);
  await cache.store(notebookOf(code(source)), folder, "the executed notebook");
  assert.is(await cache.find(notebookOf(code(source)), folder), "the executed notebook");
  assert.is(await cache.find(notebookOf(code(`${source} // changed`)), folder), undefined);
  assert.is(await cache.find(notebookOf(code(source, "raises-exception")), folder), undefined);
  writeFileSync(join(folder, "data.txt"), "second");
  assert.is(await cache.find(notebookOf(code(source)), folder), undefined);
});

test("a stored result is written like a new one, and said to be reused", async () => {
  const folder = folderWith({ "one.ipynb": notebookOf(code("6 * 7")) });
  const args = ["run", join(folder, "one.ipynb"), "--out", join(folder, "out"), "--cache"];
  assert.not.match((await tessera(args)).stderr, /reused/);
  const again = await tessera(args);
  assert.is(again.code, 0, again.stderr);
  assert.match(again.stderr, /reused a stored result/);
  assert.is((await outputsIn(join(folder, "out/one.ipynb")))[0].length, 1);
});

test.run();
