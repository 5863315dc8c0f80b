import { junitXml, type TestSuite } from "../headless/index.ts";
import type { CellGrade } from "./grade.ts";
import { type SubmissionResult, totals } from "./results.ts";

const allGrades = ({ notebooks }: SubmissionResult): readonly CellGrade[] => notebooks.flatMap(({ grades }) => grades);

/** Rows as CSV. A cell that a spreadsheet would take for a formula is marked as text. */
function csv(rows: readonly (readonly (string | number | null)[])[]): string {
  const field = (value: string | number | null): string => {
    if (value === null) return "";
    if (typeof value === "number") return String(value);
    const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${row.map(field).join(",")}\n`).join("");
}

/** The columns that nbgrader's own export writes, one row for each submission. */
export function gradesCsv(results: readonly SubmissionResult[]): string {
  const head = [
    "assignment",
    "duedate",
    "timestamp",
    "student_id",
    "last_name",
    "first_name",
    "email",
    "raw_score",
    "late_submission_penalty",
    "score",
    "max_score",
  ];
  const rows = results.map((result) => {
    const { score, points } = totals(allGrades(result));
    const { assignment, timestamp, student } = result;
    return [assignment, null, timestamp, student, null, null, null, score, 0, score, points];
  });
  return csv([head, ...rows]);
}

/** One row for each question of each submission, with what the student was told. */
export function questionsCsv(results: readonly SubmissionResult[]): string {
  const rows = results.flatMap(({ student, assignment, notebooks }) =>
    notebooks.flatMap(({ notebook, grades }) =>
      grades.map(({ id, score, points, message }) => [student, assignment, notebook, id, score, points, message]),
    ),
  );
  return csv([["student_id", "assignment", "notebook", "question", "score", "max_score", "message"], ...rows]);
}

/** Gradescope's `results.json` for one submission. */
export function gradescopeResults(result: SubmissionResult): object {
  return {
    score: totals(allGrades(result)).score,
    execution_time: Math.round(result.seconds),
    output: result.notebooks
      .flatMap(({ findings, troubles }) => [...findings.map(({ cell, text }) => `${cell} ${text}`), ...troubles])
      .join("\n"),
    output_format: "text",
    visibility: "visible",
    tests: result.notebooks.flatMap(({ notebook, grades }) =>
      grades.map(({ id, score, points, message }, index) => ({
        name: `${notebook}: ${id}`,
        number: String(index + 1),
        score: score ?? 0,
        max_score: points,
        status: score === null || score >= points ? "passed" : "failed",
        output: message,
        output_format: "text",
        visibility: "visible",
      })),
    ),
  };
}

/** PrairieLearn's `results.json` for one submission. */
export function prairieLearnResults(result: SubmissionResult): object {
  const { score, points } = totals(allGrades(result));
  return {
    gradable: true,
    score: points === 0 ? 1 : score / points,
    output: result.notebooks.flatMap(({ troubles }) => troubles).join("\n"),
    tests: result.notebooks.flatMap(({ notebook, grades }) =>
      grades.map(({ id, score: earned, points: most, message }) => ({
        name: `${notebook}: ${id}`,
        points: earned ?? 0,
        max_points: most,
        message,
      })),
    ),
  };
}

/** All submissions as JUnit XML: a suite for each student, a test for each question. */
export function submissionsJunit(results: readonly SubmissionResult[]): string {
  const suites = results.map(
    ({ student, notebooks }): TestSuite => ({
      name: student,
      tests: notebooks.flatMap(({ notebook, grades }) =>
        grades.map(({ id, score, points, message }) => ({
          name: `${notebook}: ${id}`,
          seconds: 0,
          ...(score === null && { isSkipped: true }),
          ...(score !== null &&
            score < points && { failure: { message: `${score} of ${points} points`, text: message } }),
        })),
      ),
    }),
  );
  return junitXml(suites);
}
