import { type Cell, type Notebook, type Output, renderPage } from "../headless/index.ts";
import type { JsonObject } from "../protocol/index.ts";
import type { CellGrade } from "./grade.ts";
import { graderCell, graderCells, isTest } from "./metadata.ts";
import { releaseNotebook } from "./release.ts";
import { type NotebookResult, totals } from "./results.ts";

/**
 * The page that a student gets back: their notebook with points and messages at each graded cell. Tests stand in it as
 * they were released, so hidden ones stay hidden, also in what they showed; outputs are pictures and text, never
 * anything that runs in the reader's browser.
 */
export function feedbackPage(executed: Notebook, source: Notebook, result: NotebookResult, student: string): string {
  const released = graderCells(releaseNotebook(source));
  const original = graderCells(source);
  const grades = new Map(result.grades.map((grade) => [grade.id, grade]));
  const cells = executed.cells.flatMap((cell): Cell[] => {
    const grader = graderCell(cell);
    const passive = withoutActive(cell);
    if (grader === undefined) return [passive];
    const grade = grades.get(grader.id);
    const asReleased = released.get(grader.id)?.cell;
    const isHidden =
      isTest(cell) && asReleased !== undefined && asReleased.source !== original.get(grader.id)?.cell.source;
    const shown = isTest(cell) && asReleased ? { ...passive, source: asReleased.source } : passive;
    const safe = isHidden ? withoutTraces(shown, grade) : shown;
    return grade === undefined ? [safe] : [safe, note(gradeText(grade, isHidden))];
  });
  const { score, points, waiting } = totals(result.grades);
  const head = [
    `# ${result.notebook.replace(/\.ipynb$/, "")}: ${number(score)} of ${number(points)} points`,
    `${escapeMarkdown(student)}${waiting > 0 ? `, ${waiting} ${waiting === 1 ? "answer waits" : "answers wait"} for a person` : ""}`,
    ...result.findings.map(({ cell, text }) => `- **${escapeMarkdown(cell)}** ${escapeMarkdown(text)}`),
    ...result.troubles.map((text) => `- ${escapeMarkdown(text)}`),
  ].join("\n\n");
  const { name: _, ...metadata } = executed.metadata;
  const notebook: Notebook = { ...executed, metadata, cells: [note(head), ...cells] };
  const page = renderPage(notebook, { name: `${result.notebook}, feedback`, folder: "/nonexistent" });
  return withPolicy(page);
}

function note(source: string): Cell {
  return { cell_type: "markdown", metadata: {}, source };
}

function gradeText({ id, score, points, message }: CellGrade, isHidden: boolean): string {
  const earned =
    score === null
      ? `**${id}**: graded by hand, ${number(points)} points`
      : `**${id}**: ${number(score)} of ${number(points)} points`;
  // What a hidden test says about an error could be the test itself.
  const told = isHidden && score === 0 ? "a test of this cell failed" : message;
  return `> ${earned}${told === "" ? "" : `: ${escapeMarkdown(told)}`}`;
}

function number(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}

function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+!<>|&]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Formats that a browser only shows. SVG is not one of them: it can hold scripts. */
const passiveMimes = ["text/plain", "text/latex", "text/markdown", "image/png", "image/jpeg", "image/gif"];

/** A cell without anything that could run: HTML, SVG and scripts go, in markdown, attachments and outputs. */
function withoutActive(cell: Cell): Cell {
  if (cell.cell_type !== "code") {
    const { attachments, ...rest } = cell;
    const kept = Object.entries(attachments ?? {}).map(([name, bundle]) => [name, passiveBundle(bundle)]);
    const source = cell.cell_type === "markdown" ? withoutHtml(cell.source) : cell.source;
    return { ...rest, source, ...(attachments && { attachments: Object.fromEntries(kept) }) } as Cell;
  }
  const outputs = cell.outputs.map((output): Output => {
    if (output.output_type !== "display_data" && output.output_type !== "execute_result") return output;
    return { ...output, data: passiveBundle(output.data) };
  });
  return { ...cell, outputs };
}

function passiveBundle(bundle: JsonObject): JsonObject {
  const kept = Object.entries(bundle).filter(([mime]) => passiveMimes.includes(mime));
  return Object.fromEntries(
    kept.map(([mime, data]) => [mime, mime === "text/markdown" && typeof data === "string" ? withoutHtml(data) : data]),
  );
}

/** Markdown in which every tag is text, and no link leads to a script. */
function withoutHtml(markdown: string): string {
  return markdown.replaceAll("<", "&lt;").replace(/(javascript|vbscript|data)\s*:/gi, "$1&#58;");
}

/** What a hidden test printed, and where it failed, could tell it; the student keeps the name of the error. */
function withoutTraces(cell: Cell, grade: CellGrade | undefined): Cell {
  if (cell.cell_type !== "code") return cell;
  const failed = cell.outputs.some(({ output_type: type }) => type === "error");
  const text = failed || grade?.score === 0 ? "a test of this cell failed\n" : "";
  return { ...cell, outputs: text === "" ? [] : [{ output_type: "stream", name: "stdout", text }] };
}

/** A browser that obeys runs nothing in the page, whatever else stands in it. */
function withPolicy(html: string): string {
  const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:";
  const meta = `<meta http-equiv="Content-Security-Policy" content="${policy}">`;
  return html.replace(/<script\b[\s\S]*?<\/script>/gi, "").replace(/<head>/i, `<head>\n${meta}`);
}
