import type { Cell } from "../headless/index.ts";
import { checksumOf, graderCell, isTest } from "./metadata.ts";

/** The points for one cell. */
export interface CellGrade {
  readonly id: string;
  /** Null where a person has to give them. */
  readonly score: number | null;
  readonly points: number;
  /** Why it is not full marks, in one line for the student; empty for full marks. */
  readonly message: string;
}

/**
 * The points that an executed cell earns, by nbgrader's rules: an error, or anything on stderr, is no points; a number as
 * the cell's value is partial credit; anything else is full marks. A solution that nobody touched is no points; one that
 * is graded by hand has none yet.
 *
 * Null for cells without points.
 */
export function gradeCell(cell: Cell): CellGrade | null {
  const grader = graderCell(cell);
  if (grader === undefined || (!grader.grade && !grader.task)) return null;
  const { id, points } = grader;
  const earned = (score: number | null, message: string): CellGrade => ({ id, score, points, message });
  if (!isTest(cell)) {
    const isUntouched = !grader.task && grader.checksum !== undefined && grader.checksum === checksumOf(cell, grader);
    return isUntouched ? earned(0, "no answer") : earned(null, "graded by hand");
  }
  if (cell.cell_type !== "code") return earned(null, "graded by hand");
  for (const output of cell.outputs) {
    if (output.output_type === "error") return earned(0, firstLine(`${output.ename}: ${output.evalue}`));
    if (output.output_type === "stream" && output.name === "stderr") {
      return earned(0, `the test wrote to stderr: ${firstLine(output.text)}`);
    }
    if (output.output_type === "execute_result") {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: values are shown with colours
      const shown = String(output.data["text/plain"] ?? "").replace(/\x1b\[[\d;]*m/g, "");
      return partial(shown, points, earned);
    }
  }
  return earned(points, "");
}

function partial(shown: string, points: number, earned: (score: number, message: string) => CellGrade): CellGrade {
  const score = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(shown) ? Number(shown) : Number.NaN;
  if (Number.isNaN(score) || score < 0) return earned(points, "");
  if (score > points)
    return earned(0, `the test gave ${score} of ${points} points, which cannot be: tell your teacher`);
  return earned(score, score < points ? `partial credit: ${score} of ${points}` : "");
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0].slice(0, 300);
}
