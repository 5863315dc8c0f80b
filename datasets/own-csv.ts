import { basename } from "node:path";
import { csvParseRows } from "d3";
import { type Dataset, readWholeFile } from "../lib/formats/index.ts";
import { zeros } from "../lib/tensor/index.ts";

/** What stands where in a CSV file. */
export interface CsvOptions {
  /** The column to be answered: its name, or its number from 0; the last one unless told otherwise. */
  readonly target?: string | number;
  /** Whether the first line names the columns; true unless told otherwise. */
  readonly header?: boolean;
  /** Whether the target is a class; unless told otherwise it is, if some of its cells are no numbers. */
  readonly classes?: boolean;
}

/**
 * Reads a table of numbers (RFC 4180): every column but one becomes an input, [n, columns], and that one the target: a
 * class [n], numbered in the order of their names, or a value [n, 1].
 *
 * @throws Error naming the file, the line and the column of a cell that is no number
 */
export async function readCsv(path: string, { target, header = true, classes }: CsvOptions = {}): Promise<Dataset> {
  const fail = (rule: string, got: string, remedy: string): never => {
    throw new Error(`csv: ${rule}, got ${got} (${path}); ${remedy}`);
  };
  const text = new TextDecoder().decode(await readWholeFile("csv", path)).replace(/^\uFEFF/, "");
  // An empty line, as at the end of most files, is a row of one empty cell.
  const lines = csvParseRows(text)
    .map((cells, index) => ({ line: index + 1, cells }))
    .filter(({ cells }) => cells.length > 1 || cells[0]?.trim() !== "");
  const width = lines[0]?.cells.length ?? 0;
  const names = header ? (lines.shift()?.cells ?? []) : Array.from({ length: width }, (_, column) => String(column));
  if (lines.length === 0 || width < 2) {
    fail("there must be a line of at least two columns", `${lines.length} lines of ${width}`, "check the file");
  }
  const column = target === undefined ? width - 1 : typeof target === "number" ? target : names.indexOf(target);
  if (!Number.isInteger(column) || column < 0 || column >= width) {
    fail("the target must be a column", JSON.stringify(target), `there are ${names.join(", ")}`);
  }
  for (const { line, cells } of lines) {
    if (cells.length !== width) {
      fail(`every line must have ${width} cells`, `${cells.length} in line ${line}`, "quote cells with commas in them");
    }
  }
  const answers = lines.map(({ cells }) => cells[column].trim());
  const isClass = classes ?? answers.some((answer) => !isNumber(answer));
  const inputs = zeros([lines.length, width - 1]);
  let at = 0;
  for (const { line, cells } of lines) {
    for (const [index, cell] of cells.entries()) {
      if (index === column) continue;
      if (!isNumber(cell))
        fail("inputs must be numbers", `"${cell}" in line ${line}, column ${names[index]}`, "replace it");
      inputs.data[at++] = Number(cell);
    }
  }
  const common = { kind: "dataset", name: basename(path), inputs, scale: 1 } as const;
  if (isClass) {
    const known = [...new Set(answers)].sort(byNumberOrName);
    const numbers = new Map(known.map((name, index) => [name, index]));
    const data = Int32Array.from(answers, (answer) => numbers.get(answer) as number);
    return { ...common, targets: { shape: [lines.length], dtype: "int32", data }, classes: known };
  }
  const bad = answers.findIndex((answer) => !isNumber(answer));
  if (bad >= 0) {
    fail(
      "values must be numbers",
      `"${answers[bad]}" in line ${lines[bad].line}, column ${names[column]}`,
      "replace it",
    );
  }
  const data = Float32Array.from(answers, Number);
  return { ...common, targets: { shape: [lines.length, 1], dtype: "float32", data }, classes: [] };
}

function isNumber(cell: string): boolean {
  return cell.trim() !== "" && Number.isFinite(Number(cell));
}

/** 2 before 10, and names by their characters. */
function byNumberOrName(a: string, b: string): number {
  if (isNumber(a) && isNumber(b)) return Number(a) - Number(b);
  return a < b ? -1 : a > b ? 1 : 0;
}
