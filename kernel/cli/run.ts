import { parseArgs } from "node:util";
import { exitCodes, inProcessKernelName, inProcessKernels, runFiles } from "../headless/index.ts";
import { startSession } from "../session/index.ts";
import type { Command } from "./command.ts";

const help = `Usage: tessera run NOTEBOOK… [--out DIR]

Executes each notebook from top to bottom on a kernel of its own, and writes to DIR the executed notebook and an HTML
page that needs no other file. Both are written when a cell fails, too. The outputs of cells tagged "summary" are printed.

  --out DIR   the folder for the results, made where it is missing (default: out)

Cell tags: skip-execution, raises-exception, hide-input, summary.
Exit code: ${exitCodes.ok} all cells ran, ${exitCodes["cell-error"]} a cell failed, ${exitCodes["bad-input"]} bad input, ${exitCodes["kernel-died"]} a kernel died, ${exitCodes.interrupted} interrupted.
`;

/** `tessera run`: executes notebooks without a browser and without Python. */
export const run: Command = {
  usage: "tessera run NOTEBOOK… [--out DIR]",
  summary: "execute notebooks, and write each with its outputs and as a page",
  async run(args) {
    let parsed: { values: { out: string; help: boolean }; positionals: string[] };
    try {
      parsed = parseArgs({
        args,
        allowPositionals: true,
        options: { out: { type: "string", default: "out" }, help: { type: "boolean", short: "h", default: false } },
      });
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
    return runFiles(positionals, {
      out: values.out,
      kernelName: inProcessKernelName,
      kernels: (workingDirectory) => inProcessKernels(() => startSession({ workingDirectory })),
      signal: stopOnSignals(),
      results: process.stdout,
      progress: process.stderr,
    });
  },
};

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
