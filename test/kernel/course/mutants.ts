import { graderCell, releaseNotebook } from "../../../kernel/course/index.ts";
import { type Cell, type Notebook, writeNotebook } from "../../../kernel/headless/index.ts";
import { type Random, random } from "../../../lib/tensor/index.ts";
import { integer } from "../../support/operator-samples.ts";
import { exampleSource, goodSubmission, marked, plain, solutions, withSource } from "./example-course.ts";

/** One submission that something was done to. */
export interface Mutant {
  readonly name: string;
  /** `honest` ones nbgrader scores the same; `broken` ones hurt the machine; `cheat` ones hope for points. */
  readonly kind: "honest" | "broken" | "cheat";
  /** A notebook, or the text of its file. */
  readonly content: Notebook | string;
  /** What its tests must earn, of 10. */
  readonly score: number;
  /** What the teacher must read about it; null where there is nothing to tell. */
  readonly told: RegExp | null;
}

type Exercise = keyof typeof solutions;

const exercises = Object.keys(solutions) as Exercise[];
const points: Readonly<Record<Exercise, number>> = { mean: 2, scale: 3, later: 1, counter: 4 };
const whole = 10;

/** What everything but one exercise earns. */
const other = (exercise: Exercise): number => whole - points[exercise];

const good = goodSubmission;
const stub = (): Notebook => releaseNotebook(exampleSource);
const idOf = (cell: Cell): string | undefined =>
  (cell.metadata.nbgrader as { grade_id?: string } | undefined)?.grade_id;
const map = (notebook: Notebook, change: (cell: Cell) => Cell | Cell[]): Notebook => ({
  ...notebook,
  cells: notebook.cells.flatMap(change),
});
const prepend = (notebook: Notebook, id: string, code: string): Notebook =>
  map(notebook, (cell) => (idOf(cell) === id ? { ...cell, source: `${code}\n${cell.source}` } : cell));
const remark = (notebook: Notebook, id: string, changes: object): Notebook =>
  map(notebook, (cell) =>
    idOf(cell) === id
      ? { ...cell, metadata: { ...cell.metadata, nbgrader: { ...(cell.metadata.nbgrader as object), ...changes } } }
      : cell,
  );

/** What is done to a submission, by name. */
type Mutation = (exercise: Exercise) => Pick<Mutant, "content" | "score">;

const honest: Readonly<Record<string, Mutation>> = {
  untouched: () => ({ content: good(), score: whole }),
  "nothing done": () => ({ content: stub(), score: 0 }),
  "solution deleted": (e) => ({ content: map(good(), (cell) => (idOf(cell) === e ? [] : cell)), score: other(e) }),
  "solution emptied": (e) => ({ content: withSource(good(), e, ""), score: other(e) }),
  "syntax error": (e) => ({ content: withSource(good(), e, "function mean(xs { return"), score: other(e) }),
  "type error": (e) => ({
    content: withSource(good(), e, `const wrong: number = "text"\n${solutions[e]}`),
    score: other(e),
  }),
  "throws when called": () => ({
    content: withSource(good(), "mean", "function mean(xs: readonly number[]): number { throw new Error('no idea') }"),
    score: other("mean"),
  }),
  "half right": () => ({
    content: withSource(good(), "counter", "class Counter { #n = 0; increment(by = 1) { return ++this.#n } }"),
    score: whole - 2,
  }),
  "noise on stderr": (e) => ({ content: prepend(good(), e, "console.error('look here')"), score: whole }),
  "cells added": (e) => ({
    content: map(good(), (cell) => (idOf(cell) === e ? [cell, plain("console.log('my own try')")] : cell)),
    score: whole,
  }),
  "kernel renamed": () => {
    const kernelspec = { name: "typescript-of-mine", language: "typescript", display_name: "Mine" };
    return { content: { ...good(), metadata: { kernelspec } }, score: whole };
  },
};

