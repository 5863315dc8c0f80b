import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { releaseNotebook, summarise } from "../../course/index.ts";
import { BadInput, writeFileWhole, writeNotebook } from "../../headless/index.ts";
import type { Command } from "../command.ts";
import { checkedSources, readCourseArguments } from "./arguments.ts";

const help = `Usage: tessera release ASSIGNMENT [--course DIR]

Writes release/ASSIGNMENT from source/ASSIGNMENT: solutions become stubs, hidden tests and outputs go, cells are locked.
Files beside the notebooks are copied. What nbgrader grades, and what "tessera autograde" grades, is the same.
`;

/** `tessera release`: makes what students get. */
export const release: Command = {
  usage: "tessera release ASSIGNMENT",
  summary: "write the students' version: solutions stubbed, hidden tests removed",
  async run(args) {
    const given = readCourseArguments(args, "release", help);
    if (given === undefined) return 0;
    const { course, assignment } = given;
    const sources = await checkedSources(course, assignment);
    const [from, to] = [course.assignment("source", assignment), course.assignment("release", assignment)];
    try {
      await mkdir(to, { recursive: true });
      // Checkpoints of front ends hold solutions.
      const isKept = (path: string): boolean => !/\.ipynb$|\.ipynb_checkpoints/.test(path);
      await cp(from, to, { recursive: true, filter: isKept });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new BadInput(
        `output: the folder must be writable, got ${code} (${to}), make room or change its permissions`,
      );
    }
    for (const [name, notebook] of sources) {
      await writeFileWhole(join(to, name), writeNotebook(releaseNotebook(notebook)));
      console.log(`${join(to, name)}: ${summarise(notebook).points} points`);
    }
    return 0;
  },
};
