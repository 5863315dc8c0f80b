import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import * as assert from "uvu/assert";
import { KernelClient, outputs, printed, result } from "../support/kernel-client.ts";
import { suite } from "../support/suite.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const test = suite("a cell in a real kernel");

const folder = temporaryFolder();
let kernel: KernelClient;
test.before(async () => {
  kernel = await KernelClient.start({ workingDirectory: folder });
});
test.after(async () => {
  await kernel.stop();
});

/** Runs cells one after the other and returns the value of the last. */
async function run(...cells: string[]): Promise<string | undefined> {
  let value: string | undefined;
  for (const code of cells) {
    const done = await kernel.execute(code);
    assert.is(done.reply.content.status, "ok", `${code}: ${done.reply.content.evalue}`);
    value = result(done);
  }
  return value;
}

/** Runs a cell that fails and returns its error. */
async function fail(code: string): Promise<{ ename: string; evalue: string; traceback: string }> {
  const done = await kernel.execute(code);
  assert.is(done.reply.content.status, "error");
  const [error] = outputs(done, "error");
  // What is published and what is replied must agree.
  for (const key of ["ename", "evalue", "traceback"]) assert.equal(error[key], done.reply.content[key]);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours
  const traceback = (error.traceback as string[]).join("\n").replace(/\x1b\[\d+m/g, "");
  return { ename: String(error.ename), evalue: String(error.evalue), traceback };
}

test("shows the value of its last expression, and nothing for undefined", async () => {
  assert.is(await run("1 + 1"), "2");
  for (const commented of ["1 + 1 // two", "1 + 1\n// two", "await 2\n/* two */", "// two\nawait 2 // two"]) {
    assert.is(await run(commented), "2", commented);
  }
  assert.is(await run("1; undefined"), undefined);
  assert.is(await run("'text'"), "'text'");
  assert.is(await run("const silent = 1"), undefined);
  assert.is(await run("for (let i = 0; i < 3; i++) i"), undefined);
});

test("announces its code and its number before it runs", async () => {
  const done = await kernel.execute("'numbered'");
  const [{ code, execution_count: count }] = outputs(done, "execute_input");
  assert.is(code, "'numbered'");
  assert.is(done.reply.content.execution_count, count);
  const types = done.published.map(({ header }) => header.msg_type);
  assert.equal(types, ["status", "execute_input", "execute_result", "status"]);
});

test("prints to both streams", async () => {
  const done = await kernel.execute(`console.log("a", 1); console.error("b"); process.stdout.write("c")`);
  assert.is(printed(done), "a 1\nc");
  assert.is(printed(done, "stderr"), "b\n");
});

test("writes to its streams as Node does: bytes, encodings, pipes, callbacks", async () => {
  const done = await kernel.execute(`
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
const euro = Buffer.from("€")
process.stdout.write(euro.subarray(0, 1))
process.stdout.write(euro.subarray(1))
process.stdout.write("4e", "hex")
await pipeline(Readable.from(["a", "b"]), process.stdout)
await new Promise<void>((resolve) => process.stdout.write("c", () => resolve()))
let refusal = ""
try { process.stdout.write(5 as never) } catch (error) { refusal = String(error) }
refusal`);
  assert.is(printed(done), "€Nabc");
  assert.match(result(done) ?? "", /TypeError: process.stdout: a chunk must be a string or bytes, got number/);
});

test("prints while a loop runs that never rests", async () => {
  const id = kernel.send("execute_request", {
    code: "console.log('before'); const until = Date.now() + 1500; while (Date.now() < until); console.log('after')",
  });
  const ended = kernel.reply(id);
  let over = false;
  void ended.then(() => {
    over = true;
  });
  await kernel.until(({ parent_header: p, content }) => p.msg_id === id && content.text === "before\n");
  assert.not(over);
  await ended;
});

test("holds on to nothing that was printed", async () => {
  const collect = `
const { setFlagsFromString } = await import("node:v8")
const { runInNewContext } = await import("node:vm")
setFlagsFromString("--expose-gc")
const collectGarbage: () => void = runInNewContext("gc")
const printOne = () => { const value = { rate: 1 }; console.log(value); return new WeakRef(value) }`;
  const look = "collectGarbage(); printedOnce.deref() === undefined";
  assert.is(await run(collect, "const printedOnce = printOne()", look), "true");
});

test("sees what earlier cells declared, and they see what it changes", async () => {
  assert.is(await run("let rate = 1; const f = () => rate", "rate = 2; f()"), "2");
  assert.match((await run("const b = 2", "({ a: 1, b })")) ?? "", "b: \u001b[33m2");
});

const redeclarations = [
  "const again = 1",
  "let again = 2",
  "var again = 3",
  "function again() {}",
  "class again {}",
  "enum again { a }",
];
for (const first of redeclarations) {
  test(`declares again, in any way, what it declared by ${first}`, async () => {
    for (const second of redeclarations) await run(first, second, "again");
  });
}

test("declares a type again with another shape", async () => {
  await run("interface Shape { a: number }", "interface Shape { b: string }", "const shape: Shape = { b: 'x' }");
});

test("destructures, exports, awaits and iterates at its top level", async () => {
  assert.is(await run("export const { p, q: [q] } = { p: 1, q: [2] }", "p + q"), "3");
  assert.is(await run("export default function exported() { return 4 }", "exported()"), "4");
  assert.is(await run("await Promise.resolve(5)"), "5");
  const done = await kernel.execute(
    "for await (const x of (async function* () { yield 6; yield 7 })()) console.log(x)",
  );
  assert.is(printed(done), "6\n7\n");
  assert.is(await run("const awaited = await (async () => 5)()", "awaited"), "5");
  assert.is(await run("await ({ then: (keep: (value: number) => void) => keep(6) })"), "6");
});

test("may end in a class with decorators", async () => {
  await run("const seen: string[] = []; function note(_class: object, name: string): any { seen.push(name) }");
  assert.is(await run("class Noted { @note method() {} @note static field = 1 }"), undefined);
  assert.is(await run("seen.join()"), "'method,field'");
});

test("calls functions above their declaration, and redefines them for their callers", async () => {
  assert.is(await run("early(); function early() { return 'here' } early()"), "'here'");
  assert.is(
    await run(
      "function callee() { return 1 }\nfunction caller() { return callee() }",
      "function callee() { return 2 }",
      "caller()",
    ),
    "2",
  );
});

test("keeps what it declared before it failed", async () => {
  await fail("const survivor = 1; throw new Error('stop')");
  assert.is(await run("survivor"), "1");
});

test("imports from Node, CommonJS, ES modules, local TypeScript and JSON", async () => {
  const modules = join(folder, "node_modules");
  for (const [name, files] of Object.entries({
    "only-esm": {
      "package.json": `{"name":"only-esm","type":"module","exports":{"import":"./i.js"}}`,
      "i.js": "export const kind = 'esm'",
      "i.d.ts": "export declare const kind: string",
    },
    "old-cjs": {
      "package.json": `{"name":"old-cjs"}`,
      "index.js": "const e = {}; e['ki' + 'nd'] = 'cjs'; module.exports = e",
      "index.d.ts": "export declare const kind: string",
    },
  })) {
    mkdirSync(join(modules, name), { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(modules, name, file), text);
  }
  writeFileSync(
    join(folder, "local.ts"),
    "import { deeper } from './deeper.ts'\nexport enum Level { low, high }\nexport const level: Level = deeper",
  );
  writeFileSync(join(folder, "deeper.ts"), "export const deeper: number = 1");
  writeFileSync(join(folder, "data.json"), `{"rows":[1,2]}`);
  assert.is(
    await run(
      "import path, { join } from 'node:path'; import * as os from 'os'",
      "join('a', 'b') + path.sep + typeof os.cpus",
    ),
    "'a/b/function'",
  );
  assert.is(await run("import { kind } from 'only-esm'; kind"), "'esm'");
  assert.is(await run("import { kind as old } from 'old-cjs'; old"), "'cjs'");
  assert.is(await run("import { level, Level } from './local.ts'; Level[level]"), "'high'");
  assert.is(await run("import { level as same } from './local'; same"), "1");
  assert.is(await run("import data from './data.json'; data.rows.length"), "2");
  assert.is(await run("(await import('./deeper.ts')).deeper"), "1");
  assert.is(await run("[(await import('only-esm')).kind, (await import('old-cjs')).kind].join()"), "'esm,cjs'");
  assert.is(await run("require('node:path').posix.sep"), "'/'");
});

test("imports a local file as it is now", async () => {
  writeFileSync(join(folder, "changing.ts"), "export const version = 1");
  assert.is(await run("import { version } from './changing.ts'; version"), "1");
  writeFileSync(join(folder, "changing.ts"), "export const version = 'two'");
  assert.is(await run("import { version } from './changing.ts'; version.toUpperCase()"), "'TWO'");
});

test("finds a package that was installed since it was first missed", async () => {
  const missing = await fail("import { late } from 'late-package'");
  assert.match(missing.evalue, "Cannot find module 'late-package'");
  const home = join(folder, "node_modules/late-package");
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "package.json"), `{"name":"late-package","type":"module","exports":"./i.js"}`);
  writeFileSync(join(home, "i.js"), "export const late = 'better'");
  writeFileSync(join(home, "i.d.ts"), "export declare const late: string");
  assert.is(await run("import { late } from 'late-package'; late"), "'better'");
});

