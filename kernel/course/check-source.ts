import type { Cell, Notebook } from "../headless/index.ts";
import type { JsonObject } from "../protocol/index.ts";
import { graderCell, isTest, schemaVersion } from "./metadata.ts";
import { hiddenTestsRegion, markSchemeRegion, regionTrouble, solutionRegion } from "./regions.ts";

/** Keys that nbgrader's metadata may hold; it refuses others. */
const knownKeys = [
  "schema_version",
  "grade",
  "solution",
  "locked",
  "task",
  "grade_id",
  "points",
  "checksum",
  "cell_type",
];

/** What there is to earn in a notebook. */
export interface AssignmentSummary {
  readonly tests: number;
  readonly solutions: number;
  readonly manual: number;
  readonly points: number;
}

/**
 * Everything that is wrong with a teacher's notebook, all of it, each in one line that names the cell.
 *
 * @param path names the notebook
 */
export function checkSource(notebook: Notebook, path: string): readonly string[] {
  const troubles: string[] = [];
  const seen = new Map<string, number>();
  for (const [index, cell] of notebook.cells.entries()) {
    const { nbgrader } = cell.metadata;
    if (nbgrader === undefined) {
      troubles.push(
        ...strayRegions(cell).map(
          (text) => `${text} (${path}, cell ${index + 1}), mark the cell in nbgrader's metadata`,
        ),
      );
      continue;
    }
    for (const text of cellTroubles(cell, nbgrader as JsonObject)) {
      troubles.push(`${text} (${path}, cell ${index + 1})`);
    }
    const id = (nbgrader as JsonObject)?.grade_id;
    if (typeof id !== "string" || graderCell(cell) === undefined) continue;
    const before = seen.get(id);
    if (before !== undefined) {
      troubles.push(
        `grade_id: must be used once, got ${id} in cells ${before + 1} and ${index + 1} (${path}), rename one of them`,
      );
    }
    seen.set(id, index);
  }
  if (seen.size === 0) {
    troubles.push(
      `assignment: a notebook must have cells for grading, got none (${path}), mark solutions and tests in nbgrader's metadata`,
    );
  }
  return troubles;
}

function cellTroubles(cell: Cell, nbgrader: JsonObject): string[] {
  if (typeof nbgrader !== "object" || nbgrader === null) return ["nbgrader: the metadata must be an object"];
  const { schema_version: schema, grade_id: id, grade, solution, locked, task, points } = nbgrader;
  const troubles: string[] = [];
  if (schema !== schemaVersion)
    troubles.push(`schema_version: must be ${schemaVersion}, got ${schema ?? "none"}, run nbgrader update`);
  for (const key of Object.keys(nbgrader)) {
    if (!knownKeys.includes(key)) troubles.push(`nbgrader: must hold known keys only, got ${key}, remove it`);
  }
  for (const [name, flag] of Object.entries({ grade, solution, locked })) {
    if (typeof flag !== "boolean")
      troubles.push(`${name}: must be true or false, got ${JSON.stringify(flag) ?? "none"}`);
  }
  const takesPart = [grade, solution, locked, task].includes(true);
  if (takesPart && (typeof id !== "string" || !/^[a-zA-Z0-9_-]+$/.test(id))) {
    troubles.push(`grade_id: must be letters, digits, _ and -, got ${JSON.stringify(id) ?? "none"}`);
  }
  if ((grade === true || task === true) && (typeof points !== "number" || !(points >= 0))) {
    troubles.push(`points: must be a number that is not negative, got ${JSON.stringify(points) ?? "none"} in ${id}`);
  }
  const isMarkdown = cell.cell_type === "markdown";
  if (isMarkdown && task !== true && (grade === true) !== (solution === true)) {
    troubles.push(`${id}: an answer in words must be both solution and graded, got only one of them`);
  }
  if (task === true && !isMarkdown) troubles.push(`${id}: a task must be a markdown cell, got ${cell.cell_type}`);
  for (const region of [solutionRegion, hiddenTestsRegion, markSchemeRegion]) {
    const trouble = regionTrouble(cell.source, region);
    if (trouble !== null) troubles.push(trouble);
  }
  const grader = graderCell(cell);
  if (!grader?.solution && cell.source.includes(solutionRegion.begin)) {
    troubles.push(`${id}: a solution region must stand in a solution cell, or students would see it`);
  }
  if (!isTest(cell) && cell.source.includes(hiddenTestsRegion.begin)) {
    troubles.push(`${id}: hidden tests must stand in a test cell, or students would see them`);
  }
  return troubles;
}

/** Regions in a cell that takes no part in grading: they would be released as they are. */
function strayRegions(cell: Cell): string[] {
  return [solutionRegion, hiddenTestsRegion, markSchemeRegion]
    .filter(({ begin }) => cell.source.includes(begin))
    .map(({ name, begin }) => `${name}: must stand in a cell that takes part in grading, got ${begin}`);
}

/** What a checked notebook asks for. */
export function summarise(notebook: Notebook): AssignmentSummary {
  const cells = notebook.cells.flatMap((cell) => {
    const grader = graderCell(cell);
    return grader === undefined ? [] : [{ cell, grader }];
  });
  const tests = cells.filter(({ cell }) => isTest(cell));
  const manual = cells.filter(({ cell, grader }) => grader.task || (grader.grade && !isTest(cell)));
  return {
    tests: tests.length,
    manual: manual.length,
    solutions: cells.filter(({ grader }) => grader.solution).length,
    points: [...tests, ...manual].reduce((sum, { grader }) => sum + grader.points, 0),
  };
}
