// Types across cells. The oracle is tslab 1.0.22 as it is shipped, with its own fork of TypeScript: where ours says
// something else, the difference is written down here.

import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { loadTslab } from "../../../kernel/language/load-tslab.ts";
import type { Language } from "../../../kernel/language/messages.ts";
import { createLanguage } from "../../../kernel/language/service.ts";
import { preloadedModules, typeRoot } from "../../../kernel/session/defaults.ts";
import { random } from "../../../lib/tensor/index.ts";
import { suite } from "../../support/suite.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const test = suite("types across cells");

interface TslabConverter {
  convert(
    declarations: string,
    source: string,
  ): {
    diagnostics: { start: { line: number; character: number }; code: number; messageText: string }[];
    declOutput?: string;
  };
}

const folder = temporaryFolder();
const excess = /Object literal may only specify known properties/;
let language: Language;
let tslab: TslabConverter;
test.before(() => {
  const { createConverter } = createRequire(import.meta.url)("tslab/dist/converter.js");
  tslab = createConverter();
  language = createLanguage(loadTslab, {
    workingDirectory: folder,
    typeRoot,
    ...preloadedModules(new URL("../../../kernel/preload.js", import.meta.url).href),
  });
});
test.before.each(() => void language.reset({}));

/** What is wrong with a cell, place by place: `line:column TSnumber`. */
function mistakesIn(code: string, name = "cell1.ts"): string[] {
  const checked = language.check({ code, name });
  if (checked.status === "ok") return [];
  return checked.diagnostics.map(({ line, column, code: number }) => `${line}:${column} TS${number}`);
}

function messageOf(code: string): string {
  const checked = language.check({ code, name: "cell2.ts" });
  return checked.status === "ok" ? "" : checked.diagnostics[0].message;
}

/** The same by tslab, with the declarations that its next cell is to know. */
function mistakesByTslab(declarations: string, code: string): { mistakes: string[]; declarations: string } {
  const { diagnostics, declOutput } = tslab.convert(declarations, code);
  // A message that explains itself comes as several at one place.
  const places = new Map<string, number>();
  for (const { start, code: number, messageText } of diagnostics) {
    const place = `${start.line + 1}:${start.character + 1}`;
    // An excess property has a number of its own since TypeScript 5.1.
    if (excess.test(messageText)) places.set(place, 2353);
    else if (!places.has(place)) places.set(place, number);
  }
  const mistakes = [...places].map(([place, number]) => `${place} TS${number}`);
  return { mistakes, declarations: mistakes.length === 0 ? (declOutput ?? declarations) : declarations };
}

