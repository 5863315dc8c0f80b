import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Notebook } from "../../../kernel/headless/index.ts";
import { install, prefixDataFolder } from "../../../kernel/install.ts";
import { projectRoot } from "../../support/environment.ts";
import { writeCourse } from "./example-course.ts";

/** A course folder with the shipped configuration, and a way to run nbgrader in it with the kernel under test. */
export interface NbgraderCourse {
  readonly root: string;
  run(...args: readonly string[]): string;
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
      const ended = spawnSync(python, ["-m", "nbgrader", ...args], { cwd: root, env, encoding: "utf8" });
      return `${ended.stdout}${ended.stderr}`;
    },
  };
}

/** What nbgrader's tests earn for each student: the automatic part of the score. */
export async function nbgraderScores(
  python: string,
  source: Notebook,
  submissions: Readonly<Record<string, Notebook | string>>,
): Promise<Readonly<Record<string, number>>> {
  const { root, run } = await nbgraderCourse(python, source, submissions);
  let log = run("generate_assignment", "ps1", "--create", "--force");
  // One by one: a submission that nbgrader cannot grade ends its batch.
  for (const student of Object.keys(submissions)) log += run("autograde", "ps1", "--create", "--student", student);
  run("export", "--to", join(root, "grades.csv"));
  let table: string;
  try {
    table = readFileSync(join(root, "grades.csv"), "utf8");
  } catch {
    throw new Error(`nbgrader exported nothing; it said:\n${log.slice(-4000)}`);
  }
  const [head, ...rows] = table
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(","));
  const [student, score] = [head.indexOf("student_id"), head.indexOf("raw_score")];
  return Object.fromEntries(rows.map((row) => [row[student], Number(row[score])]));
}
