import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { BadInput } from "./bad-input.ts";
import { withBanner, withoutBanner } from "./banner.ts";
import { compareOutputs } from "./compare-outputs.ts";
import { KernelRefused, type KernelSource } from "./connection.ts";
import type { FileReport } from "./file-report.ts";
import { findNotebooks } from "./find-notebooks.ts";
import { KernelPool, type Lease } from "./kernel-pool.ts";
import type { Notebook } from "./notebook.ts";
import { exitCodes, type FileOutcome, gravest } from "./outcome.ts";
import { hasFigures, readFigureScripts } from "./page/figures.ts";
import { renderPage } from "./page/page.ts";
import type { Parameters } from "./parameters.ts";
import type { Screen } from "./progress.ts";
import { parseNotebook, readNotebook } from "./read-notebook.ts";
import { ReportPrinter } from "./report-printer.ts";
import { githubAnnotations } from "./reports/github.ts";
import { junitXml, notebookSuites } from "./reports/junit.ts";
import type { RunCache } from "./run-cache.ts";
import { type RunOptions, type RunResult, runNotebook, unstarted } from "./run-notebook.ts";
import { writeFileWhole } from "./write-file.ts";
import { writeNotebook } from "./write-notebook.ts";

/** How notebook files are run. */
export interface RunFilesOptions
  extends Pick<RunOptions, "cellSeconds" | "notebookSeconds" | "outputBytes" | "signal"> {
  /** The folder that takes the executed notebooks and their pages; it is made where it is missing. */
  readonly out: string;
  /** Where the kernel for a notebook comes from. Its relative paths are resolved from `workingDirectory`. */
  readonly kernels: (workingDirectory: string) => KernelSource;
  readonly kernelName: string;
  /** Whether a restarted kernel is as good as a new one, and sooner there. False by default. */
  readonly reuseKernels?: boolean;
  /** How many notebooks run at the same time; 1 by default. */
  readonly jobs?: number;
  /** How often a notebook that fails is run again; 0 by default. */
  readonly retries?: number;
  /** Values for the cell tagged `parameters` of every notebook. */
  readonly parameters?: Parameters;
  /** Compares outputs with the stored ones, numbers with this tolerance. */
  readonly check?: { readonly tolerance: number };
  readonly cache?: RunCache;
  /** A file for a JUnit XML report. */
  readonly junit?: string;
  /** Whether failures are told as GitHub's workflow commands. */
  readonly annotate?: boolean;
  /** Takes results: the text of cells tagged `summary`, and where the files lie. */
  readonly results: Screen;
  /** Takes progress and errors. */
  readonly progress: Screen;
}

/** One notebook file, and what its run writes. */
interface Job extends Pick<FileReport, "path" | "executed" | "page"> {
  readonly folder: string;
  /** As it was read. */
  readonly stored: Notebook;
  /** With its parameters. */
  readonly notebook: Notebook;
}

/**
 * Runs notebook files, each on a kernel that has executed nothing, and writes for each the executed notebook and its
 * page, also when a cell fails. Every file is read and checked before anything runs.
 *
 * @param given paths and patterns
 * @returns the exit code, one of {@link exitCodes}
 */
export async function runFiles(given: readonly string[], options: RunFilesOptions): Promise<number> {
  const { signal, progress, junit, annotate = false } = options;
  try {
    const jobs = await prepare(given, options);
    const reports = await new Batch(jobs, options).run();
    if (junit !== undefined) await writeFileWhole(junit, junitXml(notebookSuites(reports)));
    if (annotate) progress.write(githubAnnotations(reports));
    return exitCodes[signal?.aborted ? "interrupted" : gravest(reports.map(({ outcome }) => outcome))];
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    progress.write(`${error.message}\n`);
    return exitCodes["bad-input"];
  }
}

async function prepare(given: readonly string[], { out, parameters, junit }: RunFilesOptions): Promise<readonly Job[]> {
  const jobs: Job[] = [];
  const refused: string[] = [];
  const injecting = parameters && (await import("./inject-parameters.ts"));
  for (const path of await findNotebooks(given)) {
    const folder = dirname(resolve(path));
    try {
      const stored = withoutBanner(await readNotebook(path));
      const notebook = injecting ? await injecting.withParameters(stored, parameters, path, folder) : stored;
      const stem = join(out, basename(path, extname(path)));
      const job = { path, folder, stored, notebook, executed: `${stem}.ipynb`, page: `${stem}.html` };
      const rival = jobs.find(({ executed }) => executed === job.executed);
      if (rival) {
        const rule = "notebooks of one run must have different names";
        refused.push(`output: ${rule}, got ${rival.path} and ${path} (${job.executed}), run them one by one`);
      }
      jobs.push(job);
    } catch (error) {
      if (!(error instanceof BadInput)) throw error;
      refused.push(error.message);
    }
  }
  if (refused.length > 0) throw new BadInput(refused.join("\n"));
  await prepareFolder(out);
  if (junit !== undefined) await prepareFolder(dirname(junit));
  return jobs;
}

async function prepareFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new BadInput(`output: the folder must be writable, got ${code} (${folder}), choose another with --out`);
  }
}