test("tells tensors in rows, and in a line where they are a part of something else", async () => {
  assert.is(await run("tensor([[1, 2], [3, 4]])"), "tensor float32 [2,2]\n[[1, 2],\n [3, 4]]");
  const split = await run("({ train: { inputs: tensor([1, 2, 3]) }, list: [tensor(1)] })");
  assert.is(split, "{ train: { inputs: tensor float32 [3] }, list: [ tensor float32 [] ] }");
  const lazy = await run("({ get lazy(): number { throw new Error('called') }, one: tensor(1) })");
  assert.is(stripVTControlCharacters(lazy ?? ""), "{ lazy: [Getter], one: tensor float32 [] }");
});

test("gives the same library by import and without", async () => {
  assert.is(await run("import { tensor as imported } from 'tessera'; imported === tensor"), "true");
  assert.is(await run("typeof datasets.mnist"), "'function'");
});

test("is stopped by a type error, which names line and column and runs nothing", async () => {
  await run("let touched = false");
  const { ename, evalue, traceback } = await fail("touched = true\nconst wrong: number = 'text'");
  assert.is(ename, "TypeScriptError");
  assert.match(evalue, /^cell\d+\.ts:2:7: Type 'string' is not assignable to type 'number'\. \(TS2322\)$/);
  assert.match(traceback, /❯ 2 │ const wrong: number = 'text'\n +│ {7}\^{5}$/);
  assert.is(await run("touched"), "false");
});