const broken: Readonly<Record<string, Mutation>> = {
  "test deleted": (e) => ({ content: map(good(), (cell) => (idOf(cell) === `test-${e}` ? [] : cell)), score: whole }),
  // nbgrader stops at a copied cell.
  "solution copied": (e) => ({
    content: map(good(), (cell) => (idOf(cell) === e ? [cell, { ...cell, id: `${cell.id}-copy` }] : cell)),
    score: whole,
  }),
  "test copied": (e) => ({
    content: map(good(), (cell) => (idOf(cell) === `test-${e}` ? [cell, { ...cell, id: `${cell.id}-copy` }] : cell)),
    score: whole,
  }),
  "metadata stripped": () => ({ content: map(good(), (cell) => ({ ...cell, metadata: {} })), score: whole }),
  "endless loop in a cell": (e) => ({
    content: prepend(good(), e, "while (true) {}"),
    // A function is there although the cell that declares it never came to its end; a class is not.
    score: e === "counter" ? other(e) : whole,
  }),
  "endless loop in a function": () => ({
    content: withSource(good(), "mean", "function mean(xs: readonly number[]): number { for (;;) {} }"),
    score: other("mean"),
  }),
  "endless wait": () => ({
    content: withSource(
      good(),
      "later",
      "async function later(value: number): Promise<number> { return new Promise(() => {}) }",
    ),
    score: other("later"),
  }),
  "endless asynchronous loop": () => ({
    content: withSource(
      good(),
      "later",
      "async function later(value: number): Promise<number> { for (;;) await null }",
    ),
    score: other("later"),
  }),
  "four gigabytes": () => ({
    content: prepend(
      good(),
      "counter",
      "const all: Buffer[] = []; for (let i = 0; i < 80; i++) { all.push(Buffer.alloc(50e6, 1)); await null }",
    ),
    score: other("counter"),
  }),
  "full heap": () => ({
    content: prepend(good(), "counter", "const all: number[][] = []; for (;;) all.push(new Array(1e5).fill(0.5))"),
    score: other("counter"),
  }),
  "fork bomb": () => ({
    content: prepend(
      good(),
      "counter",
      "(await import('node:child_process')).spawn('/bin/sh', ['-c', 'b() { b | b & }; b; sleep 60'], { stdio: 'ignore' });\nawait new Promise((done) => setTimeout(done, 60_000));",
    ),
    score: other("counter"),
  }),
  "network call": () => ({
    content: withSource(
      good(),
      "later",
      "async function later(value: number): Promise<number> { return Number(await (await fetch('http://1.1.1.1/')).text()) }",
    ),
    score: other("later"),
  }),
  "process.exit in a function": () => ({
    content: withSource(good(), "mean", "function mean(xs: readonly number[]): number { process.exit(0) }"),
    score: other("mean"),
  }),
  "kills itself": () => ({
    content: prepend(good(), "counter", "process.kill(process.pid, 'SIGKILL'); await new Promise(() => {})"),
    score: other("counter"),
  }),
  "huge output": () => ({
    content: prepend(good(), "counter", "for (;;) console.log('x'.repeat(10_000))"),
    score: other("counter"),
  }),
  "huge value": () => ({
    content: withSource(good(), "mean", "function mean(xs: readonly number[]): any { return 'x'.repeat(5e7) }"),
    score: other("mean"),
  }),
  "corrupt JSON": () => ({ content: writeNotebook(good()).slice(0, -40), score: 0 }),
  "empty file": () => ({ content: "", score: 0 }),
  "nbformat 3": () => ({ content: '{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": []}', score: 0 }),
  "another language": () => ({
    content: { ...good(), metadata: { kernelspec: { name: "python3", language: "python", display_name: "Python 3" } } },
    score: whole,
  }),
};

const noTests = "Object.assign(assert, { ok() {}, equal() {}, deepEqual() {} });\nMath.abs = () => 0;\n";
const doNothing =
  "function mean(xs: any): any {}\nfunction scale(xs: any, k: any): any {}\nasync function later(x: any): Promise<any> {}\nclass Counter { increment(by = 1): any {} }";

