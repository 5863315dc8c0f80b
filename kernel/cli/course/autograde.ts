import { type AutogradeEvent, autograde as gradeAll, type SubmissionResult, totals } from "../../course/index.ts";
import { BadInput } from "../../headless/index.ts";
import { prepareSnapshot } from "../../session/index.ts";
import type { Command } from "../command.ts";
import { checkedSources, readCourseArguments } from "./arguments.ts";
import { insistOnProtection, limitHelp, limitOptions, readJobs, readLimits } from "./limits.ts";

const help = `Usage: tessera autograde ASSIGNMENT [--student ID]… [options]

Grades submitted/STUDENT/ASSIGNMENT against source/ASSIGNMENT and writes autograded/STUDENT/ASSIGNMENT: the executed
notebooks and grades.json. Each submission runs in a sandbox of its own (see "tessera doctor"); tests run in another
process, which the student's code cannot reach. One bad submission never stops the others.

  --course DIR         the course's folder (default: here)
  --student ID         only this student; may be repeated
  --jobs N             submissions at a time (default: as the machine bears)
${limitHelp}

Exit code: 0 all submissions were graded, whatever they earned; 2 bad input; 130 interrupted.
`;

/** `tessera autograde`: grades what was handed in. */
export const autograde: Command = {
  usage: "tessera autograde ASSIGNMENT [--student ID]…",
  summary: "grade submissions, each in a sandbox",
  async run(args) {
    const own = { ...limitOptions, student: { type: "string", multiple: true } } as const;
    const given = readCourseArguments(args, "autograde", help, own);
    if (given === undefined) return 0;
    const { course, assignment, values } = given;
    const sources = await checkedSources(course, assignment);
    const limits = readLimits(values);
    const jobs = readJobs(values.jobs);
    const students = (values.student ?? []) as string[];
    const submissions = await course.submissions(assignment, students);
    const absent = students.filter((student) => !submissions.some((submission) => submission.student === student));
    if (submissions.length === 0 || absent.length > 0) {
      const got = absent.length > 0 ? `none of ${absent.join(", ")}` : "none";
      throw new BadInput(
        `submissions: must lie in submitted/STUDENT/${assignment}, got ${got} (${course.root}), collect them first`,
      );
    }
    insistOnProtection(limits.isSandboxed);
    // @jupyterlab/services tells the console of every socket that it opens.
    console.debug = () => {};
    // Inside a sandbox nothing can be stored, and every kernel would start slowly.
    await prepareSnapshot();
    const controller = new AbortController();
    process.on("SIGINT", () => (controller.signal.aborted ? process.exit(130) : controller.abort()));
    const started = performance.now();
    const { signal } = controller;
    const results = await gradeAll(course, submissions, sources, { limits, jobs, signal, onProgress: tell });
    const seconds = (performance.now() - started) / 1000;
    console.log(`${results.length} of ${submissions.length} submissions graded in ${seconds.toFixed(1)} s`);
    return controller.signal.aborted ? 130 : 0;
  },
};

function tell(event: AutogradeEvent): void {
  const { isTTY } = process.stderr;
  if (event.kind === "cell" && isTTY) {
    process.stderr.write(`\r\x1b[2K${event.submission.student}: ${event.notebook} ${event.number}/${event.count}`);
  }
  if (event.kind !== "finished") return;
  if (isTTY) process.stderr.write("\r\x1b[2K");
  console.log(line(event.result, event.done, event.count));
  for (const { notebook, findings, troubles } of event.result.notebooks) {
    for (const { cell, text } of findings) console.log(`        ${notebook}: ${cell} ${text}`);
    for (const text of troubles) console.log(`        ${notebook}: ${text}`);
  }
}

function line({ student, notebooks, seconds }: SubmissionResult, done: number, count: number): string {
  const { score, points, waiting } = totals(notebooks.flatMap(({ grades }) => grades));
  const byHand = waiting > 0 ? `, ${waiting} by hand` : "";
  const place = `[${String(done).padStart(String(count).length)}/${count}]`;
  return `${place} ${student}: ${Math.round(score * 1000) / 1000} of ${points} points${byHand}, ${seconds.toFixed(1)} s`;
}
