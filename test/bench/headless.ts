import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { install, prefixDataFolder } from "../../kernel/install.ts";
import type { Figures, Measured } from "./benchmark.ts";

// Twenty short notebooks of five cells, executed by `tessera run` and, one after the other, by nbclient: on the same
// kernel, and on tslab's. Whole commands, from their start to their end.
const count = 20;
const project = join(import.meta.dirname, "../../..");
const command = join(project, "dist/kernel/cli/main.js");

const cells = (index: number): string[] => [
  `const n = ${index}\nconst xs = Array.from({ length: 1000 }, (_, i) => i * n)`,
  "console.log(xs.length)",
  "function sum(values: number[]): number { return values.reduce((a, b) => a + b, 0) }",
  "console.log(sum(xs))",
  "xs.slice(0, 5).map((x) => x ** 2)",
];

function notebook(index: number, kernel: string): string {
  const code = cells(index).map((source) => ({
    cell_type: "code",
    source,
    metadata: {},
    outputs: [],
    execution_count: null,
  }));
  const kernelspec = { name: kernel, language: "typescript", display_name: kernel };
  return JSON.stringify({ nbformat: 4, nbformat_minor: 4, metadata: { kernelspec }, cells: code });
}

const nbclient = `
import sys, time, glob, nbformat
from nbclient import NotebookClient
started = time.perf_counter()
for path in sorted(glob.glob(sys.argv[1] + "/*.ipynb")):
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, kernel_name=sys.argv[2], timeout=120).execute()
    nbformat.write(notebook, path + ".out")
print(time.perf_counter() - started)
`;

/** Median of three whole runs, as notebooks per second. */
function median(run: () => number): number {
  const seconds = [run(), run(), run()].sort((a, b) => a - b);
  return count / seconds[1];
}

function folderOf(kernel: string): string {
  const folder = mkdtempSync(join(tmpdir(), "tessera-bench-"));
  for (let index = 0; index < count; index++) {
    writeFileSync(join(folder, `notebook-${String(index).padStart(2, "0")}.ipynb`), notebook(index, kernel));
  }
  return folder;
}

function runTessera(jobs: number): number {
  const folder = folderOf("tessera");
  const started = performance.now();
  const args = ["run", join(folder, "*.ipynb"), "--out", join(folder, "out"), "--jobs", String(jobs)];
  const { status, stderr } = spawnSync(process.execPath, [command, ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(`tessera run ended with ${status}: ${stderr}`);
  return (performance.now() - started) / 1000;
}

/** nbclient on a kernel; the reason where it is not there. */
async function peer(kernel: "tessera" | "tslab"): Promise<Figures | string> {
  const python = [process.env.TESSERA_PYTHON, join(project, ".venv/bin/python")].find(
    (path) => path && existsSync(path),
  );
  if (python === undefined) return "absent: no Python in TESSERA_PYTHON or .venv";
  if (spawnSync(python, ["-c", "import nbclient"]).status !== 0) return `absent: ${python} has no nbclient`;
  const prefix = mkdtempSync(join(tmpdir(), "tessera-bench-"));
  const env = { ...process.env, JUPYTER_PATH: prefixDataFolder(prefix) };
  await install(prefixDataFolder(prefix));
  installTslab(prefix);
  return {
    notebooksPerSecond: median(() => {
      const ended = spawnSync(python, ["-c", nbclient, folderOf(kernel), kernel], { encoding: "utf8", env });
      if (ended.status !== 0) throw new Error(`nbclient ended with ${ended.status}: ${ended.stderr}`);
      return Number(ended.stdout.trim().split("\n").at(-1));
    }),
  };
}

/** tslab's kernel as its own installer writes it. */
function installTslab(prefix: string): void {
  const folder = join(prefixDataFolder(prefix), "kernels/tslab");
  mkdirSync(folder, { recursive: true });
  const bin = join(
    project,
    "node_modules/tslab",
    JSON.parse(readFileSync(join(project, "node_modules/tslab/package.json"), "utf8")).bin.tslab,
  );
  const argv = [process.execPath, bin, "kernel", "--config-path", "{connection_file}"];
  writeFileSync(join(folder, "kernel.json"), JSON.stringify({ argv, display_name: "tslab", language: "typescript" }));
}

export async function measure(): Promise<Measured> {
  runTessera(1); // The compiler's snapshot is built by whoever comes first.
  const figures = { notebooksPerSecond: median(() => runTessera(availableParallelism())) };
  return { figures, peers: { nbclient: await peer("tessera"), nbclientWithTslab: await peer("tslab") } };
}
