import { parseArgs } from "node:util";
import { CourseFolder, checkSource } from "../../course/index.ts";
import { BadInput, type Notebook } from "../../headless/index.ts";

/** Options of every course command, beside its own. */
const common = {
  course: { type: "string", default: "." },
  help: { type: "boolean", short: "h", default: false },
} as const;

type Option = {
  readonly type: "string" | "boolean";
  readonly default?: string | boolean;
  readonly multiple?: boolean;
  readonly short?: string;
};

/** What a course command was given. */
export interface CourseArguments {
  readonly course: CourseFolder;
  readonly assignment: string;
  readonly values: Readonly<Record<string, string | boolean | string[] | undefined>>;
}

/**
 * Reads `COMMAND ASSIGNMENT [options]`; undefined where help was asked for and given.
 *
 * @throws BadInput when not exactly one assignment is named
 */
export function readCourseArguments(
  args: string[],
  command: string,
  help: string,
  options: Readonly<Record<string, Option>> = {},
): CourseArguments | undefined {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { ...common, ...options } as never,
  });
  const given = values as CourseArguments["values"];
  if (given.help === true) {
    process.stdout.write(help);
    return undefined;
  }
  if (positionals.length !== 1) {
    const got = positionals.join(", ") || "none";
    throw new BadInput(`tessera ${command}: one assignment must be named, got ${got}, write tessera ${command} NAME`);
  }
  return { course: new CourseFolder(String(given.course)), assignment: positionals[0], values: given };
}

/**
 * An assignment's notebooks, checked.
 *
 * @throws BadInput with every trouble in a line of its own
 */
export async function checkedSources(course: CourseFolder, assignment: string): Promise<ReadonlyMap<string, Notebook>> {
  const sources = await course.sources(assignment);
  const troubles = [...sources].flatMap(([name, notebook]) => checkSource(notebook, name));
  if (troubles.length > 0) throw new BadInput(troubles.join("\n"));
  return sources;
}
