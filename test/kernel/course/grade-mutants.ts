// Grades mutated submissions and compares with what each must earn: `node dist/test/kernel/course/grade-mutants.js 200`.
// A second argument picks mutants by a pattern of their names. With nbgrader in TESSERA_PYTHON it grades the honest ones and the cheats, too. Ends with 1 where anything differs.
import { mkdtempSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
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
  const results = await autograde(course, await course.submissions("ps1"), await course.sources("ps1"), {
    jobs: Math.min(2, availableParallelism()),
    limits: {
      cellSeconds: 4,
      notebookSeconds: 60,
      memoryBytes: 1.5 * 2 ** 30,
      outputBytes: 2 ** 20,
      processes: 256,
      diskBytes: 2 ** 27,
      isSandboxed: true,
    },
    onProgress: (event) => {
      if (event.kind !== "finished") return;
      const { student, notebooks, seconds } = event.result;
      const mutant = all[Number(student.slice(-3))];
      const { score } = totals(notebooks.flatMap(({ grades }) => grades));
      tell(
        `${score === mutant.score ? "ok  " : "FAIL"} ${student} ${mutant.kind}, ${mutant.name}: ${score} of ${mutant.score} expected, ${seconds.toFixed(1)} s`,
      );
    },
  });
  const verdicts = results.map((result): Verdict => {
    const mutant = all[Number(result.student.slice(-3))];
    return {
      student: result.student,
      mutant,
      result,
      score: totals(result.notebooks.flatMap(({ grades }) => grades)).score,
    };
  });
  return { root, verdicts };
}

async function main(): Promise<number> {
  const [, , given = "200", part = ""] = process.argv;
  const all = mutants(Number(given)).filter(({ name }) => new RegExp(part).test(name));
  const count = all.length;
  const started = performance.now();
  const { root, verdicts } = await gradeMutants(all, console.log);
  const seconds = (performance.now() - started) / 1000;
  const wrong = verdicts.filter(({ mutant, score }) => score !== mutant.score);
  console.log(
    `${verdicts.length} of ${count} graded in ${seconds.toFixed(0)} s, ${wrong.length} not as expected (${root})`,
  );
  const found = findPython("nbgrader");
  if ("missing" in found) {
    console.log(`nbgrader: ${found.missing}`);
  } else {
    const chosen = verdicts.filter(({ mutant }) => mutant.kind !== "broken");
    const theirs = await nbgraderScores(
      found.python,
      exampleSource,
      Object.fromEntries(chosen.map(({ student, mutant }) => [student, mutant.content])),
    );
    const differing = chosen.filter(
      ({ student, mutant, score }) => mutant.kind === "honest" && theirs[student] !== score,
    );
    for (const { mutant, student, score } of differing)
      console.log(`nbgrader differs: ${mutant.name}: ${theirs[student]}, ours ${score}`);
    for (const { mutant, student } of chosen) {
      if (mutant.kind === "cheat" && (theirs[student] ?? 0) > 0)
        console.log(`nbgrader admits: ${mutant.name}: ${theirs[student]} points`);
    }
    if (differing.length > 0) return 1;
  }
  return wrong.length > 0 || verdicts.length < count ? 1 : 0;
}

if (process.argv[1] === import.meta.filename) {
  process.exitCode = await main();
  // @jupyterlab/services leaves timers behind.
  process.exit();
}
