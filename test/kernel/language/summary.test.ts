// What is left of a cell when its syntax tree has been forgotten. Apart from cells.test.ts, in whose process tslab is
// loaded with its own fork of TypeScript.
import * as assert from "uvu/assert";
import { loadTslab } from "../../../kernel/language/load-tslab.ts";
import type { Language } from "../../../kernel/language/messages.ts";
import { createLanguage } from "../../../kernel/language/service.ts";
import { preloadedModules, typeRoot } from "../../../kernel/session/defaults.ts";
import { suite } from "../../support/suite.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const test = suite("the summary of old cells");

let language: Language;
test.before(() => {
  language = createLanguage(loadTslab, {
    workingDirectory: temporaryFolder(),
    typeRoot,
    ...preloadedModules(new URL("../../../kernel/preload.js", import.meta.url).href),
  });
});
test.before.each(() => void language.reset({}));

/** What is wrong with a cell, place by place: `line:column TSnumber`. */
function mistakesIn(code: string): string[] {
  const checked = language.check({ code, name: "cell1.ts" });
  if (checked.status === "ok") return [];
  return checked.diagnostics.map(({ line, column, code: number }) => `${line}:${column} TS${number}`);
}

/** What a name looks like to a later cell: what is said when the cursor rests on it. */
function hover(name: string): unknown {
  return language.inspect({ code: name, position: 1 }).data?.["text/markdown"];
}

const remembered: readonly string[] = [
  "const one = 1, text = 'a' as const, negative = -1.5, yes = true, big = 10n",
  "let counted = 1, either: 'a' | 'b' = 'a'",
  "const wide = Math.random() > 2 ? 1 : 2",
  "const nested = { a: { b: [1, 'x'] as [number, string] }, f(x?: number) { return [x] }, 'odd name': null as Date | null }",
  "/** Halves it.\n * @param x what is halved */\nfunction half(x: number, ...rest: readonly string[]) { return x / 2 }",
  "async function later() { return new Map([['a', new Set([1])]]) }",
  "const isText = (x: unknown) => typeof x === 'string'",
  "const same = <T,>(x: T) => x",
  "class Own { private hidden = 1 }; const mine = new Own()",
  "const own: Own[] = []",
  "var loose, any1: any = 1",
  "const model = nn.sequential([nn.dense(3)], { input: [2], seed: 1 })",
  "class Map<T> { mine!: T }",
  "const shadowed = new Map<number>()",
  "import * as path from 'node:path'",
  "const joined = path.parse('a/b')",
  "const __odd = 3",
];

test("says the same of every name when it has forgotten the syntax trees", () => {
  for (const code of remembered) assert.equal(mistakesIn(code), [], code);
  const names = remembered.flatMap((code) =>
    [...code.matchAll(/(?:const|let|var|function|class) (\w+)/g)].map(([, n]) => n),
  );
  const before = names.map(hover);
  const widening = ["let w1 = one; w1 = 2", "let w2 = wide; w2 = 7", "let w3 = text; w3 = 'b'"];
  const mistakesBefore = widening.map((code) => mistakesIn(code));
  language.settle({ atLeast: 1 });
  language.settle({ atLeast: 1 });
  assert.equal(names.map(hover), before);
  assert.ok(String(hover("half")).includes("Halves it."));
  assert.equal(
    widening.map((code) => mistakesIn(code)),
    mistakesBefore,
  );
  assert.equal(mistakesIn("mine.hidden; shadowed.set(1)"), ["1:6 TS2341", "1:23 TS2339"]);
  const { matches } = language.complete({ code: "hal", position: 3 });
  assert.ok(matches.some(({ text }) => text === "half"));
});

test("is made only when enough cells were checked", () => {
  assert.equal(mistakesIn("class Kept { hidden() { return 1 } }"), []);
  for (let cell = 0; cell < 30; cell++)
    assert.equal(mistakesIn(`const value${cell} = new Kept().hidden() + ${cell}`), []);
  language.settle({ atLeast: 32 });
  language.settle({ atLeast: 31 });
  assert.equal(mistakesIn("value3.foo; value29.toFixed(); new Kept().gone"), ["1:8 TS2339", "1:43 TS2339"]);
});

test.run();
