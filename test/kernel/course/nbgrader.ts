import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Notebook } from "../../../kernel/headless/index.ts";
import { install, prefixDataFolder } from "../../../kernel/install.ts";
import { projectRoot } from "../../support/environment.ts";
import { writeCourse } from "./example-course.ts";

/** A course folder with the shipped configuration, and a way to run nbgrader in it with the kernel under test. */
export interface NbgraderCourse {
  readonly root: string;
  /** What it said. */
  run(...args: readonly string[]): Promise<string>;
}

/** Makes a course for unmodified nbgrader. */
export async function nbgraderCourse(
  python: string,
  source: Notebook,
  submissions: Readonly<Record<string, Notebook | string>>,
): Promise<NbgraderCourse> {
  const root = mkdtempSync(join(tmpdir(), "tessera-nbgrader-"));
  writeCourse(root, submissions, "ps1", source);
  cpSync(join(projectRoot, "kernel/course/nbgrader_config.py"), join(root, "nbgrader_config.py"));
  const prefix = join(root, "prefix");
  mkdirSync(prefix);
  await install(prefixDataFolder(prefix));
  const env = {
    ...process.env,
    // nbgrader calls alembic by its name.
    PATH: `${dirname(python)}:${process.env.PATH}`,
    JUPYTER_PATH: prefixDataFolder(prefix),
    JUPYTER_CONFIG_DIR: prefix,
    JUPYTER_DATA_DIR: join(prefix, "data"),
  };
  return {
    root,
    run(...args) {
      return new Promise((resolve) => {
        const child = spawn(python, ["-m", "nbgrader", ...args], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
        let said = "";
        for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += text));
        child.on("close", () => resolve(said));
      });
    },
  };
}

/**
 * What nbgrader's tests earn for each student: the automatic part of the score. Who is not in it could not be graded.
 *
 * @param jobs that many courses at a time, each with a part of the students
 */
export async function nbgraderScores(
  python: string,
  source: Notebook,
  submissions: Readonly<Record<string, Notebook | string>>,
  jobs = 1,
): Promise<Readonly<Record<string, number>>> {
  const students = Object.entries(submissions);
  const parts = Array.from({ length: Math.min(jobs, students.length) }, (_, part) =>
    Object.fromEntries(students.filter((_, index) => index % jobs === part)),
  );
  const scores = await Promise.all(parts.map((part) => scoresOfCourse(python, source, part)));
  return Object.assign({}, ...scores);
}

async function scoresOfCourse(
  python: string,
  source: Notebook,
  submissions: Readonly<Record<string, Notebook | string>>,
): Promise<Readonly<Record<string, number>>> {
  const { root, run } = await nbgraderCourse(python, source, submissions);
  let log = await run("generate_assignment", "ps1", "--create", "--force");
  log += await run("autograde", "ps1", "--create");
  const isGraded = (student: string): boolean => existsSync(join(root, "autograded", student, "ps1"));
  // A submission that nbgrader cannot grade may end its batch: the others are graded one by one.
  for (const student of Object.keys(submissions)) {
    if (!isGraded(student)) log += await run("autograde", "ps1", "--create", "--student", student);
  }
  log += await run("export", "--to", join(root, "grades.csv"));
  if (!existsSync(join(root, "grades.csv")))
    throw new Error(`nbgrader exported nothing; it said:\n${log.slice(-4000)}`);
  const [head, ...rows] = readFileSync(join(root, "grades.csv"), "utf8")
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(","));
  const [student, score] = [head.indexOf("student_id"), head.indexOf("raw_score")];
  return Object.fromEntries(
    rows.filter((row) => isGraded(row[student])).map((row) => [row[student], Number(row[score])]),
  );
}
