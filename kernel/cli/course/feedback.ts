import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type CourseFolder, feedbackPage, readResult, type SubmissionResult } from "../../course/index.ts";
import { BadInput, parseNotebook, writeFileWhole } from "../../headless/index.ts";
import type { Command } from "../command.ts";
import { checkedSources, readCourseArguments } from "./arguments.ts";

const help = `Usage: tessera feedback ASSIGNMENT [--course DIR]

Writes feedback/STUDENT/ASSIGNMENT/NOTEBOOK.html for every graded submission: points and messages beside the student's
own work. Hidden tests stay hidden, and nothing in the page runs in the reader's browser.
`;

/** `tessera feedback`: makes the pages that students get back. */
export const feedback: Command = {
  usage: "tessera feedback ASSIGNMENT",
  summary: "write each student's page: points, messages, no hidden tests",
  async run(args) {
    const given = readCourseArguments(args, "feedback", help);
    if (given === undefined) return 0;
    const { course, assignment } = given;
    const sources = await checkedSources(course, assignment);
    for (const result of await gradedSubmissions(course, assignment)) {
      const { student } = result;
      const out = course.work("feedback", student, assignment);
      await mkdir(out, { recursive: true });
      for (const [name, source] of sources) {
        const own = result.notebooks.find(({ notebook }) => notebook === name);
        if (own === undefined) continue;
        const path = join(course.work("autograded", student, assignment), name);
        // A notebook that could not be graded was not executed; its page says why.
        const executed = await readFile(path).then(
          (bytes) => parseNotebook(bytes, path),
          () => ({ ...source, cells: [] }),
        );
        const page = join(out, name.replace(/\.ipynb$/, ".html"));
        await writeFileWhole(page, feedbackPage(executed, source, own, student));
        console.log(page);
      }
    }
    return 0;
  },
};

/** Every result of an assignment, by student. Throws BadInput where there is none. */
export async function gradedSubmissions(
  course: CourseFolder,
  assignment: string,
): Promise<readonly SubmissionResult[]> {
  const results: SubmissionResult[] = [];
  for (const { student } of await course.submissions(assignment)) {
    const result = await readResult(course.work("autograded", student, assignment));
    if (result !== undefined) results.push(result);
  }
  if (results.length === 0) {
    throw new BadInput(
      `results: must lie in autograded/STUDENT/${assignment}, got none (${course.root}), run tessera autograde`,
    );
  }
  return results;
}
