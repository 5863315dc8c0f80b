import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { autograde, CourseFolder, findProtection, totals } from "../../kernel/course/index.ts";
import { prepareSnapshot } from "../../kernel/session/index.ts";
import { exampleSource, goodSubmission, writeCourse } from "../kernel/course/example-course.ts";
import { kindsOfMutants, type Mutant, mutants } from "../kernel/course/mutants.ts";
import type { Measured } from "./benchmark.ts";

// How soon a runaway is over: the slowest cell of its submission, less the time limit where that is what ends it. For
// the other limits the figure holds the time to reach them, too. After each, an untouched submission must earn all.

const cellSeconds = 3;

/** Runaways by the name of their mutant, and whether it is the time limit that ends them. */
const runaways: readonly (readonly [kind: string, figure: string, isTimed: boolean])[] = [
  ["endless loop in a cell", "loopInCellSeconds", true],
  ["endless loop in a function", "loopInFunctionSeconds", true],
  ["endless wait", "endlessWaitSeconds", true],
  ["endless asynchronous loop", "asynchronousLoopSeconds", true],
  ["four gigabytes", "fourGigabytesSeconds", false],
  ["full heap", "fullHeapSeconds", false],
  ["fork bomb", "forkBombSeconds", false],
  ["huge output", "hugeOutputSeconds", false],
  ["huge value", "hugeValueSeconds", false],
  ["network call", "networkCallSeconds", false],
  ["process.exit in a function", "processExitSeconds", false],
  ["kills itself", "killsItselfSeconds", false],
];

export async function measure(): Promise<Measured> {
  const { bubblewrap, trouble } = findProtection();
  if (!bubblewrap) throw new Error(`bench: containment needs a sandbox, got none (${trouble}), install bubblewrap`);
  console.debug = () => {}; // @jupyterlab/services tells of every socket it opens.
  await prepareSnapshot();
  const all = mutants(kindsOfMutants);
  const figures: Record<string, number> = {};
  for (const [kind, figure, isTimed] of runaways) {
    const mutant = all.find(({ name }) => name.startsWith(`${kind} (`));
    if (mutant === undefined) throw new Error(`internal: no mutant is called ${kind}`);
    figures[figure] = Math.max(0, (await slowestCellSeconds(mutant)) - (isTimed ? cellSeconds : 0));
  }
  return { figures, peers: {} };
}

/** Grades a runaway and then an untouched submission; how long the runaway's slowest cell took. */
async function slowestCellSeconds({ name, content, score }: Mutant): Promise<number> {
  const course = new CourseFolder(mkdtempSync(join(tmpdir(), "tessera-bench-")));
  writeCourse(course.root, { first: content, second: goodSubmission() });
  let began = performance.now();
  let slowest = 0;
  const limits = {
    cellSeconds,
    notebookSeconds: 60,
    memoryBytes: 800 * 2 ** 20,
    outputBytes: 2 ** 20,
    processes: 256,
    diskBytes: 2 ** 27,
    isSandboxed: true,
  };
  const results = await autograde(
    course,
    await course.submissions("ps1"),
    new Map([["problems.ipynb", exampleSource]]),
    {
      jobs: 1,
      limits,
      onProgress: (event) => {
        const now = performance.now();
        const student = event.kind === "finished" ? event.result.student : event.submission.student;
        // The first word of a cell ends the one before it; the first of all tells only that the processes are up.
        const isFirst = event.kind === "cell" && event.number === 1;
        if (student === "first" && event.kind !== "started" && !isFirst) slowest = Math.max(slowest, now - began);
        began = now;
      },
    },
  );
  const scores = results.map(({ notebooks }) => totals(notebooks.flatMap(({ grades }) => grades)).score);
  if (scores[0] !== score || scores[1] !== 10)
    throw new Error(`bench: ${name} must earn ${score} and the next one 10, got ${scores.join(" and ")}`);
  const left = remainingProcesses();
  if (left.length > 0) throw new Error(`bench: ${name} must leave no process, got ${left.join("; ")}`);
  return slowest / 1000;
}

/** Command lines of processes that a sandbox left. */
function remainingProcesses(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      } catch {
        return ""; // It ended while we looked.
      }
    })
    .filter((line) => line.includes("b() { b | b & }"));
}
