import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { gradeCell, graderCell } from "../../course/index.ts";
import {
  BadInput,
  inProcessKernelName,
  inProcessKernels,
  type Notebook,
  parseNotebook,
  runNotebook,
  startKernel,
} from "../../headless/index.ts";
import { startSession } from "../../session/index.ts";
import type { Command } from "../command.ts";

const help = `Usage: tessera validate NOTEBOOK

For students: runs a notebook from top to bottom as the grader will, and says which of the tests in it fail, and whether
a locked cell was changed. Hidden tests are not in it.
`;

/** `tessera validate`: a student's own check before handing in. */
export const validate: Command = {
  usage: "tessera validate NOTEBOOK",
  summary: "for students: run the tests that a notebook holds",
  async run(args) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { help: { type: "boolean", short: "h", default: false } },
    });
    if (values.help) {
      process.stdout.write(help);
      return 0;
    }
    if (positionals.length !== 1) {
      throw new BadInput(`tessera validate: one notebook must be named, got ${positionals.length}, give its path`);
    }
    const [path] = positionals;
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      throw new BadInput(
        `notebook: the file must be readable, got ${error.code} (${path}), give the path of an .ipynb file`,
      );
    });
    return check(parseNotebook(bytes, path), dirname(resolve(path)));
  },
};

async function check(notebook: Notebook, workingDirectory: string): Promise<number> {
  console.debug = () => {};
  // Every cell runs, whatever became of those before it: each failing test is worth knowing.
  const tolerant = {
    ...notebook,
    cells: notebook.cells.map((cell) => {
      const tags = [...((cell.metadata.tags as string[] | undefined) ?? []), "raises-exception"];
      return cell.cell_type === "code" ? { ...cell, metadata: { ...cell.metadata, tags } } : cell;
    }),
  };
  const kernel = await startKernel(
    inProcessKernels(() => startSession({ workingDirectory })),
    inProcessKernelName,
  );
  const { notebook: executed, outcome, failure } = await runNotebook(tolerant, kernel, { cellSeconds: 60 });
  if (!kernel.isDisposed) await kernel.shutdown();
  let failed = 0;
  for (const [index, cell] of executed.cells.entries()) {
    const grade = gradeCell(cell);
    const id = graderCell(cell)?.id;
    if (grade === null) {
      const error = cell.cell_type === "code" && cell.outputs.find((output) => output.output_type === "error");
      if (error)
        console.log(
          `cell ${index + 1}${id === undefined ? "" : ` (${id})`} ends in an error: ${error.ename}: ${error.evalue}`,
        );
    } else if (grade.score === null || grade.score >= grade.points) {
      console.log(`ok    ${grade.id}${grade.score === null ? ": graded by hand" : ""}`);
    } else {
      failed++;
      console.log(`FAIL  ${grade.id}: ${grade.message}`);
    }
  }
  if (outcome !== "ok" && failure)
    console.log(`stopped at cell ${failure.place.number}: ${failure.ename}: ${failure.evalue}`);
  const isGood = failed === 0 && outcome === "ok";
  console.log(
    isGood ? "Every test in this notebook passes." : `${failed} ${failed === 1 ? "test fails" : "tests fail"}.`,
  );
  return isGood ? 0 : 1;
}
