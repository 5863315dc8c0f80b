import { relative, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { FileReport } from "./file-report.ts";
import { type Notebook, type Output, tagsOf } from "./notebook.ts";
import { ProgressReporter, type Screen } from "./progress.ts";
import type { RunEvent, RunResult } from "./run-notebook.ts";

/**
 * Tells a person how a batch goes: cell by cell where notebooks run one after the other, and a line for each notebook
 * where several run at a time; there the lines of those that run now are rewritten in place at the bottom.
 */
export class ReportPrinter {
  readonly #progress: Screen;
  readonly #results: Screen;
  readonly #count: number;
  readonly #together: boolean;
  readonly #cells: ProgressReporter;
  /** What runs now, and at which cell. */
  readonly #running = new Map<string, string>();
  #done = 0;
  #hasWarned = false;
  /** Whether the bottom line stands on the screen. */
  #drawn = false;

  constructor(progress: Screen, results: Screen, count: number, together: boolean) {
    this.#progress = progress;
    this.#results = results;
    this.#count = count;
    this.#together = together;
    this.#cells = new ProgressReporter(progress);
  }

  begin(path: string): void {
    this.#running.set(path, "");
    if (!this.#together) this.#progress.write(`${this.#cells.paint("bold", path)}\n`);
    this.#draw();
  }

  again(path: string, attempts: number): void {
    this.#say(`${this.#together ? `${path}: ` : "  "}failed; run again (${attempts})`);
  }

  hear(path: string, event: RunEvent): void {
    if (!this.#together) {
      this.#cells.hear(event);
    } else if (event.kind === "cell-started") {
      this.#running.set(path, `${event.place.number}/${event.place.count}`);
      this.#draw();
    }
  }

  end(report: FileReport, isCheck: boolean): void {
    const { path, result, executed, page, notebook, differences, compared } = report;
    this.#running.delete(path);
    this.#done++;
    const told = result ? describeRun(result) : "reused a stored result";
    const checked = isCheck ? `, ${compared} compared` : "";
    if (this.#together) {
      const mark = report.outcome === "ok" ? "ok  " : "FAIL";
      const place = `[${String(this.#done).padStart(String(this.#count).length)}/${this.#count}]`;
      this.#say(`${this.#cells.paint("dim", place)} ${mark} ${path}  ${told}${checked}`);
    } else {
      this.#say(`  ${told}${checked}`);
    }
    if (result?.failure) this.#say(`\n${describeFailure(path, result, this.#progress.isTTY === true)}`);
    for (const { number, lines } of differences) {
      this.#say(`\n${path}: cell ${number}: outputs differ from the stored ones (- stored, + now)`);
      for (const line of lines) {
        this.#say(
          `    ${this.#cells.paint(line.startsWith("-") ? "red" : line.startsWith("+") ? "green" : "dim", line)}`,
        );
      }
    }
    for (const text of summaries(notebook)) this.#results.write(`\n${text}\n`);
    if (this.#together) this.#results.write(`${shortPath(executed)}\n`);
    else this.#results.write(`\n  notebook  ${shortPath(executed)}\n  page      ${shortPath(page)}\n`);
  }

  warnOfMissingScripts(): void {
    if (!this.#hasWarned) {
      this.#say("  the page's figures are still pictures: dist/assets is not built, run `npm run build`");
    }
    this.#hasWarned = true;
  }

  /** Ends what is rewritten in place. */
  stop(): void {
    this.#cells.stop();
    this.#erase();
  }

  #say(text: string): void {
    this.#erase();
    this.#progress.write(`${text}\n`);
    this.#draw();
  }

  #erase(): void {
    if (this.#drawn) this.#progress.write("\r\x1b[2K");
    this.#drawn = false;
  }

  #draw(): void {
    if (!this.#together || !this.#progress.isTTY || this.#running.size === 0) return;
    const bar = progressBar(this.#done / this.#count);
    const now = [...this.#running].map(([path, at]) => `${path} ${at}`.trimEnd()).join("  ");
    const line = `${bar} ${this.#done}/${this.#count}  ${now}`;
    this.#progress.write(`\r\x1b[2K${line.slice(0, (this.#progress.columns ?? 100) - 1)}`);
    this.#drawn = true;
  }
}

function progressBar(part: number): string {
  const width = 20;
  const full = Math.round(part * width);
  return `${"█".repeat(full)}${"░".repeat(width - full)}`;
}

function describeRun({ cells, seconds, outcome }: RunResult): string {
  const count = `${cells.length} ${cells.length === 1 ? "cell" : "cells"}`;
  return `${outcome === "interrupted" ? "interrupted after" : "ran"} ${count} in ${seconds.toFixed(1)} s`;
}

/** Names the notebook, the cell and the error, then shows the kernel's own lines about it. */
function describeFailure(path: string, { failure, outcome }: RunResult, isColoured: boolean): string {
  if (!failure) return "";
  const { place, ename, evalue, traceback } = failure;
  const verb = outcome === "interrupted" ? "was interrupted" : "failed";
  const said = `${ename}: ${evalue}`;
  // Most tracebacks begin with what was just said.
  const lines = traceback.join("\n").split("\n");
  const repeated = said.split("\n").length;
  const isRepeated = stripVTControlCharacters(lines.slice(0, repeated).join("\n")) === said;
  const rest = lines.slice(isRepeated ? repeated : 0).join("\n");
  const shown = isColoured ? rest : stripVTControlCharacters(rest);
  return `${path}: cell ${place.number} of ${place.count} ${verb}: ${said}\n${shown}`.trimEnd();
}

/** The plain text of the outputs of each cell tagged `summary`. */
function summaries(notebook: Notebook): string[] {
  return notebook.cells
    .filter((cell) => cell.cell_type === "code" && tagsOf(cell).includes("summary"))
    .map((cell) => (cell.cell_type === "code" ? cell.outputs.map(plainText).join("\n") : "").trimEnd())
    .filter((text) => text !== "");
}

function plainText(output: Output): string {
  if (output.output_type === "stream") return output.text.trimEnd();
  if (output.output_type === "error") return "";
  return String(output.data["text/plain"] ?? "").trimEnd();
}

function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") ? resolve(path) : short;
}