test("is stopped by a syntax error", async () => {
  const { ename, evalue } = await fail("const = 3");
  assert.is(ename, "TypeScriptError");
  assert.match(evalue, /:1:7: /);
});

for (const unfinished of ["function f() {", "const a = `x", "/* comment", "let z = (1"]) {
  test(`is stopped at its end when it is unfinished: ${unfinished}`, async () => {
    const { ename, evalue } = await fail(unfinished);
    assert.is(ename, "TypeScriptError");
    assert.match(evalue, new RegExp(`^cell\\d+\\.ts:1:${unfinished.length + 1}: (.*expected|Unterminated)`));
  });
}

test("shows an error's own line in TypeScript, with the way there and without ours", async () => {
  const { ename, evalue, traceback } = await fail(
    "interface Unused { a: number }\n\nfunction inner(n: number): never {\n  throw new RangeError('no ' + n)\n}\ninner(3)",
  );
  assert.is(ename, "RangeError");
  assert.is(evalue, "no 3");
  assert.match(traceback, /❯ 4 │ {3}throw new RangeError/);
  assert.match(traceback, /at inner \(cell\d+\.ts:4:9\)\n +at cell\d+\.ts:6:1 {2}│ inner\(3\)$/);
  assert.not.match(traceback, /node:|kernel\/realm/);
});

