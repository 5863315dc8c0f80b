import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checksumOf, graderCell, releaseNotebook } from "../../../kernel/course/index.ts";
import { type Cell, type Notebook, writeNotebook } from "../../../kernel/headless/index.ts";

interface Marks {
  readonly grade?: boolean;
  readonly solution?: boolean;
  readonly locked?: boolean;
  readonly points?: number;
}

let lastId = 0;

/** A cell as nbgrader's toolbar marks it. */
export function marked(id: string, source: string, marks: Marks, type: "code" | "markdown" = "code"): Cell {
  const { grade = false, solution = false, locked = false, points } = marks;
  const nbgrader = {
    schema_version: 3,
    grade_id: id,
    grade,
    solution,
    locked,
    task: false,
    ...(points !== undefined && { points }),
  };
  const cell = { id: `${id}-${++lastId}`, source, metadata: { nbgrader } };
  return type === "code"
    ? { ...cell, cell_type: "code", execution_count: null, outputs: [] }
    : { ...cell, cell_type: "markdown" };
}

/** A cell that takes no part in grading. */
export function plain(source: string): Cell {
  return { id: `plain-${++lastId}`, cell_type: "code", source, metadata: {}, execution_count: null, outputs: [] };
}

const solution = (code: string): string => `// BEGIN SOLUTION\n${code}\n// END SOLUTION`;
const hidden = (code: string): string => `// BEGIN HIDDEN TESTS\n${code}\n// END HIDDEN TESTS`;

/** What the solutions of the example are, by the name of their cell. */
export const solutions = {
  mean: "function mean(xs: readonly number[]): number {\n  return xs.reduce((sum, x) => sum + x, 0) / xs.length;\n}",
  scale:
    "function scale(xs: Float32Array, factor: number): void {\n  for (let i = 0; i < xs.length; i++) xs[i] *= factor;\n}",
  later:
    "async function later(value: number): Promise<number> {\n  await new Promise((done) => setTimeout(done, 5));\n  return 2 * value;\n}",
  counter: "class Counter {\n  #count = 0;\n  increment(by = 1): number {\n    return (this.#count += by);\n  }\n}",
} as const;

/** An assignment with every kind of cell: 10 points by tests, 2 by hand. */
export const exampleSource: Notebook = {
  nbformat: 4,
  nbformat_minor: 5,
  metadata: { kernelspec: { name: "tessera", language: "typescript", display_name: "TypeScript (Tessera)" } },
  cells: [
    { id: "title", cell_type: "markdown", source: "# Problem set 1", metadata: {} },
    marked("setup", 'import assert from "node:assert/strict";\nconst tolerance = 1e-9;', { locked: true }),
    marked("mean", solution(solutions.mean), { solution: true }),
    marked(
      "test-mean",
      `assert.ok(Math.abs(mean([1, 2, 3]) - 2) < tolerance);\n${hidden("assert.equal(mean([4]), 4);\nassert.ok(Math.abs(mean([0.1, 0.2]) - 0.15) < tolerance);")}`,
      { grade: true, locked: true, points: 2 },
    ),
    marked("scale", solution(solutions.scale), { solution: true }),
    marked(
      "test-scale",
      `const xs = Float32Array.of(1, 2, 3);\nscale(xs, 2);\nassert.deepEqual([...xs], [2, 4, 6]);\n${hidden("scale(xs, 0.5);\nassert.deepEqual([...xs], [1, 2, 3]);")}`,
      { grade: true, locked: true, points: 3 },
    ),
    marked("later", solution(solutions.later), { solution: true }),
    marked(
      "test-later",
      `assert.equal(await later(4), 8);\n${hidden("assert.deepEqual(await Promise.all([1, 2].map((n) => later(n))), [2, 4]);")}`,
      { grade: true, locked: true, points: 1 },
    ),
    marked("counter", solution(solutions.counter), { solution: true }),
    marked(
      "test-counter",
      `// Half of the points for counting, the rest for counting by more than one.\nlet earned = 0;\nconst counter = new Counter();\ncounter.increment();\nif (counter.increment() === 2) earned += 2;\n${hidden("if (counter.increment(5) === 7) earned += 2;")}\nearned`,
      { grade: true, locked: true, points: 4 },
    ),
    marked("essay", "Because of the chain rule.", { grade: true, solution: true, points: 2 }, "markdown"),
  ],
};

/** What a good student hands in. */
export function goodSubmission(): Notebook {
  const released = releaseNotebook(exampleSource);
  return {
    ...released,
    cells: released.cells.map((cell) => {
      const id = graderCell(cell)?.id;
      const written =
        id !== undefined && Object.hasOwn(solutions, id) ? solutions[id as keyof typeof solutions] : undefined;
      if (written !== undefined) return { ...cell, source: written };
      return id === "essay" ? { ...cell, source: "Errors travel backwards by the chain rule." } : cell;
    }),
  };
}

/** The notebook with one cell's source replaced. */
export function withSource(notebook: Notebook, id: string, source: string): Notebook {
  const cells = notebook.cells.map((cell) => (graderCell(cell)?.id === id ? { ...cell, source } : cell));
  return { ...notebook, cells };
}

/** Writes a course: the source, and what each student handed in, as a notebook or as the text of its file. */
export function writeCourse(
  root: string,
  submissions: Readonly<Record<string, Notebook | string>>,
  assignment = "ps1",
  source: Notebook = exampleSource,
): void {
  mkdirSync(join(root, "source", assignment), { recursive: true });
  writeFileSync(join(root, "source", assignment, "problems.ipynb"), writeNotebook(source));
  for (const [student, content] of Object.entries(submissions)) {
    const folder = join(root, "submitted", student, assignment);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "timestamp.txt"), "2026-03-01 12:00:00 UTC\n");
    writeFileSync(join(folder, "problems.ipynb"), typeof content === "string" ? content : writeNotebook(content));
  }
}

/** Whether a cell's checksum is what nbgrader would compute. */
export function hasTrueChecksum(cell: Cell): boolean {
  const grader = graderCell(cell);
  return grader === undefined || grader.checksum === checksumOf(cell, grader);
}
