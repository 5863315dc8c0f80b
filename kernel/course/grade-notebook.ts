import type { Cell, CodeCell, Notebook, Output } from "../headless/index.ts";
import { type CellGrade, gradeCell } from "./grade.ts";
import { graderCell, graderCells, isTest } from "./metadata.ts";
import { type Finding, restore } from "./restore.ts";
import type { Graded } from "./results.ts";
import { type Executed, type GradingLimits, GradingPair, studentCodeEnded } from "./two-kernels.ts";

/** One notebook of a submission, graded. */
export interface GradedNotebook extends Graded {
  /** As it was executed: the tests whole, with what they and the student's code showed. */
  readonly notebook: Notebook;
}

/** Where a notebook's files lie, and what it may use. */
export interface GradingPlace {
  /** The submission's folder: what the student's code sees of the world. */
  readonly submission: string;
  /** The teacher's folder: what the tests see. */
  readonly source: string;
  readonly limits: GradingLimits & { readonly notebookSeconds: number };
  /** Told of each cell as it begins: its number from 1, and how many there are. */
  readonly onCell?: (number: number, count: number) => void;
}

/**
 * Grades a submitted notebook: puts it in order, runs the student's cells and the tests each in a process of their own,
 * and reads the points off the tests.
 */
export async function gradeNotebook(
  submitted: Notebook,
  source: Notebook,
  place: GradingPlace,
): Promise<GradedNotebook> {
  const { notebook, findings } = restore(submitted, source);
  const pair = await GradingPair.start(place.submission, place.source, place.limits);
  try {
    const run = new GradingRun(pair, notebook, source, place);
    await run.execute();
    const executed = { ...notebook, cells: run.cells };
    const shadowed = [...run.shadowed].map(
      (name): Finding => ({ kind: "shadowed", cell: "notebook", text: `declares ${name} anew; tests keep their own` }),
    );
    return {
      notebook: executed,
      grades: gradesOf(executed, source),
      findings: [...findings, ...shadowed],
      troubles: run.troubles,
    };
  } finally {
    await pair.close();
  }
}

/** The points for every cell of the source that has any, in its order; a cell that is not there earns none. */
export function gradesOf(executed: Notebook, source: Notebook): readonly CellGrade[] {
  const found = new Map(
    executed.cells.flatMap((cell): [string, CellGrade][] => {
      const grade = gradeCell(cell);
      return grade === null ? [] : [[grade.id, grade]];
    }),
  );
  return [...graderCells(source).values()].flatMap(({ grader }) => {
    if (!grader.grade && !grader.task) return [];
    const { id, points } = grader;
    return [found.get(id) ?? { id, points, score: 0, message: "the cell is missing" }];
  });
}

class GradingRun {
  readonly cells: readonly Cell[];
  readonly troubles: string[] = [];
  readonly shadowed = new Set<string>();
  readonly #pair: GradingPair;
  readonly #place: GradingPlace;
  readonly #outputs: Map<number, Executed> = new Map();
  readonly #notebook: Notebook;
  /** Texts of cells that are the teacher's, whether locked or only left as they were. */
  readonly #teachers: ReadonlySet<string>;
  /** Names that the teacher's own solutions declare: what a submission is expected to declare. */
  readonly #expected: ReadonlySet<string>;
  /** Names whose values are in the student's process. */
  readonly #theirs = new Set<string>();
  /** Names that the teacher's cells declared in the judging process, and that it had from the start. */
  #ours: Set<string> = new Set();

  constructor(pair: GradingPair, notebook: Notebook, source: Notebook, place: GradingPlace) {
    this.#pair = pair;
    this.#place = place;
    this.#notebook = notebook;
    this.cells = notebook.cells;
    const isTheirs = (cell: Cell): boolean => graderCell(cell)?.solution === true;
    this.#teachers = new Set(source.cells.filter((cell) => !isTheirs(cell)).map(({ source: text }) => text));
    this.#expected = new Set(source.cells.filter(isTheirs).flatMap(({ source: text }) => declaredNames(text)));
  }