const sessions: readonly (readonly string[])[] = [
  ["let a = 1", "a = 'x'", "a.foo", "const a = 'now text'", "a.toUpperCase()", "a = 3", "a.toFixed()"],
  ["interface P { x: number }", "const p: P = { x: 1, y: 2 }", "class Q implements P {}", "interface P { y: string }"],
  ["enum E { a, b }", "E.c", "let e: E = E.a; e = 'x'", "enum E { c }", "E.a", "E.c"],
  [
    "function f(x: number): string { return x }",
    "function f(x: number) { return String(x) }",
    "f('a')",
    "f(1, 2)",
    "f()",
  ],
  [
    "class A { private q = 2; m() { return this.q } }",
    "new A().q",
    "new A().m().toFixed()",
    "class B extends A { m() { return 'no' } }",
    "class C<T> { v: T; constructor(v: T) { this.v = v } }",
    "new C(1).v.length",
    "new C('s').v.length",
    "const c: C<number> = new C('x')",
  ],
  ["type U = 'a' | 'b'", "const u: U = 'c'", "const v: U = 'a'", "type U = number", "const w: U = 'a'"],
  ["const { x, y: [z] } = { x: 1, y: ['s'] }", "z.toFixed()", "x.toFixed()", "x = 2"],
  ["let n: string | number = 'a'", "n.length", "n = 3", "n.toFixed()"],
  [
    "const o = { a: { b: { c: 1 } } }",
    "o.a.b.d",
    "o.a.b.c.toUpperCase()",
    "const { a: { b } } = o; b.c + 1",
    "o.a = 1",
  ],
  ["missing", "missing.foo; other()", "const missing = 1", "missing", "let q1 = q2; let q2 = 1"],
  ["await 1", "const w = await Promise.resolve(3); w.toFixed()", "w.length", "function no() { await 1 }"],
  ["async function g() { return 1 }", "(await g()).length", "g().length"],
  ["const a = 1; const a = 2", "let b; let b", "var v = 1; var v = 2", "var v = 'a'; var v = 2"],
  ["// @ts-ignore\nconst t: number = 'x'", "// @ts-expect-error\n\n// why\nconst t: number = 'x'"],
  ["// @ts-expect-error\nconst t: number = 1"],
  [
    "import * as path from 'node:path'",
    "path.join(1, 2)",
    "import { nope } from 'path'",
    "import nothing from 'not-there'",
  ],
  [
    "const p = await import('node:path'); p.join(1)",
    "import type { Stats } from 'node:fs'; let st: Stats",
    "st.size.x",
  ],
  ["abstract class Abs { abstract f(): void }", "new Abs()", "class Con extends Abs {}"],
  ["const s = Symbol()", "const so = { [s]: 1 }", "so[s].length"],
  [
    "function over(a: number): number\nfunction over(a: string): string\nfunction over(a: any) { return a }",
    "over(true)",
  ],
  [
    "const gen = function* () { yield 1 }",
    "[...gen()][0].length",
    "const tuple: [number, string] = [1, 'a']",
    "tuple[2]",
  ],
  ["const ro = [1, 2] as const", "ro[0] = 3", "ro.push(1)"],
  [
    "const loose = (a, b) => a.foo + b",
    "loose(1)",
    "let un; un = 1; un.foo",
    "const none = []; none.push(1); none[0].foo",
  ],
  ["switch (1) { case 2: break }", "delete 3", "new Date().foo", "JSON.parse(1)", "[1, 2].map((x) => x.y)"],
  ["let late = 1", "function useLate() { return late }", "let late = 'text'", "useLate().toFixed()", "late = 4"],
];

/** Runs a session; with `settling`, what was declared before is summed up before each cell. */
function compareSession(cells: readonly string[], note = "", settling = false): void {
  let declarations = "";
  for (const [index, code] of cells.entries()) {
    const theirs = mistakesByTslab(declarations, code);
    const before = cells.slice(0, index).join(" ⏎ ");
    if (settling) language.settle({ atLeast: 1 });
    assert.equal(mistakesIn(code), theirs.mistakes, `${note}${before} ⏎ ${code}`);
    declarations = theirs.declarations;
  }
}

for (const cells of sessions) {
  const named = cells.join(" ⏎ ").slice(0, 90);
  test(`finds what tslab finds: ${named}`, () => compareSession(cells));
  test(`finds the same when it has forgotten the syntax trees: ${named}`, () => compareSession(cells, "", true));
}

const values = [
  "1",
  "'s'",
  "[1, 2]",
  "{ k: 1 }",
  "null",
  "(x: number) => x",
  "new Map<string, number>()",
  "a",
  "c.k",
  "b[0]",
];
const shapes: readonly ((name: string, value: string) => string)[] = [
  (name, value) => `let ${name} = ${value}`,
  (name, value) => `const ${name} = ${value}`,
  (name, value) => `var ${name} = ${value}`,
  (name, value) => `function ${name}(p: number) { return ${value} }`,
  (name, value) => `${name} = ${value}`,
  (name) => `${name}.k`,
  (name) => `${name}.length`,
  (name) => `${name}('x')`,
  (name) => `${name}.toFixed().foo`,
  (name, value) => `for (const ${name} of [${value}]) ${name}.k`,
  (name) => `interface T { ${name}: number }; let t: T = { ${name}: 1 }`,
  (name, value) => `t = { ${name}: ${value} }`,
];