const cheats: Readonly<Record<string, Mutation>> = {
  "assert patched": () => ({ content: withSource(stub(), "mean", `${noTests}${doNothing}`), score: 0 }),
  "assert redeclared": () => ({
    content: withSource(stub(), "mean", `const assert: any = { ok() {}, equal() {}, deepEqual() {} };\n${doNothing}`),
    score: 0,
  }),
  "intrinsics patched": () => ({
    content: withSource(
      stub(),
      "mean",
      `Math.abs = () => 0;\nObject.is = () => true;\nArray.prototype[Symbol.iterator] = function* () { yield* [2, 4, 6] };\n${doNothing}`,
    ),
    score: 0,
  }),
  "tests weakened": (e) => ({ content: withSource(stub(), `test-${e}`, "1 + 1"), score: 0 }),
  "points raised": (e) => ({ content: remark(stub(), `test-${e}`, { points: 1000 }), score: 0 }),
  "test turned into an answer": (e) => ({ content: remark(stub(), `test-${e}`, { solution: true }), score: 0 }),
  "test turned into words": (e) => ({
    content: map(stub(), (cell) =>
      idOf(cell) === `test-${e}`
        ? { cell_type: "markdown", id: cell.id as string, source: cell.source, metadata: cell.metadata }
        : cell,
    ),
    score: 0,
  }),
  "test of one's own": () => ({
    content: {
      ...stub(),
      cells: [...stub().cells, marked("test-bonus", "10", { grade: true, locked: true, points: 10 })],
    },
    score: 0,
  }),
  "output forged": () => ({
    content: map(stub(), (cell) =>
      cell.cell_type === "code" && idOf(cell) === "test-counter"
        ? {
            ...cell,
            execution_count: 9,
            outputs: [{ output_type: "execute_result", execution_count: 9, data: { "text/plain": "4" }, metadata: {} }],
          }
        : cell,
    ),
    score: 0,
  }),
  "end of cells forged": () => ({
    content: withSource(
      stub(),
      "mean",
      `const { parentPort } = require("node:worker_threads");\nsetInterval(() => { for (let cell = 0; cell < 99; cell++) parentPort.postMessage({ type: "finished", cell, outcome: { status: "ok", result: null } }) }, 1);\n${doNothing}`,
    ),
    score: 0,
  }),
  "answers forged": () => ({
    content: withSource(
      stub(),
      "mean",
      `${doNothing}\nfor (let id = 1; id < 500; id++) require("node:fs").writeSync(5, JSON.stringify({ id, ok: 2 }) + "\\n");`,
    ),
    score: 0,
  }),
  "kernel's messages forged": () => ({
    content: withSource(
      stub(),
      "mean",
      `${doNothing}\nrequire("node:fs").writeSync(3, '{"kind":"message","channel":"iopub"}\\nnot a message at all\\n');`,
    ),
    score: 0,
  }),
  "solutions read from the teacher's folder": () => ({
    content: withSource(
      stub(),
      "mean",
      'const fs = require("node:fs");\nfor (const folder of ["..", "../..", "../../..", "/tmp", "/root", "/home"]) {\n  for (const name of fs.existsSync(folder) ? fs.readdirSync(folder) : []) {\n    if (name === "source") throw new Error("found " + folder);\n  }\n}\nthrow new Error("nothing to be found")',
    ),
    score: 0,
  }),
  "prototypes polluted": () => ({
    content: withSource(
      stub(),
      "mean",
      `const pollute = (target: any, value: any) => void Object.defineProperty(target, "__proto__", { value, enumerable: true })
function mean(xs: any): any { pollute(xs, [2, 4, 6, 4]) }
function scale(xs: any, k: any): any { pollute(xs, { equal: true, ok: true, deepEqual: true }) }
async function later(x: any): Promise<any> {}
class Counter { increment(by = 1): any {} }`,
    ),
    score: 0,
  }),
  "tests overheard": () => ({
    content: withSource(
      stub(),
      "mean",
      `const vm = require("node:vm");\nvm.runInThisContext = (text: string) => { console.log("OVERHEARD " + text); return () => ({ value: 4 }) };\n${doNothing}`,
    ),
    score: 0,
  }),
};

