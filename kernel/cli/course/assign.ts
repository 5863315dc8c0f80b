import { summarise } from "../../course/index.ts";
import type { Command } from "../command.ts";
import { checkedSources, readCourseArguments } from "./arguments.ts";

const help = `Usage: tessera assign ASSIGNMENT [--course DIR]

Checks the notebooks in source/ASSIGNMENT: names and points of graded cells, delimiters of solutions and hidden tests,
nbgrader's metadata. Names every mistake with its cell, and otherwise says what there is to earn. Changes nothing.
`;

/** `tessera assign`: checks a teacher's notebooks before they are released. */
export const assign: Command = {
  usage: "tessera assign ASSIGNMENT",
  summary: "check an assignment's source: names, points, delimiters",
  async run(args) {
    const given = readCourseArguments(args, "assign", help);
    if (given === undefined) return 0;
    for (const [name, notebook] of await checkedSources(given.course, given.assignment)) {
      const { tests, solutions, manual, points } = summarise(notebook);
      console.log(`${name}: ${solutions} to solve, ${tests} tests, ${manual} graded by hand, ${points} points`);
    }
    return 0;
  },
};