test("shows an error's line in a local file that it imports, in TypeScript too", async () => {
  const types = "interface Gone {\n  a: number\n}\n";
  writeFileSync(join(folder, "failing.ts"), `${types}export function fails(): never {\n  throw new Error("there")\n}`);
  const { traceback } = await fail("import { fails } from './failing.ts'\n\nfails()");
  assert.match(traceback, /❯ 3 │ fails\(\)/);
  assert.match(traceback, /at fails \(\.\/failing\.ts:5:9\)\n +at cell\d+\.ts:3:1$/);
});

test("folds the frames of the library", async () => {
  const { traceback } = await fail("tensor([[1, 2], [3]] as never)");
  assert.match(traceback, /… \d+ frames? inside Tessera/);
  assert.not.match(traceback, "dist/lib");
});

test("tells causes, aggregates and things thrown that are no errors", async () => {
  assert.match(
    (await fail("throw new Error('outer', { cause: new TypeError('inner') })")).traceback,
    "caused by TypeError: inner",
  );
  assert.match((await fail("await Promise.any([Promise.reject(new Error('one'))])")).traceback, "Error: one");
  assert.equal(await fail("throw 42").then(({ ename, evalue }) => [ename, evalue]), ["number", "42"]);
  assert.is((await fail("throw null")).evalue, "null");
});

test("survives a throwing timer, a rejected promise and process.exit, and reports them", async () => {
  const late = await kernel.execute(
    "setTimeout(() => { throw new Error('late') }, 5); await new Promise((r) => setTimeout(r, 50))",
  );
  assert.match(printed(late, "stderr"), "late");
  const rejected = await kernel.execute(
    "Promise.reject(new Error('nobody')); await new Promise((r) => setTimeout(r, 20))",
  );
  assert.match(printed(rejected, "stderr"), "nobody");
  assert.is((await fail("process.exit(3)")).ename, "Exit");
  assert.is(await run("survivor"), "1");
});

test("says nothing when silent, and does not count", async () => {
  const before = (await kernel.execute("0")).reply.content.execution_count;
  const done = await kernel.execute("let quiet = 5; quiet", { silent: true });
  assert.equal(
    done.published.map(({ header }) => header.msg_type),
    ["status", "status"],
  );
  assert.is((await kernel.execute("0")).reply.content.execution_count, Number(before) + 1);
});

test("evaluates user_expressions, and reports those that fail", async () => {
  const { reply } = await kernel.execute("let base = 20", {
    user_expressions: { good: "base + 1", bad: "nowhere.near" },
  });
  const { good, bad } = reply.content.user_expressions as unknown as Record<string, Record<string, unknown>>;
  assert.equal(good.data, { "text/plain": "21" });
  assert.is(bad.status, "error");
  assert.is(bad.ename, "ReferenceError");
});

test("that fails drops those that wait behind it, unless told otherwise", async () => {
  const ids = ["throw new Error('first')", "'second'"].map((code) => kernel.send("execute_request", { code }));
  const [, second] = await Promise.all(ids.map((id) => kernel.reply(id)));
  assert.equal(second.content, { status: "aborted" });
  const kept = ["throw new Error('first')", "'second'"].map((code) =>
    kernel.send("execute_request", { code, stop_on_error: false }),
  );
  const [, run] = await Promise.all(kept.map((id) => kernel.reply(id)));
  assert.is(run.content.status, "ok");
});

