import { isAbsolute, posix, relative, sep } from "node:path";
import { parseArgs } from "node:util";
import {
  BadInput,
  exitCodes,
  findKernelName,
  inProcessKernelName,
  inProcessKernels,
  ProcessSession,
  parseParameter,
  type RunFilesOptions,
  readParameters,
  runCache,
  runFiles,
  serverKernels,
} from "../headless/index.ts";
import { startSession } from "../session/index.ts";
import type { Command } from "./command.ts";
import { readBytes, readCount, readNumber } from "./numbers.ts";

const help = `Usage: tessera run NOTEBOOK… [options]

Executes each notebook from top to bottom on a kernel of its own, and writes to DIR the executed notebook and an HTML
page that needs no other file. Both are written when a cell fails, too; then the notebook's first cell names the failing
one. The outputs of cells tagged "summary" are printed. NOTEBOOK may be a pattern: "course/**/*.ipynb".

  --out DIR            the folder for the results, made where it is missing (default: out)
  -p NAME=VALUE        a value for the cell tagged "parameters", which the compiler checks against it; may be repeated
  --parameters FILE    such values from a YAML or JSON file
  --cell-timeout S     seconds that each cell may run (a cell's tag timeout=S says otherwise)
  --timeout S          seconds that each notebook may run
  --memory SIZE        memory that each notebook's kernel may use, itself included (about 400M): 2G, 800M
  --max-output SIZE    what each notebook may show (default: 100M)
  --jobs N             run N notebooks at the same time
  --retries N          run a notebook that fails again, N times at most
  --check              compare outputs with the stored ones; tag a cell ignore-output where they change
  --tolerance X        how far numbers may be apart in --check, relatively (default: 1e-6)
  --cache              reuse a stored result where code, the files it names, and versions are the same
  --junit FILE         a JUnit XML report, a test for each cell
  --github             annotations for GitHub (by itself where GITHUB_ACTIONS is set)
  --server URL         run on a Jupyter Server, JupyterHub or gateway instead of here; KERNEL_USERNAME and other
                       variables that begin with KERNEL_ go with it
  --token T            its token (or in JUPYTER_TOKEN)
  --server-path DIR    the folder on the server that stands for the one you are in (default: the server's first)

Cell tags: parameters, timeout=S, skip-execution, raises-exception, ignore-output, hide-input, summary.
Exit code: ${exitCodes.ok} all cells ran, ${exitCodes["cell-error"]} a cell failed, ${exitCodes["bad-input"]} bad input, ${exitCodes["kernel-died"]} a kernel died or was refused,
${exitCodes.timeout} a time limit was passed, ${exitCodes["out-of-memory"]} out of memory, ${exitCodes["outputs-differ"]} outputs differ, ${exitCodes.interrupted} interrupted; the gravest, where there are several.
`;

const options = {
  out: { type: "string", default: "out" },
  parameter: { type: "string", short: "p", multiple: true },
  parameters: { type: "string" },
  "cell-timeout": { type: "string" },
  timeout: { type: "string" },
  memory: { type: "string" },
  "max-output": { type: "string", default: "100M" },
  jobs: { type: "string", default: "1" },
  retries: { type: "string", default: "0" },
  check: { type: "boolean", default: false },
  tolerance: { type: "string", default: "1e-6" },
  cache: { type: "boolean", default: false },
  junit: { type: "string" },
  github: { type: "boolean", default: false },
  server: { type: "string" },
  token: { type: "string" },
  "server-path": { type: "string", default: "" },
  help: { type: "boolean", short: "h", default: false },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>["values"];

/** `tessera run`: executes notebooks without a browser and without Python. */
export const run: Command = {
  usage: "tessera run NOTEBOOK… [--out DIR] [--jobs N] [--check] …",
  summary: "execute notebooks, and write each with its outputs and as a page",
  async run(args) {
    let parsed: { values: Values; positionals: string[] };
    try {
      parsed = parseArgs({ args, allowPositionals: true, options });
    } catch (error) {
      return refuse(`tessera run: ${(error as Error).message}`);
    }
    const { values, positionals } = parsed;
    if (values.help) {
      process.stdout.write(help);
      return exitCodes.ok;
    }
    if (positionals.length === 0) {
      return refuse("tessera run: a notebook must be given, got none, name an .ipynb file");
    }
    // @jupyterlab/services tells the console of every socket that it opens.
    console.debug = () => {};
    let chosen: RunFilesOptions;
    try {
      chosen = await choose(values);
    } catch (error) {
      if (!(error instanceof BadInput)) throw error;
      process.stderr.write(`${error.message}\n`);
      return exitCodes["bad-input"];
    }
    return runFiles(positionals, chosen);
  },
};

async function choose(values: Values): Promise<RunFilesOptions> {
  const given = [
    ...(values.parameters === undefined ? [] : [await readParameters(values.parameters)]),
    ...(values.parameter ?? []).map(parseParameter),
  ];
  return {
    out: values.out,
    ...(await kernels(values)),
    jobs: readCount("--jobs", values.jobs, 1),
    retries: readCount("--retries", values.retries, 0),
    outputBytes: readBytes("--max-output", values["max-output"]),
    ...(values["cell-timeout"] !== undefined && { cellSeconds: readNumber("--cell-timeout", values["cell-timeout"]) }),
    ...(values.timeout !== undefined && { notebookSeconds: readNumber("--timeout", values.timeout) }),
    ...(given.length > 0 && { parameters: Object.assign({}, ...given) }),
    ...(values.check && { check: { tolerance: readNumber("--tolerance", values.tolerance) } }),
    ...(values.cache && { cache: runCache() }),
    ...(values.junit !== undefined && { junit: values.junit }),
    annotate: values.github || process.env.GITHUB_ACTIONS === "true",
    signal: stopOnSignals(),
    results: process.stdout,
    progress: process.stderr,
  };
}

/**
 * A kernel in this process where its files are to be found from here, and in a process of its own elsewhere, or where its
 * memory has a limit; or a server's.
 */
async function kernels(values: Values): Promise<Pick<RunFilesOptions, "kernels" | "kernelName" | "reuseKernels">> {
  if (values.server !== undefined) {
    const { server, token = process.env.JUPYTER_TOKEN ?? "", "server-path": base } = values;
    const kernels = (workingDirectory: string) => serverKernels(server, token, folderOnServer(workingDirectory, base));
    return { kernels, kernelName: await findKernelName(kernels(process.cwd())) };
  }
  const memory = values.memory === undefined ? undefined : readBytes("--memory", values.memory);
  const start = (workingDirectory: string) =>
    memory === undefined && workingDirectory === process.cwd()
      ? startSession({ workingDirectory })
      : new ProcessSession({ workingDirectory, limits: memory === undefined ? {} : { memoryBytes: memory } });
  return {
    kernels: (workingDirectory) => inProcessKernels(() => start(workingDirectory)),
    kernelName: inProcessKernelName,
    reuseKernels: true,
  };
}

/** What a server calls a folder of ours; one that does not lie in ours has no name there but that of ours. */
function folderOnServer(folder: string, base: string): string {
  const inside = relative(process.cwd(), folder);
  const isInside = !isAbsolute(inside) && inside.split(sep)[0] !== "..";
  return posix.join(base, ...(isInside ? inside.split(sep) : []));
}

function refuse(message: string): number {
  process.stderr.write(`${message}\n\n${help}`);
  return exitCodes["bad-input"];
}

/** The first signal interrupts the running cell, so that what there is gets written; the second ends the process. */
function stopOnSignals(): AbortSignal {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return controller.signal;
}
