import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { BadInput } from "./bad-input.ts";
import { type KernelSource, startKernel } from "./connection.ts";
import { type Notebook, type Output, tagsOf } from "./notebook.ts";
import { hasFigures, readFigureScripts } from "./page/figures.ts";
import { renderPage } from "./page/page.ts";
import { ProgressReporter, type Screen } from "./progress.ts";
import { readNotebook } from "./read-notebook.ts";
import { type Outcome, type RunResult, runNotebook } from "./run-notebook.ts";
import { writeFileWhole } from "./write-file.ts";
import { writeNotebook } from "./write-notebook.ts";

/** What a process that runs notebooks exits with: the gravest of what happened to any of them. */
export const exitCodes: Readonly<Record<Outcome | "bad-input", number>> = {
  ok: 0,
  "cell-error": 1,
  "bad-input": 2,
  "kernel-died": 3,
  interrupted: 130,
};

/** How notebook files are run. */
export interface RunFilesOptions {
  /** The folder that takes the executed notebooks and their pages; it is made where it is missing. */
  readonly out: string;
  /** Where the kernel for a notebook comes from. Its relative paths are resolved from `workingDirectory`. */
  readonly kernels: (workingDirectory: string) => KernelSource;
  readonly kernelName: string;
  readonly signal?: AbortSignal;
  /** Takes results: the text of cells tagged `summary`, and where the files lie. */
  readonly results: Screen;
  /** Takes progress and errors. */
  readonly progress: Screen;
}

interface Job {
  readonly path: string;
  readonly notebook: Notebook;
  /** The files that the run writes. */
  readonly executed: string;
  readonly page: string;
}

/**
 * Runs notebook files one after the other, each on a kernel of its own, and writes for each the executed notebook and
 * its page, also when a cell fails. Every file is read and checked before anything runs.
 *
 * @returns the exit code, one of {@link exitCodes}
 */
export async function runFiles(paths: readonly string[], options: RunFilesOptions): Promise<number> {
  try {
    let code = exitCodes.ok;
    for (const job of await prepare(paths, options.out)) {
      if (options.signal?.aborted) break;
      code = Math.max(code, exitCodes[await runFile(job, options)]);
    }
    return options.signal?.aborted ? exitCodes.interrupted : code;
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    options.progress.write(`${error.message}\n`);
    return exitCodes["bad-input"];
  }
}

async function prepare(paths: readonly string[], out: string): Promise<readonly Job[]> {
  const jobs: Job[] = [];
  const refused: string[] = [];
  for (const path of paths) {
    const notebook = await readNotebook(path).catch((error) => {
      if (!(error instanceof BadInput)) throw error;
      refused.push(error.message);
    });
    if (!notebook) continue;
    const stem = join(out, basename(path, extname(path)));
    const job = { path, notebook, executed: `${stem}.ipynb`, page: `${stem}.html` };
    const rival = jobs.find(({ executed }) => executed === job.executed);
    if (rival) {
      const rule = "notebooks of one run must have different names";
      refused.push(`output: ${rule}, got ${rival.path} and ${path} (${job.executed}), run them one by one`);
    }
    jobs.push(job);
  }
  if (refused.length > 0) throw new BadInput(refused.join("\n"));
  try {
    await mkdir(out, { recursive: true });
    await access(out, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new BadInput(`output: the folder must be writable, got ${code} (${out}), choose another with --out`);
  }
  return jobs;
}

async function runFile(job: Job, options: RunFilesOptions): Promise<Outcome> {
  const { progress, results, signal } = options;
  const reporter = new ProgressReporter(progress);
  progress.write(`${reporter.paint("bold", job.path)}\n`);
  const folder = dirname(resolve(job.path));
  const kernel = await startKernel(options.kernels(folder), options.kernelName);
  let result: RunResult;
  try {
    result = await runNotebook(job.notebook, kernel, { onEvent: reporter.hear, ...(signal && { signal }) });
  } finally {
    reporter.stop();
    if (!kernel.isDisposed) await kernel.shutdown();
  }
  const scripts = readFigureScripts();
  const { failure, seconds } = result;
  const html = renderPage(result.notebook, { name: basename(job.path), folder, seconds, scripts, failure });
  if (!scripts && hasFigures(html)) {
    progress.write("  the page's figures are still pictures: dist/assets is not built, run `npm run build`\n");
  }
  await writeFileWhole(job.executed, writeNotebook(result.notebook));
  await writeFileWhole(job.page, html);

  progress.write(`  ${told(result)}\n`);
  if (result.failure) progress.write(`\n${describeFailure(job.path, result, progress.isTTY === true)}\n`);
  for (const text of summaries(result.notebook)) results.write(`\n${text}\n`);
  results.write(`\n  notebook  ${shortPath(job.executed)}\n  page      ${shortPath(job.page)}\n`);
  return result.outcome;
}

function told({ cells, seconds, outcome }: RunResult): string {
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