/** The notebooks of one call on their way: as many at a time as there are jobs, with a kernel ready for the next. */
class Batch {
  readonly #jobs: readonly Job[];
  /** Those that nobody has begun, with their place among all. */
  readonly #waiting: { readonly job: Job; readonly index: number }[];
  readonly #options: RunFilesOptions;
  readonly #pool: KernelPool;
  readonly #printer: ReportPrinter;
  readonly #width: number;

  constructor(jobs: readonly Job[], options: RunFilesOptions) {
    const { kernels, kernelName, reuseKernels = false } = options;
    this.#jobs = jobs;
    this.#waiting = jobs.map((job, index) => ({ job, index }));
    this.#options = options;
    this.#width = Math.max(1, Math.min(options.jobs ?? 1, jobs.length));
    this.#pool = new KernelPool({ kernels, kernelName, size: this.#width, reuse: reuseKernels });
    this.#printer = new ReportPrinter(options.progress, options.results, jobs.length, this.#width > 1);
  }

  async run(): Promise<readonly FileReport[]> {
    const reports: (FileReport | undefined)[] = this.#jobs.map(() => undefined);
    const work = async (): Promise<void> => {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        if (this.#options.signal?.aborted) return;
        reports[next.index] = await this.#runJob(next.job);
      }
    };
    try {
      await Promise.all(Array.from({ length: this.#width }, work));
    } finally {
      this.#printer.stop();
      await this.#pool.close();
    }
    return reports.filter((report) => report !== undefined);
  }

  async #runJob(job: Job): Promise<FileReport> {
    const { cache, retries = 0, check, signal } = this.#options;
    this.#printer.begin(job.path);
    const kept = await cache?.find(job.notebook, job.folder);
    if (kept !== undefined) {
      const notebook = parseNotebook(Buffer.from(kept), job.path);
      const page = renderPage(notebook, { name: basename(job.path), folder: job.folder, scripts: readFigureScripts() });
      const none = { cached: true, attempts: 0, notebook };
      return this.#finish(job, { ...none, ...this.#compare(job, notebook, "ok") }, kept, page);
    }
    let result: RunResult;
    let attempts = 0;
    do {
      result = await this.#attempt(job, attempts++);
    } while (result.outcome !== "ok" && attempts <= retries && !signal?.aborted);
    const scripts = readFigureScripts();
    const { failure, seconds } = result;
    const notebook = withBanner(result);
    const page = renderPage(result.notebook, {
      name: basename(job.path),
      folder: job.folder,
      seconds,
      scripts,
      ...(failure && { failure }),
    });
    if (!scripts && hasFigures(page)) this.#printer.warnOfMissingScripts();
    const text = writeNotebook(notebook);
    if (result.outcome === "ok") await cache?.store(job.notebook, job.folder, text);
    const compared = check ? this.#compare(job, result.notebook, result.outcome) : { outcome: result.outcome };
    const outcome = { compared: 0, differences: [], ...compared };
    return this.#finish(job, { ...outcome, result, cached: false, attempts, notebook }, text, page);
  }

  /** Whether a notebook of that folder waits for a kernel. */
  #isAwaited(folder: string): boolean {
    return this.#waiting.some(({ job }) => job.folder === folder);
  }

  async #attempt(job: Job, earlier: number): Promise<RunResult> {
    const { cellSeconds, notebookSeconds, outputBytes, signal } = this.#options;
    if (earlier > 0) this.#printer.again(job.path, earlier);
    let lease: Lease;
    try {
      lease = await this.#pool.lease(job.folder, this.#isAwaited(job.folder));
    } catch (error) {
      // One notebook's kernel that is refused, as beyond a quota, does not stop the others.
      if (error instanceof KernelRefused) return unstarted(job.notebook, error.message);
      throw error;
    }
    const { connection, release } = lease;
    let outcome: RunResult["outcome"] | undefined;
    try {
      const result = await runNotebook(job.notebook, connection, {
        onEvent: (event) => this.#printer.hear(job.path, event),
        ...(cellSeconds !== undefined && { cellSeconds }),
        ...(notebookSeconds !== undefined && { notebookSeconds }),
        ...(outputBytes !== undefined && { outputBytes }),
        ...(signal && { signal }),
      });
      outcome = result.outcome;
      return result;
    } finally {
      // A kernel that nobody waits for is not made ready again.
      await release(this.#isAwaited(job.folder) && (outcome === "ok" || outcome === "cell-error"));
    }
  }

  #compare(
    job: Job,
    notebook: Notebook,
    outcome: FileOutcome,
  ): Pick<FileReport, "outcome" | "compared" | "differences"> {
    const { check } = this.#options;
    if (!check) return { outcome, compared: 0, differences: [] };
    const { compared, differences } = compareOutputs(job.stored, notebook, check.tolerance);
    const isWorse = outcome === "ok" && differences.length > 0;
    return { outcome: isWorse ? "outputs-differ" : outcome, compared, differences };
  }

  async #finish(
    { path, executed, page }: Job,
    found: Omit<FileReport, "path" | "executed" | "page">,
    text: string,
    html: string,
  ): Promise<FileReport> {
    await writeFileWhole(executed, text);
    await writeFileWhole(page, html);
    const report = { path, executed, page, ...found };
    this.#printer.end(report, this.#options.check !== undefined);
    return report;
  }
}
