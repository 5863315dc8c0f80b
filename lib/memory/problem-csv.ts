import type { MemoryPlan, MemoryProblem, TensorBuffer } from "./problem.ts";

/** What a table of buffers holds. */
export interface MemoryTable {
  readonly problem: MemoryProblem;
  /** The `id` column as it is written: any text without commas. Buffers are numbered by their line. */
  readonly names: readonly string[];
  /** The plan, where the table has a column of offsets. */
  readonly plan: MemoryPlan | undefined;
}

const required = ["id", "lower", "upper", "size"] as const;
const optional = ["alignment", "offset"] as const;

/**
 * Reads a memory problem as MiniMalloc writes it: a header `id,lower,upper,size`, with `alignment` or `offset` if
 * there are such columns, in any order; then a buffer a line, alive in [lower, upper). Plain integers, no quotes;
 * empty lines are passed over.
 *
 * @param name what errors call the source, such as the file's path
 * @throws Error naming the source, line and column of what is wrong
 */
export function parseMemoryCsv(text: string, name: string): MemoryTable {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const header = lines[0].split(",").map((title) => title.trim());
  const fail = (line: number, column: number, rule: string, got: string, remedy: string): never => {
    throw new Error(`${name}: ${rule}, got ${got} (line ${line}, column ${column}); ${remedy}`);
  };
  const known: readonly string[] = [...required, ...optional];
  for (const [index, title] of header.entries()) {
    if (!known.includes(title) || header.indexOf(title) !== index) {
      const rule = `the header's columns must be ${known.join(", ")}, each once`;
      fail(1, startOf(header, index), rule, `"${title}"`, "rename or remove the column");
    }
  }
  for (const title of required) {
    if (!header.includes(title)) {
      fail(1, lines[0].length + 1, `the header must have a column "${title}"`, `"${lines[0]}"`, "add it");
    }
  }
  const buffers: TensorBuffer[] = [];
  const names: string[] = [];
  const offsets: number[] = [];
  for (let index = 1; index < lines.length; index++) {
    if (lines[index].trim() === "") continue;
    const fields = lines[index].split(",");
    const line = index + 1;
    if (fields.length !== header.length) {
      const rule = `every line must have ${header.length} fields as the header has`;
      fail(line, lines[index].length + 1, rule, `${fields.length}`, "complete or remove the line");
    }
    const integer = (title: string, least: number): number => {
      const at = header.indexOf(title);
      const field = fields[at].trim();
      const value = /^-?\d+$/.test(field) ? Number(field) : Number.NaN;
      if (!Number.isSafeInteger(value) || value < least) {
        const range = least === Number.NEGATIVE_INFINITY ? "" : ` ≥ ${least}`;
        fail(line, startOf(fields, at), `"${title}" must be an integer${range}`, `"${field}"`, "correct the field");
      }
      return value;
    };
    const start = integer("lower", Number.NEGATIVE_INFINITY);
    const buffer = {
      id: buffers.length,
      size: integer("size", 0),
      alignment: header.includes("alignment") ? integer("alignment", 1) : 1,
      start,
      end: integer("upper", start),
    };
    buffers.push(buffer);
    names.push(fields[header.indexOf("id")].trim());
    if (header.includes("offset")) offsets.push(integer("offset", 0));
  }
  const height = offsets.reduce((most, offset, index) => Math.max(most, offset + buffers[index].size), 0);
  return { problem: { buffers }, names, plan: header.includes("offset") ? { offsets, height } : undefined };
}

/**
 * Writes a problem, and a plan if there is one, so that `parseMemoryCsv` reads the same again. The column of
 * alignments is left out where each is 1, as in the published problems.
 *
 * @param names the `id` column; the buffers' own ids unless told
 */
export function formatMemoryCsv(
  { buffers }: MemoryProblem,
  plan?: MemoryPlan,
  names: readonly string[] = buffers.map(({ id }) => String(id)),
): string {
  const unsuitable = names.find((name) => /[,\r\n]/.test(name) || name !== name.trim());
  if (unsuitable !== undefined) {
    throw new Error(
      `memory CSV: a name must have no commas, line breaks or outer spaces, got ${JSON.stringify(unsuitable)}; rename it`,
    );
  }
  const aligned = buffers.some(({ alignment }) => alignment !== 1);
  const columns = [...required, ...(aligned ? ["alignment"] : []), ...(plan ? ["offset"] : [])];
  const lines = buffers.map(({ size, alignment, start, end }, index) =>
    [names[index], start, end, size, ...(aligned ? [alignment] : []), ...(plan ? [plan.offsets[index]] : [])].join(),
  );
  return `${[columns.join(), ...lines].join("\n")}\n`;
}

/** The column, from 1, at which a field of a line begins. */
function startOf(fields: readonly string[], index: number): number {
  return fields.slice(0, index).reduce((column, field) => column + field.length + 1, 1);
}
