import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CellGrade } from "./grade.ts";
import type { Finding } from "./restore.ts";

/** What came of grading: the points, and what there is to tell. */
export interface Graded {
  readonly grades: readonly CellGrade[];
  /** What was wrong with the submission, for teacher and student. */
  readonly findings: readonly Finding[];
  /** What went wrong in running it: limits that were passed, a process that ended. */
  readonly troubles: readonly string[];
}

/** What came of one notebook of a submission, by the name of its file. */
export interface NotebookResult extends Graded {
  readonly notebook: string;
}

/** What came of one submission; `grades.json` beside its graded notebooks. */
export interface SubmissionResult {
  readonly student: string;
  readonly assignment: string;
  /** When it was handed in, as `timestamp.txt` says it. */
  readonly timestamp: string | null;
  readonly notebooks: readonly NotebookResult[];
  readonly seconds: number;
}

/** The name of the file that keeps a submission's result. */
export const resultFile = "grades.json";

/** The result that a folder keeps; undefined where there is none. */
export async function readResult(folder: string): Promise<SubmissionResult | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, resultFile), "utf8")) as SubmissionResult;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Points of a result: earned, possible, and how many cells still wait for a person. */
export function totals(grades: readonly CellGrade[]): {
  readonly score: number;
  readonly points: number;
  readonly waiting: number;
} {
  return {
    score: grades.reduce((sum, { score }) => sum + (score ?? 0), 0),
    points: grades.reduce((sum, { points }) => sum + points, 0),
    waiting: grades.filter(({ score }) => score === null).length,
  };
}