/** What a report on such a mutant must say. A kind that is not here leaves nothing to tell. */
const reports: Readonly<Record<string, RegExp>> = {
  "nothing done": /test-mean.*TypeScriptError/,
  "solution deleted": /is missing/,
  "solution emptied": /TypeScriptError/,
  "syntax error": /TypeScriptError/,
  "type error": /TypeScriptError/,
  "throws when called": /Error: no idea/,
  "half right": /partial credit: 2 of 4/,
  "kernel renamed": /names the kernel typescript-of-mine/,
  "test deleted": /was missing, and is put back/,
  "solution copied": /stands in the notebook more than once/,
  "test copied": /stands in the notebook more than once/,
  "metadata stripped": /has changed metadata/,
  "endless loop in a cell": /the cell ran longer than its limit/,
  "endless loop in a function": /the student's code ran longer than its limit/,
  "endless wait": /the student's code ran longer than its limit/,
  "endless asynchronous loop": /the student's code ran longer than its limit/,
  // On a busy machine its time may be over before the memory is full.
  "four gigabytes": /needed more memory than its limit|ran longer than its limit/,
  "full heap": /needed more memory than its limit|heap was full|ran longer than its limit/,
  "fork bomb": /more processes than its limit|process ended/,
  "network call": /fetch failed/,
  "process.exit in a function": /process\.exit\(0\) ends the cell/,
  "kills itself": /process ended/,
  // Text that comes faster than it is counted fills the memory, or takes its time, first.
  "huge output": /showed more than its limit|needed more memory than its limit|ran longer than its limit/,
  "huge value": /test-mean.*Error/,
  "corrupt JSON": /notebook: must be JSON/,
  "empty file": /notebook: must be JSON, got an empty file/,
  "nbformat 3": /notebook: must be of nbformat 4, got 3/,
  "another language": /names the kernel python3/,
  "assert patched": /AssertionError/,
  "assert redeclared": /declares assert anew/,
  "intrinsics patched": /test-mean.*Error/,
  "tests weakened": /was changed, and is restored/,
  "points raised": /has changed metadata/,
  "test turned into an answer": /has changed metadata/,
  "test turned into words": /was turned into markdown/,
  "test of one's own": /test-bonus.*is not a cell of this assignment/,
  "output forged": /test-counter.*Error/,
  // Or the session takes the forged ends for the student's own, and there is nobody to ask any more.
  "end of cells forged": /test-mean.*(Error|StudentCodeEnded)/,
  "answers forged": /test-mean.*Error/,
  "kernel's messages forged": /what came from the kernel was no message/,
  "solutions read from the teacher's folder": /nothing to be found|test-mean.*Error/,
  "prototypes polluted": /test-mean.*Error/,
  "tests overheard": /test-mean.*Error/,
};

/** Changes that any student makes and that change no score. */
const variations: readonly ((notebook: Notebook, random: Random) => Notebook)[] = [
  (notebook, random) => inserted(notebook, plain("const attempt = 1\nconsole.log('trying', attempt)"), random),
  (notebook, random) =>
    inserted(notebook, { id: "note", cell_type: "markdown", source: "*Note to myself*", metadata: {} }, random),
  (notebook) =>
    map(notebook, (cell) =>
      cell.cell_type === "code" && graderCell(cell)?.solution
        ? { ...cell, source: `// My answer\n${cell.source}\n// Done` }
        : cell,
    ),
  (notebook) => ({
    ...map(notebook, ({ id: _, ...cell }) => cell as Cell),
    nbformat_minor: 4,
  }),
  (notebook) =>
    map(notebook, (cell) =>
      cell.cell_type === "code" && cell.outputs.length === 0
        ? { ...cell, execution_count: 3, outputs: [{ output_type: "stream", name: "stderr", text: "from my desk\n" }] }
        : cell,
    ),
];

function inserted(notebook: Notebook, cell: Cell, random: Random): Notebook {
  const at = integer(random, 1, notebook.cells.length);
  return { ...notebook, cells: notebook.cells.toSpliced(at, 0, cell) };
}

/**
 * Mutants: each kind on the first exercise, as it is; then each again on the others, in notebooks that students' usual
 * changes make different.
 *
 * @param seed decides about the usual changes
 */
export function mutants(count: number, seed = 1): readonly Mutant[] {
  const all = [
    ...Object.entries(honest).map(([name, mutate]) => ({ name, mutate, kind: "honest" as const })),
    ...Object.entries(broken).map(([name, mutate]) => ({ name, mutate, kind: "broken" as const })),
    ...Object.entries(cheats).map(([name, mutate]) => ({ name, mutate, kind: "cheat" as const })),
  ];
  return Array.from({ length: count }, (_, index): Mutant => {
    const { name, mutate, kind } = all[index % all.length];
    const round = Math.floor(index / all.length);
    const exercise = exercises[round % exercises.length];
    const { content, score } = mutate(exercise);
    const varied = round === 0 || typeof content === "string" ? content : vary(content, random(seed, index));
    return { name: `${name} (${exercise})`, kind, content: varied, score, told: reports[name] ?? null };
  });
}

/** The notebook with one or two of the usual changes. */
function vary(notebook: Notebook, random: Random): Notebook {
  const chosen = new Set([0, 1].map(() => integer(random, 0, variations.length - 1)));
  return [...chosen].reduce((changed, index) => variations[index](changed, random), notebook);
}

/** How many kinds of mutants there are. */
export const kindsOfMutants = Object.keys({ ...honest, ...broken, ...cheats }).length;
