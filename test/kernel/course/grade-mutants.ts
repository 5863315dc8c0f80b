// Grades mutated submissions, and compares with what each must earn and what its teacher must read:
// `node dist/test/kernel/course/grade-mutants.js 200 [--seed N] [--only PATTERN] [--json FILE]`. With `--nbgrader`,
// unmodified nbgrader in TESSERA_PYTHON grades the honest ones and the cheats instead. Ends with 1 where an honest one,
// or with our grading any, does not earn what it must.
import { mkdtempSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { autograde, CourseFolder, type SubmissionResult, totals } from "../../../kernel/course/index.ts";
import { prepareSnapshot } from "../../../kernel/session/index.ts";
import { findPython } from "../../support/environment.ts";
import { exampleSource, writeCourse } from "./example-course.ts";
import { type Mutant, mutants } from "./mutants.ts";
import { nbgraderScores } from "./nbgrader.ts";

/** What came of one mutant. */
export interface Verdict {
  readonly student: string;
  readonly mutant: Mutant;
  readonly score: number;
  readonly result: SubmissionResult;
  /** Whether the result says what the teacher must read. */
  readonly isTold: boolean;
}

/** The name under which a mutant hands in. */
const studentOf = (index: number): string => `student-${String(index).padStart(3, "0")}`;

/** Grades mutants as a batch, in a new course folder. */
export async function gradeMutants(
  all: readonly Mutant[],
  tell: (line: string) => void = () => {},
): Promise<{ root: string; verdicts: readonly Verdict[] }> {
  const root = mkdtempSync(join(tmpdir(), "tessera-mutants-"));
  writeCourse(root, Object.fromEntries(all.map(({ content }, index) => [studentOf(index), content])));
  const course = new CourseFolder(root);
  console.debug = () => {}; // @jupyterlab/services tells of every socket it opens.
  await prepareSnapshot();
  const verdicts: Verdict[] = [];
  await autograde(course, await course.submissions("ps1"), await course.sources("ps1"), {
    jobs: Math.min(2, availableParallelism()),
    limits: {
      cellSeconds: 4,
      notebookSeconds: 60,
      memoryBytes: 2 ** 30,
      outputBytes: 2 ** 20,
      processes: 256,
      diskBytes: 2 ** 27,
      isSandboxed: true,
    },
    onProgress: (event) => {
      if (event.kind !== "finished") return;
      const verdict = judge(event.result, all[Number(event.result.student.slice(-3))]);
      verdicts.push(verdict);
      const { mutant, student, score, isTold, result } = verdict;
      const isGood = score === mutant.score && isTold;
      tell(
        `${isGood ? "ok  " : "FAIL"} ${student} ${mutant.kind}, ${mutant.name}: ${score} of ${mutant.score} expected${isTold ? "" : ", not told"}, ${result.seconds.toFixed(1)} s`,
      );
    },
  });
  return { root, verdicts: verdicts.sort((a, b) => (a.student < b.student ? -1 : 1)) };
}

function judge(result: SubmissionResult, mutant: Mutant): Verdict {
  const { student, notebooks } = result;
  const { score } = totals(notebooks.flatMap(({ grades }) => grades));
  return { student, mutant, score, result, isTold: mutant.told?.test(JSON.stringify(notebooks)) ?? true };
}

/** Grades with ours; the result, and whether all is as it must be. */
async function gradeWithOurs(all: readonly Mutant[]): Promise<[result: object, isGood: boolean]> {
  const { root, verdicts } = await gradeMutants(all, console.log);
  const wrong = verdicts.filter(({ mutant, score }) => score !== mutant.score).length;
  const untold = verdicts.filter(({ isTold }) => !isTold).length;
  const gained = verdicts.filter(({ mutant, score }) => mutant.kind === "cheat" && score > mutant.score).length;
  console.log(`graded in ${root}`);
  const graded = verdicts.length;
  const each = verdicts.map(({ mutant, score, isTold, result }) => {
    const { name, kind, score: expected } = mutant;
    return { kind, name, expected, score, isTold, seconds: Number(result.seconds.toFixed(1)) };
  });
  return [{ graded, wrong, untold, gained, each }, wrong + untold === 0 && graded === all.length];
}

/** The same with nbgrader, which grades neither what hurts the machine nor what would end it. */
async function gradeWithNbgrader(all: readonly Mutant[]): Promise<[result: object, isGood: boolean]> {
  const found = findPython("nbgrader");
  if ("missing" in found) throw new Error(`nbgrader: must be there, got ${found.missing}, name it in TESSERA_PYTHON`);
  const chosen = all.map((mutant, index) => ({ mutant, student: studentOf(index) }));
  const safe = chosen.filter(({ mutant }) => mutant.kind !== "broken");
  const submissions = Object.fromEntries(safe.map(({ student, mutant }) => [student, mutant.content]));
  const jobs = Math.min(2, availableParallelism());
  const scores = await nbgraderScores(found.python, exampleSource, submissions, jobs);
  const each = safe.map(({ student, mutant: { kind, name, score: expected } }) => {
    return { kind, name, expected, score: scores[student] ?? null };
  });
  const differing = each.filter(({ kind, expected, score }) => kind === "honest" && score !== expected);
  const admitted = each.filter(({ kind, score }) => kind === "cheat" && (score ?? 0) > 0);
  const ungraded = each.filter(({ score }) => score === null);
  return [{ graded: each.length - ungraded.length, differing, admitted, ungraded, each }, differing.length === 0];
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: "string", default: "1" },
      only: { type: "string", default: "" },
      json: { type: "string" },
      nbgrader: { type: "boolean", default: false },
    },
  });
  const [count, seed] = [Number(positionals[0] ?? "200"), Number(values.seed)];
  const all = mutants(count, seed).filter(({ name }) => new RegExp(values.only).test(name));
  const started = performance.now();
  const [result, isGood] = await (values.nbgrader ? gradeWithNbgrader(all) : gradeWithOurs(all));
  const seconds = Math.round((performance.now() - started) / 1000);
  const report = { seed, count: all.length, seconds, ...result };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 1)}\n`);
  console.log(JSON.stringify({ ...report, each: undefined }, null, 1));
  return isGood ? 0 : 1;
}

if (process.argv[1] === import.meta.filename) {
  process.exitCode = await main();
  // @jupyterlab/services leaves timers behind.
  process.exit();
}
