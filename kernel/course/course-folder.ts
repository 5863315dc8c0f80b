import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { BadInput, type Notebook, parseNotebook } from "../headless/index.ts";

/** The steps of an assignment's way, each a folder of the course, named as nbgrader names them. */
export type Step = "source" | "release" | "submitted" | "autograded" | "feedback";

/** One student's work on one assignment. */
export interface Submission {
  readonly student: string;
  readonly assignment: string;
  /** The folder of what was handed in. */
  readonly folder: string;
}

/** Where things lie in a course: `source/ASSIGNMENT`, `submitted/STUDENT/ASSIGNMENT` and so on. */
export class CourseFolder {
  readonly root: string;

  constructor(root: string) {
    this.root = resolve(root);
  }

  /** The folder of an assignment at one of the two steps that have no student. */
  assignment(step: "source" | "release", assignment: string): string {
    return join(this.root, step, assignment);
  }

  /** The folder of a student's work. */
  work(step: "submitted" | "autograded" | "feedback", student: string, assignment: string): string {
    return join(this.root, step, student, assignment);
  }

  /**
   * The names of the notebooks of an assignment's source, and what they hold.
   *
   * @throws BadInput when there is no such folder, when it holds no notebook, or one that cannot be read
   */
  async sources(assignment: string): Promise<ReadonlyMap<string, Notebook>> {
    const folder = this.assignment("source", assignment);
    if (!/^[^/\\]+$/.test(assignment) || assignment.startsWith(".")) {
      throw new BadInput(`assignment: must be the name of a folder in source/, got ${assignment}, give only its name`);
    }
    const all = join(this.root, "source");
    const assignments = existsSync(all) ? await readdir(all) : [];
    if (!existsSync(folder)) {
      const known = assignments.join(", ") || "none";
      throw new BadInput(`assignment: must be a folder in ${all}, got ${assignment}, there are: ${known}`);
    }
    refuseTwins("assignment", assignments, all);
    const names = (await readdir(folder)).filter((name) => name.endsWith(".ipynb")).sort();
    if (names.length === 0) {
      throw new BadInput(`assignment: must hold a notebook, got none (${folder}), put its .ipynb file there`);
    }
    refuseTwins("notebook", names, folder);
    const found = new Map<string, Notebook>();
    for (const name of names) found.set(name, parseNotebook(await readFile(join(folder, name)), join(folder, name)));
    return found;
  }

  /** What was handed in for an assignment, by student; only some students where they are named. */
  async submissions(assignment: string, students: readonly string[] = []): Promise<readonly Submission[]> {
    const root = join(this.root, "submitted");
    const entries = existsSync(root) ? await readdir(root, { withFileTypes: true }) : [];
    return entries
      .filter((entry) => entry.isDirectory() && existsSync(join(root, entry.name, assignment)))
      .map(({ name }) => ({ student: name, assignment, folder: join(root, name, assignment) }))
      .filter(({ student }) => students.length === 0 || students.includes(student))
      .sort((a, b) => (a.student < b.student ? -1 : 1));
  }
}

/** Refuses names that are one name on a student's machine: most file systems there do not tell case apart. */
function refuseTwins(what: string, names: readonly string[], folder: string): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const twin = seen.get(name.toLowerCase());
    if (twin !== undefined) {
      const rule = "names must differ in more than case";
      throw new BadInput(`${what}: ${rule}, got ${twin} and ${name} (${folder}), rename one of them`);
    }
    seen.set(name.toLowerCase(), name);
  }
}