for (const settling of [false, true]) {
  test(`finds what tslab finds in cells made up at random${settling ? ", summed up" : ""}`, () => {
    for (let seed = 1; seed <= (settling ? 4 : 12); seed++) {
      language.reset({});
      const numbers = random(seed);
      const pick = <Item>(from: readonly Item[]): Item => from[Math.floor(numbers.nextUniform() * from.length)];
      const cells = Array.from({ length: 15 }, () => pick(shapes)(pick(["a", "b", "c"]), pick(values)));
      compareSession(cells, `seed ${seed}: `, settling);
    }
  });
}

test("keeps the type of a class whose name a value has taken, and of values whose name a type has taken", () => {
  // tslab carries cells as declarations, and forgets one half of what has two.
  assert.equal(mistakesIn("class Point { x = 1 }"), []);
  assert.equal(mistakesIn("const Point = 3"), []);
  assert.equal(mistakesIn("const p: Point = { x: 'text' }"), ["1:20 TS2322"]);
  assert.equal(mistakesIn("enum Level { low }"), []);
  assert.equal(mistakesIn("type Level = string"), []);
  assert.equal(mistakesIn("Level.high"), ["1:7 TS2339"]);
});

test("tells apart two classes of one name", () => {
  assert.equal(mistakesIn("class Point { constructor(public x: number) {} }"), []);
  assert.equal(mistakesIn("const old = new Point(1)"), []);
  assert.equal(mistakesIn("class Point { constructor(public y: number) {} }"), []);
  assert.equal(mistakesIn("const fresh: Point = old"), ["1:7 TS2741"]);
});

test("lets a cell add to what all see, and takes it back when the cell is refused", () => {
  assert.equal(mistakesIn("declare global { interface Array<T> { mine(): T } }\nconst x: number = 'text'"), [
    "2:7 TS2322",
  ]);
  assert.equal(mistakesIn("[1].mine()"), ["1:5 TS2339"]);
  assert.equal(mistakesIn("declare global { interface Array<T> { mine(): T } }"), []);
  assert.equal(mistakesIn("[1].mine().toFixed()"), []);
});

test("describes what declarations could not: private and local types go from cell to cell", () => {
  assert.equal(
    mistakesIn(
      "const make = () => { class Hidden { #secret = 1; open() { return this.#secret } } return new Hidden() }",
    ),
    [],
  );
  assert.equal(mistakesIn("make().open().toFixed()"), []);
  assert.equal(mistakesIn("make().closed()"), ["1:8 TS2339"]);
});

test("does not know what a refused cell declared", () => {
  assert.equal(mistakesIn("const good = 1; const bad: number = 'text'"), ["1:23 TS2322"]);
  assert.equal(mistakesIn("good"), ["1:1 TS2304"]);
});

test("finds mistakes in imported files, where they are now", () => {
  const file = join(folder, "local.ts");
  writeFileSync(file, "export const n: number = 'text'");
  const checked = language.check({ code: "import { n } from './local.ts'", name: "cell1.ts" });
  assert.equal(checked.status === "error" && checked.diagnostics.map((d) => [d.file, d.line, d.column, d.code]), [
    ["local.ts", 1, 14, 2322],
  ]);
  writeFileSync(file, "export const n: number = 10");
  assert.equal(mistakesIn("import { n } from './local.ts'"), []);
  assert.equal(mistakesIn("n.length"), ["1:3 TS2339"]);
});

test("calls the library's types by the names that a notebook knows", () => {
  assert.is(messageOf("nn.nope"), "Property 'nope' does not exist on type 'typeof nn'.");
  assert.is(messageOf("datasets.nope"), "Property 'nope' does not exist on type 'typeof datasets'.");
  assert.is(
    messageOf("import * as everything from 'tessera'; everything.nope"),
    "Property 'nope' does not exist on type 'typeof import(\"tessera\")'.",
  );
  for (const code of ["tensor('text')", "nn.sequential(1)", "compile(1)", "let t: HostTensor = 3", "display(1).nope"]) {
    assert.not.match(messageOf(code), /import\(|dist\//, code);
  }
});

test("completes inside the quotes of an import", () => {
  const code = "import { readFile } from 'node:f'";
  const { matches } = language.complete({ code, position: code.length - 1 });
  assert.ok(matches.some(({ text }) => text === "node:fs/promises"));
});

test.run();
