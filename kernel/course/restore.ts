import type { Cell, CodeCell, Notebook } from "../headless/index.ts";
import { type GraderCell, graderCell, graderCells } from "./metadata.ts";
import { releaseNotebook, withChecksum } from "./release.ts";

/** Something about a submission that its reader should know. */
export interface Finding {
  readonly kind: "restored" | "missing" | "duplicated" | "retyped" | "unknown" | "metadata" | "kernel" | "shadowed";
  /** The cell it is about, by its name in the metadata. */
  readonly cell: string;
  readonly text: string;
}

/** A submission made fit for grading. */
export interface Restored {
  readonly notebook: Notebook;
  readonly findings: readonly Finding[];
}

/**
 * Puts a submission in order: locked cells and tests as in the source (hidden tests included), metadata as in the source,
 * missing cells back in their place, copies without a role. What students wrote in their solutions, and cells that they
 * added, stay as they are. Outputs are cleared: nothing that a submission claims to have shown counts.
 */
export function restore(submitted: Notebook, source: Notebook): Restored {
  const findings: Finding[] = [];
  const known = graderCells(source);
  const released = graderCells(releaseNotebook(source));
  const cells: Cell[] = [];
  const seen = new Set<string>();
  for (const [index, cell] of submitted.cells.entries()) {
    const bare = withoutOutputs(cell);
    const id = identify(cell, known, released);
    if (id === undefined) {
      if (cell.metadata.nbgrader !== undefined && graderCell(cell) !== undefined) {
        const text = "is not a cell of this assignment; it is run, but earns nothing";
        findings.push({ kind: "unknown", cell: graderCell(cell)?.id ?? `cell ${index + 1}`, text });
      }
      cells.push(withoutRole(bare));
      continue;
    }
    if (seen.has(id) || laterTwin(submitted, index, id, known, released)) {
      findings.push({
        kind: "duplicated",
        cell: id,
        text: "stands in the notebook more than once; one of them counts",
      });
      cells.push(withoutRole(bare));
      continue;
    }
    seen.add(id);
    cells.push(restoreCell(bare, id, known, released, findings));
  }
  insertMissing(cells, source, released, findings);
  const kernel = (submitted.metadata.kernelspec as { name?: unknown } | undefined)?.name;
  const wanted = (source.metadata.kernelspec as { name?: unknown } | undefined)?.name;
  if (kernel !== wanted) {
    findings.push({
      kind: "kernel",
      cell: "notebook",
      text: `names the kernel ${String(kernel)}; it is graded with ${String(wanted)}`,
    });
  }
  return { notebook: { ...submitted, metadata: source.metadata, cells }, findings };
}

type Known = ReturnType<typeof graderCells>;

/** The name of the source's cell that a submitted cell is; by its metadata or, where that was lost, by a test's text. */
function identify(cell: Cell, known: Known, released: Known): string | undefined {
  const { nbgrader } = cell.metadata;
  const id = (nbgrader as { grade_id?: unknown } | undefined)?.grade_id;
  if (typeof id === "string") return known.has(id) ? id : undefined;
  for (const [name, { cell: original, grader }] of released) {
    if (grader.locked && original.source === cell.source) return name;
  }
  return undefined;
}

/** Of several cells with one name the last one counts, as in nbgrader. */
function laterTwin(submitted: Notebook, index: number, id: string, known: Known, released: Known): boolean {
  return submitted.cells.some((cell, at) => at > index && identify(cell, known, released) === id);
}

function restoreCell(cell: Cell, id: string, known: Known, released: Known, findings: Finding[]): Cell {
  const { cell: original, grader } = known.get(id) as { cell: Cell; grader: GraderCell };
  const asReleased = released.get(id)?.cell as Cell;
  const own = graderCell(cell);
  const typed = cell.cell_type === original.cell_type ? cell : retype(cell, original, id, findings);
  if (own === undefined || own.points !== grader.points || own.grade !== grader.grade || own.locked !== grader.locked) {
    findings.push({ kind: "metadata", cell: id, text: "has changed metadata; that of the source counts" });
  }
  // The checksum of the release tells an answer from a stub that nobody touched.
  const nbgrader = (asReleased.metadata.nbgrader ?? {}) as Cell["metadata"];
  const marked = { ...typed, metadata: { ...typed.metadata, nbgrader } };
  if (!grader.locked) return marked;
  if (typed.source !== asReleased.source && typed.source !== original.source) {
    findings.push({ kind: "restored", cell: id, text: "was changed, and is restored" });
  }
  return withChecksum({ ...marked, source: original.source });
}

function retype(cell: Cell, original: Cell, id: string, findings: Finding[]): Cell {
  findings.push({
    kind: "retyped",
    cell: id,
    text: `was turned into ${cell.cell_type}, and is ${original.cell_type} again`,
  });
  const { source, metadata } = cell;
  const identity = cell.id === undefined ? {} : { id: cell.id };
  return original.cell_type === "code"
    ? { ...identity, cell_type: "code", source, metadata, outputs: [], execution_count: null }
    : { ...identity, cell_type: original.cell_type, source, metadata };
}

/**
 * Puts missing cells back: behind the nearest cell before them that is there, else before the nearest one after them,
 * else at the end. A missing solution stays away: its stub would undo what the student wrote elsewhere.
 */
function insertMissing(cells: Cell[], source: Notebook, released: Known, findings: Finding[]): void {
  const order = [...graderCells(source)];
  for (const [position, [id, { cell, grader }]] of order.entries()) {
    const place = (name: string): number => cells.findIndex((candidate) => graderCell(candidate)?.id === name);
    if (place(id) >= 0) continue;
    if (grader.solution && cell.cell_type === "code") {
      findings.push({ kind: "missing", cell: id, text: "is missing" });
      continue;
    }
    const before = order.slice(0, position).map(([name]) => place(name));
    const after = order.slice(position + 1).map(([name]) => place(name));
    const behind = before.findLast((at) => at >= 0);
    const inFrontOf = after.find((at) => at >= 0);
    const at = behind !== undefined ? behind + 1 : (inFrontOf ?? cells.length);
    cells.splice(at, 0, grader.locked ? withChecksum(withoutOutputs(cell)) : (released.get(id)?.cell as Cell));
    findings.push({ kind: "missing", cell: id, text: grader.locked ? "was missing, and is put back" : "was missing" });
  }
}

function withoutOutputs(cell: Cell): Cell {
  if (cell.cell_type !== "code") return cell;
  const { execution: _, ...metadata } = cell.metadata;
  return { ...cell, metadata, outputs: [], execution_count: null } satisfies CodeCell;
}

/** A cell that plays no part in grading. */
function withoutRole(cell: Cell): Cell {
  const { nbgrader: _, ...metadata } = cell.metadata;
  return { ...cell, metadata };
}