test("shows what a promise comes to where it is the value of the cell, and fails with one that is rejected", async () => {
  assert.is(result(await kernel.execute("const soon = async () => 6 * 7; soon()")), "42");
  assert.is(result(await kernel.execute("const waiting = soon(); waiting instanceof Promise")), "true");
  const { reply } = await kernel.execute("(async () => { throw new RangeError('too late') })()");
  assert.is(reply.content.ename, "RangeError");
});

test("knows the types of WebAssembly, and none of the browser's", async () => {
  const module = "new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))";
  assert.is(result(await kernel.execute(`WebAssembly.Module.exports(${module}).length`)), "0");
  const wrong = await kernel.execute("const memory: WebAssembly.Memory = 3");
  assert.match(String(wrong.reply.content.evalue), "not assignable to type 'Memory'");
  assert.match(String((await kernel.execute("document")).reply.content.evalue), "Cannot find name 'document'");
});

for (const question of ["?halve", "halve?", "halve??"]) {
  test(`answers ${question} as IPython does`, async () => {
    await kernel.execute("/** Halves it. */ function halve(x: number) { return x / 2 }");
    assert.match(result(await kernel.execute(question)) ?? "", /^function halve\(x: number\): number\n\nHalves it\.$/);
  });
}

test("keeps the last value under the name that consoles use", async () => {
  await run("6 * 7", "const without = 'a value'");
  assert.is(await run("_ + 1"), "43");
  assert.is(await run("const _ = 'its own'", "_.toUpperCase()"), "'ITS OWN'");
});

test("lies, for what it calls, in its working directory", async () => {
  assert.is(await run("[__dirname, import.meta.dirname].every((path) => path === process.cwd())"), "true");
});

test("shows the warnings of what it calls", async () => {
  const done = await kernel.execute("process.emitWarning('thin ice'); await new Promise((r) => setTimeout(r, 20))");
  assert.match(printed(done, "stderr"), "Warning: thin ice\n");
});

test("shows what programs say that write to its own streams", async () => {
  const done = await kernel.execute(`
    import { execSync, execFileSync, spawnSync, spawn } from "node:child_process"
    execSync("echo one; echo two >&2", { stdio: "inherit" })
    execFileSync("echo", ["three"], { stdio: "inherit" })
    spawnSync("echo", ["four"], { stdio: ["ignore", "inherit", "pipe"] })
    await new Promise((ended) => spawn("echo", ["five"], { stdio: "inherit" }).once("close", ended))
    execSync("echo six").toString()`);
  assert.is(printed(done), "one\nthree\nfour\nfive\n");
  assert.is(printed(done, "stderr"), "two\n");
  assert.is(result(done), "'six\\n'");
  const { evalue } = await fail("execSync('echo last words; exit 3', { stdio: 'inherit' })");
  assert.match(evalue, "Command failed: echo last words; exit 3");
});

test("tells a recursion without end once, and how often", async () => {
  const { traceback } = await fail("const deeper = (n: number): number => deeper(n + 1)\ndeeper(0)");
  assert.match(traceback, /at deeper \(cell\d+\.ts:1:\d+\)\n +… 9 more of the same$/);
});

test("says so when it is asked about a name that nobody knows", async () => {
  assert.is(result(await kernel.execute("?nobody")), "nobody is not a name that this notebook knows");
});

for (const [magic, instead] of [
  ["%%time\n1 + 1", "console.time"],
  ["%matplotlib inline", "?name"],
  ["!ls -l", "execSync"],
  ["%pip install numpy", "npm install"],
]) {
  test(`says what to do instead of ${magic.split("\n", 1)}`, async () => {
    const { traceback } = (await kernel.execute(magic)).reply.content;
    assert.ok((traceback as string[]).at(-1)?.includes(instead), String(traceback));
  });
}

test.run();
