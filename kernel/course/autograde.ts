import { mkdtempSync, rmSync } from "node:fs";
import { cp, lstat, mkdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BadInput, type Notebook, parseNotebook, writeFileWhole, writeNotebook } from "../headless/index.ts";
import type { CourseFolder, Submission } from "./course-folder.ts";
import { type GradingPlace, gradeNotebook, gradesOf } from "./grade-notebook.ts";
import { type NotebookResult, resultFile, type SubmissionResult } from "./results.ts";

/** How a batch of submissions is graded. */
export interface AutogradeOptions {
  readonly limits: GradingPlace["limits"];
  /** Submissions at a time. */
  readonly jobs: number;
  readonly onProgress: (event: AutogradeEvent) => void;
  readonly signal?: AbortSignal;
}

/** What happens in a batch. */
export type AutogradeEvent =
  | { readonly kind: "started"; readonly submission: Submission }
  | {
      readonly kind: "cell";
      readonly submission: Submission;
      readonly notebook: string;
      readonly number: number;
      readonly count: number;
    }
  | {
      readonly kind: "finished";
      readonly submission: Submission;
      readonly result: SubmissionResult;
      readonly done: number;
      readonly count: number;
    };

/** A student's files beside the notebook are copied for the sandbox; more than this is not copied. */
const mostBytesCopied = 64 * 2 ** 20;

/**
 * Grades submissions, several at a time. Whatever is wrong with one is a line in its own result; the others do not
 * notice. Results and executed notebooks are written to `autograded/` as each submission is done.
 */
export async function autograde(
  course: CourseFolder,
  submissions: readonly Submission[],
  sources: ReadonlyMap<string, Notebook>,
  options: AutogradeOptions,
): Promise<readonly SubmissionResult[]> {
  const results: (SubmissionResult | undefined)[] = submissions.map(() => undefined);
  const waiting = submissions.map((submission, index) => ({ submission, index }));
  let done = 0;
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (options.signal?.aborted) return;
      const { submission, index } = next;
      options.onProgress({ kind: "started", submission });
      const result = await gradeSubmission(course, submission, sources, options);
      results[index] = result;
      options.onProgress({ kind: "finished", submission, result, done: ++done, count: submissions.length });
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, options.jobs) }, work));
  return results.filter((result) => result !== undefined);
}

async function gradeSubmission(
  course: CourseFolder,
  submission: Submission,
  sources: ReadonlyMap<string, Notebook>,
  options: AutogradeOptions,
): Promise<SubmissionResult> {
  const { student, assignment, folder } = submission;
  const started = performance.now();
  const out = course.work("autograded", student, assignment);
  await mkdir(out, { recursive: true });
  const copy = mkdtempSync(join(tmpdir(), "tessera-submission-"));
  try {
    await copyFiles(folder, copy);
    const notebooks: NotebookResult[] = [];
    for (const [file, source] of sources) {
      const onCell = (number: number, count: number): void =>
        options.onProgress({ kind: "cell", submission, notebook: file, number, count });
      const place = {
        submission: copy,
        source: course.assignment("source", assignment),
        limits: options.limits,
        onCell,
      };
      notebooks.push(await gradeFile(join(folder, file), file, source, place, out));
    }
    const timestamp = await readFile(join(folder, "timestamp.txt"), "utf8").then(
      (text) => text.trim(),
      () => null,
    );
    const seconds = (performance.now() - started) / 1000;
    const result: SubmissionResult = { student, assignment, timestamp, notebooks, seconds };
    await writeFileWhole(join(out, resultFile), `${JSON.stringify(result, null, 1)}\n`);
    return result;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Grades one notebook file. It never throws for what a student did: what cannot be graded earns nothing, with a reason. */
async function gradeFile(
  path: string,
  file: string,
  source: Notebook,
  place: GradingPlace,
  out: string,
): Promise<NotebookResult> {
  const nothing = (why: string): NotebookResult => ({
    notebook: file,
    grades: gradesOf({ ...source, cells: [] }, source).map((grade) => ({ ...grade, message: why })),
    findings: [],
    troubles: [why],
  });
  let submitted: Notebook;
  try {
    submitted = parseNotebook(await readFile(path), file, { anyLanguage: true });
  } catch (error) {
    if (error instanceof BadInput) return nothing(error.message);
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return nothing(`notebook: ${file} was not handed in`);
    return nothing(`notebook: ${file} cannot be read, got ${(error as Error).message}`);
  }
  try {
    const { notebook, grades, findings, troubles } = await gradeNotebook(submitted, source, place);
    await writeFileWhole(join(out, file), writeNotebook(notebook));
    return { notebook: file, grades, findings, troubles };
  } catch (error) {
    if (error instanceof BadInput) throw error;
    return nothing(`internal: the notebook could not be graded: ${(error as Error).stack ?? error}`);
  }
}

/** Copies what was handed in, links and all else that is neither file nor folder left out. */
async function copyFiles(from: string, to: string): Promise<void> {
  let left = mostBytesCopied;
  await cp(from, to, {
    recursive: true,
    filter: async (path) => {
      const { size, mode } = await lstat(path);
      const kind = mode & 0o170000;
      if (kind === 0o040000) return true;
      if (kind !== 0o100000 || size > left) return false;
      left -= size;
      return true;
    },
  });
}
