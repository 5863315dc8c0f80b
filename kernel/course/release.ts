import type { Cell, Notebook } from "../headless/index.ts";
import type { JsonObject } from "../protocol/index.ts";
import { checksumOf, graderCell, isTest, withGrader } from "./metadata.ts";
import { hiddenTestsRegion, markSchemeRegion, replaceRegions, solutionRegion } from "./regions.ts";

/** What stands where a solution stood. The shipped nbgrader configuration says the same. */
export const codeStub: readonly string[] = ["// YOUR CODE HERE", 'throw new Error("not implemented yet")'];
const textStub: readonly string[] = ["YOUR ANSWER HERE"];

/**
 * The notebook that students get: solutions replaced by stubs, hidden tests and marking schemes gone, outputs cleared,
 * cells locked, checksums computed. The source must have passed `checkSource`.
 */
export function releaseNotebook(source: Notebook): Notebook {
  const { celltoolbar: _, ...metadata } = source.metadata;
  return { ...source, metadata, cells: source.cells.map(releaseCell) };
}

function releaseCell(cell: Cell): Cell {
  const bare: Cell = cell.cell_type === "code" ? { ...cell, outputs: [], execution_count: null } : cell;
  const grader = graderCell(cell);
  if (grader === undefined) return bare;
  const stub = cell.cell_type === "code" ? codeStub : textStub;
  const source = grader.solution ? (replaceRegions(cell.source, solutionRegion, stub) ?? stub.join("\n")) : cell.source;
  const open = isTest(cell) ? (replaceRegions(source, hiddenTestsRegion, []) ?? source) : source;
  const told = grader.task || grader.grade ? (replaceRegions(open, markSchemeRegion, []) ?? open) : open;
  return withChecksum({ ...bare, source: told, metadata: lock(cell, grader.solution) });
}

/** Front ends keep students from deleting a cell of ours, and from editing one that is not theirs to write. */
function lock(cell: Cell, isSolution: boolean): JsonObject {
  return { ...cell.metadata, deletable: false, ...(isSolution ? {} : { editable: false }) };
}

/** The cell with the checksum of what it is. */
export function withChecksum(cell: Cell): Cell {
  const grader = graderCell(cell);
  if (grader === undefined) return cell;
  return withGrader(cell, { checksum: checksumOf(cell, grader), cell_type: cell.cell_type });
}