  async execute(): Promise<void> {
    const { onCell, limits } = this.#place;
    this.#ours = new Set(await this.#pair.preloadedNames());
    const code = this.#notebook.cells.flatMap((cell, index) =>
      cell.cell_type === "code" && cell.source.trim() !== "" ? [{ cell, index }] : [],
    );
    const deadline = performance.now() + limits.notebookSeconds * 1000;
    let isLate = false;
    for (const [position, { cell, index }] of code.entries()) {
      onCell?.(position + 1, code.length);
      isLate ||= performance.now() > deadline;
      if (isLate) {
        this.#outputs.set(index, notRun(`the notebook ran longer than its limit of ${limits.notebookSeconds} s`));
        continue;
      }
      const executed = isTest(cell) ? await this.#test(cell) : await this.#ordinary(cell);
      this.#outputs.set(index, executed);
      this.#note(position + 1, executed);
    }
    if (isLate) this.troubles.push(`the notebook ran longer than its limit of ${limits.notebookSeconds} s`);
    (this as { cells: readonly Cell[] }).cells = this.#notebook.cells.map((cell, index) =>
      this.#withOutputs(cell, index),
    );
  }

  /** A cell that is no test: the student's process runs it; the teacher's own, the judging process, too. */
  async #ordinary(cell: CodeCell): Promise<Executed> {
    const uses = namesIn(cell.source);
    const isTeachers = this.#teachers.has(cell.source) && !uses.some((name) => this.#theirs.has(name));
    const running = this.#pair.runForStudent(cell.source);
    const declared = await this.#pair.declare(cell.source);
    if (isTeachers) {
      const { end } = await this.#pair.runForGrader(cell.source);
      if (end.reply?.status === "ok") {
        for (const name of declared) this.#keep(name);
        return running;
      }
    }
    for (const name of declared) {
      if (this.#ours.has(name) && !this.#expected.has(name)) this.shadowed.add(name);
      else this.#theirs.add(name);
    }
    return running;
  }

  async #test(cell: CodeCell): Promise<Executed> {
    if (this.#pair.death !== undefined) return notRun(this.#pair.death);
    const uses = namesIn(cell.source);
    const declared = await this.#pair.declare(cell.source);
    const executed = await this.#pair.runTest(
      cell.source,
      uses.filter((name) => this.#theirs.has(name)),
    );
    // What a test declares, later tests use as it is.
    for (const name of declared) this.#keep(name);
    return executed;
  }

  /** Makes a name one of the judging process's own, which no student's declaration takes away. */
  #keep(name: string): void {
    this.#ours.add(name);
    this.#theirs.delete(name);
  }

  #note(number: number, { end, outputs }: Executed): void {
    const { stopped, detail } = end;
    if (stopped !== null) this.troubles.push(`cell ${number}: ${detail ?? reasons[stopped]}`);
    // What a test calls may run into a limit, too; the test then hears this instead of an answer.
    for (const output of outputs) {
      if (output.output_type === "error" && output.ename === studentCodeEnded)
        this.troubles.push(`cell ${number}: ${output.evalue}`);
    }
  }

  #withOutputs(cell: Cell, index: number): Cell {
    const executed = this.#outputs.get(index);
    if (cell.cell_type !== "code" || executed === undefined) return cell;
    const { end, outputs } = executed;
    const isTold = outputs.some(({ output_type: type }) => type === "error");
    const ending = end.stopped !== null && !isTold ? [errorOutput(end.detail ?? reasons[end.stopped])] : [];
    return { ...cell, execution_count: end.executionCount, outputs: [...outputs, ...ending] };
  }
}

const reasons = {
  timeout: "the cell ran longer than its limit",
  "kernel-died": "the process ended",
  "out-of-memory": "the process needed more memory than its limit",
  interrupted: "the cell was interrupted",
  "output-limit": "the notebook showed more than its limit",
} as const;

function notRun(why: string): Executed {
  const end = { reply: null, stopped: null, executionCount: null, times: {}, detail: null };
  return { end, outputs: [errorOutput(why)] };
}

function errorOutput(evalue: string): Output {
  return { output_type: "error", ename: "NotGraded", evalue, traceback: [`NotGraded: ${evalue}`] };
}

/** Every identifier in a text; of those in strings and comments some too many. */
function namesIn(source: string): string[] {
  return [...new Set(source.match(/[A-Za-z_$][\w$]*/g) ?? [])];
}

/** Names that a solution declares at its top level, or deeper: these a submission may declare anew; too many do no harm. */
function declaredNames(source: string): string[] {
  const simple = source.matchAll(/\b(?:function\s*\*?|class|enum|const|let|var)\s+([A-Za-z_$][\w$]*)/g);
  const destructured = source.matchAll(/\b(?:const|let|var|import)\s*\{([^}]*)\}/g);
  const parts = [...destructured].flatMap(([, inside]) =>
    inside.split(",").map(
      (part) =>
        part
          .trim()
          .split(/\s+as\s+|\s*:\s*/)
          .at(-1)
          ?.split(/\s*=/)[0]
          .trim() ?? "",
    ),
  );
  return [...[...simple].map(([, name]) => name), ...parts].filter((name) => /^[A-Za-z_$][\w$]*$/.test(name));
}
