// Executes notebooks with `tessera run` and with nbclient on the same kernel, and compares every output of every cell:
// `node dist/test/kernel/headless/beside-nbclient.js NOTEBOOK…`. Ends with 1 where any differs.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type CodeCell, type Notebook, type Output, readNotebook } from "../../../kernel/headless/index.ts";
import { findPython } from "../../support/environment.ts";
import { executeWithNbclient } from "./nbclient.ts";
import { tessera } from "./run-command.ts";

/** What a comparison found. */
export interface Beside {
  readonly cells: number;
  /** Outputs of all cells, and how many of them were not compared, by the rule that says so. */
  readonly outputs: number;
  readonly exempt: Readonly<Record<"progress" | "ignore-output", number>>;
  /** For each difference the cell's number and both outputs. */
  readonly differences: readonly string[];
}

/** Executes a notebook both ways, each on a kernel of its own. */
export async function besideNbclient(python: string, path: string): Promise<Beside> {
  const out = mkdtempSync(join(tmpdir(), "tessera-beside-"));
  const theirs = join(out, "theirs.ipynb");
  await executeWithNbclient(python, path, theirs, dirname(resolve(path)));
  const { code, stderr } = await tessera(["run", path, "--out", out]);
  if (code !== 0) throw new Error(`tessera run: must execute the notebook, got exit code ${code} (${path}): ${stderr}`);
  return compare(await readNotebook(join(out, basename(path))), await readNotebook(theirs));
}

function compare(ours: Notebook, theirs: Notebook): Beside {
  const [own, other] = [codeCells(ours), codeCells(theirs)];
  const differences: string[] = [];
  const exempt = { progress: 0, "ignore-output": 0 };
  let outputs = 0;
  if (own.length !== other.length) differences.push(`${own.length} cells, nbclient ${other.length}`);
  for (const [index, cell] of own.entries()) {
    const twin = other[index] as CodeCell | undefined;
    outputs += cell.outputs.length;
    const tags = cell.metadata.tags as readonly string[] | undefined;
    if (tags?.includes("ignore-output")) {
      exempt["ignore-output"] += cell.outputs.length;
      continue;
    }
    exempt.progress += cell.outputs.filter(isProgress).length;
    const [was, is] = [comparable(twin?.outputs ?? []), comparable(cell.outputs)];
    for (let at = 0; at < Math.max(was.length, is.length); at++) {
      if (!isDeepStrictEqual(was[at], is[at]))
        differences.push(`cell ${index + 1}, ${firstDifference(is[at], was[at])}`);
    }
    if (cell.execution_count !== twin?.execution_count) differences.push(`cell ${index + 1}, its number`);
  }
  return { cells: own.length, outputs, exempt, differences };
}

function codeCells({ cells }: Notebook): CodeCell[] {
  return cells.filter((cell): cell is CodeCell => cell.cell_type === "code");
}

/** Outputs without bars, which tell times; pieces of one stream, which depend on when the kernel flushed, joined. */
function comparable(outputs: readonly Output[]): Output[] {
  const joined: Output[] = [];
  for (const output of outputs.filter((output) => !isProgress(output))) {
    const last = joined.at(-1);
    if (output.output_type === "stream" && last?.output_type === "stream" && last.name === output.name)
      joined[joined.length - 1] = { ...last, text: last.text + output.text };
    else joined.push(output);
  }
  return joined;
}

function isProgress(output: Output): boolean {
  if (output.output_type !== "display_data" && output.output_type !== "execute_result") return false;
  return (output.metadata.tessera as { progress?: unknown } | undefined)?.progress === true;
}

/** The first place in which two outputs differ, with what stands there. */
function firstDifference(ours: Output | undefined, theirs: Output | undefined): string {
  const [own, other] = [JSON.stringify(ours) ?? "nothing", JSON.stringify(theirs) ?? "nothing"];
  let at = 0;
  while (at < own.length && own[at] === other[at]) at++;
  const around = (text: string): string => text.slice(Math.max(0, at - 60), at + 60);
  return `tessera run: …${around(own)}…, nbclient: …${around(other)}…`;
}

async function main(): Promise<number> {
  const found = findPython("nbclient", "nbformat");
  if ("missing" in found) throw new Error(`nbclient: must be there, got ${found.missing}, name it in TESSERA_PYTHON`);
  let status = 0;
  for (const path of process.argv.slice(2)) {
    const started = performance.now();
    const { cells, outputs, exempt, differences } = await besideNbclient(found.python, path);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    const left = `${exempt.progress} of them progress, ${exempt["ignore-output"]} tagged ignore-output`;
    console.log(
      `${differences.length === 0 ? "equal " : "DIFFER"} ${path}: ${cells} cells, ${outputs} outputs, ${left}, ${seconds} s`,
    );
    for (const line of differences) console.log(`  ${line}`);
    if (differences.length > 0) status = 1;
  }
  return status;
}

if (process.argv[1] === import.meta.filename) process.exitCode = await main();
