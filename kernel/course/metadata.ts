import { createHash } from "node:crypto";
import type { Cell, Notebook } from "../headless/index.ts";
import type { JsonObject } from "../protocol/index.ts";

/** What nbgrader's metadata (version 3) says about a cell that takes part in grading. */
export interface GraderCell {
  /** The name by which a cell is known in every version of the notebook. */
  readonly id: string;
  /** Whether points are given for it. */
  readonly grade: boolean;
  /** Whether students write in it. */
  readonly solution: boolean;
  /** Whether it must stay as it was released. */
  readonly locked: boolean;
  readonly task: boolean;
  readonly points: number;
  readonly checksum: string | undefined;
  /** The type that the cell had when it was released. */
  readonly cellType: string | undefined;
}

/** The version of nbgrader's cell metadata that is read and written. */
export const schemaVersion = 3;

/** What the metadata says; undefined where the cell takes no part in grading, or says so in no form that we know. */
export function graderCell(cell: Cell): GraderCell | undefined {
  const { nbgrader } = cell.metadata;
  if (typeof nbgrader !== "object" || nbgrader === null || Array.isArray(nbgrader)) return undefined;
  const { grade_id: id, grade, solution, locked, task, points, checksum, cell_type } = nbgrader as JsonObject;
  if (typeof id !== "string" || id === "") return undefined;
  const found: GraderCell = {
    id,
    grade: grade === true,
    solution: solution === true,
    // As nbgrader has it: students write in a solution, and never in a test.
    locked: solution !== true && (grade === true || locked === true),
    task: task === true,
    points: typeof points === "number" ? points : 0,
    checksum: typeof checksum === "string" ? checksum : undefined,
    cellType: typeof cell_type === "string" ? cell_type : undefined,
  };
  return found.grade || found.solution || found.locked || found.task ? found : undefined;
}

/** A cell whose checks decide its points. */
export function isTest(cell: Cell): boolean {
  const grader = graderCell(cell);
  return cell.cell_type === "code" && grader !== undefined && grader.grade && !grader.solution;
}

/** nbgrader's checksum of a cell: MD5 over its source, type, flags, name and, where it has them, points. */
export function checksumOf(cell: Cell, { id, grade, solution, locked, points }: GraderCell): string {
  const python = (flag: boolean): string => (flag ? "True" : "False");
  const hash = createHash("md5").update(cell.source).update(cell.cell_type);
  hash.update(python(grade)).update(python(solution)).update(python(locked)).update(id);
  if (grade) hash.update(pythonFloat(points));
  return hash.digest("hex");
}

/** A number as Python writes a float. */
function pythonFloat(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e16) return value.toFixed(1);
  return String(value).replace(/e([+-])(\d)$/, "e$10$2");
}

/** The cell with these entries of its nbgrader metadata changed. */
export function withGrader<Any extends Cell>(cell: Any, changes: JsonObject): Any {
  const nbgrader = { ...(cell.metadata.nbgrader as JsonObject), ...changes };
  return { ...cell, metadata: { ...cell.metadata, nbgrader } };
}

/** A notebook's graded, solution and locked cells, by name, in their order. */
export function graderCells(
  notebook: Notebook,
): ReadonlyMap<string, { readonly cell: Cell; readonly grader: GraderCell }> {
  const found = new Map<string, { cell: Cell; grader: GraderCell }>();
  for (const cell of notebook.cells) {
    const grader = graderCell(cell);
    if (grader !== undefined && !found.has(grader.id)) found.set(grader.id, { cell, grader });
  }
  return found;
}
