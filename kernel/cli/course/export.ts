import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  gradesCsv,
  gradescopeResults,
  prairieLearnResults,
  questionsCsv,
  type SubmissionResult,
  submissionsJunit,
} from "../../course/index.ts";
import { BadInput, writeFileWhole } from "../../headless/index.ts";
import type { Command } from "../command.ts";
import { readCourseArguments } from "./arguments.ts";
import { gradedSubmissions } from "./feedback.ts";

/** Formats with one file for all submissions, and those with one for each. */
const together: Readonly<
  Record<string, { readonly file: string; write(results: readonly SubmissionResult[]): string }>
> = {
  grades: { file: "grades.csv", write: gradesCsv },
  questions: { file: "questions.csv", write: questionsCsv },
  junit: { file: "junit.xml", write: submissionsJunit },
};
const json = (value: object): string => `${JSON.stringify(value, null, 1)}\n`;
const apart: Readonly<Record<string, (result: SubmissionResult) => string>> = {
  gradescope: (result) => json(gradescopeResults(result)),
  prairielearn: (result) => json(prairieLearnResults(result)),
};
const formats = [...Object.keys(together), ...Object.keys(apart)];

const help = `Usage: tessera export ASSIGNMENT [--format FORMAT]… [--out DIR] [--course DIR]

Writes the results of an assignment for other systems, into exported/ASSIGNMENT by default.

  --format FORMAT   ${formats.join(", ")}; may be repeated (default: all)
                    grades: as nbgrader's grades.csv; questions: a row for each graded cell;
                    gradescope and prairielearn: FORMAT/STUDENT/results.json
`;

/** `tessera export`: results for other systems. */
export const exportResults: Command = {
  usage: "tessera export ASSIGNMENT [--format FORMAT]…",
  summary: "write results as CSV, JUnit, for Gradescope or PrairieLearn",
  async run(args) {
    const own = { format: { type: "string", multiple: true }, out: { type: "string" } } as const;
    const given = readCourseArguments(args, "export", help, own);
    if (given === undefined) return 0;
    const { course, assignment, values } = given;
    const chosen = (values.format ?? formats) as string[];
    const unknown = chosen.find((format) => !formats.includes(format));
    if (unknown !== undefined)
      throw new BadInput(`--format: must be one of ${formats.join(", ")}, got ${unknown}, correct it`);
    const out = String(values.out ?? join(course.root, "exported", assignment));
    const results = await gradedSubmissions(course, assignment);
    for (const format of chosen) {
      const whole = together[format];
      if (whole !== undefined) await write(join(out, whole.file), whole.write(results));
      else
        for (const result of results)
          await write(join(out, format, result.student, "results.json"), apart[format](result));
    }
    return 0;
  },
};

async function write(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new BadInput(
      `output: the folder must be writable, got ${code} (${dirname(path)}), choose another with --out`,
    );
  }
  await writeFileWhole(path, text);
  console.log(path);
}
