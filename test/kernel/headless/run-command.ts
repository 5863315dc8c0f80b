import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CodeCell, type Notebook, readNotebook, writeNotebook } from "../../../kernel/headless/index.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const command = join(import.meta.dirname, "../../../kernel/cli/main.js");

/** How a command ended, and what it wrote. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `tessera` as a person would, and sends SIGINT once the file `mark` exists. */
export function tessera(
  args: readonly string[],
  { mark, ...options }: { mark?: string; cwd?: string; environment?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, GITHUB_ACTIONS: "", TESSERA_TEST_MARK: mark, ...options.environment };
    const child = spawn(process.execPath, [command, ...args], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
      ...(options.cwd !== undefined && { cwd: options.cwd }),
    });
    const timer = setInterval(() => {
      if (mark === undefined || !existsSync(mark)) return;
      clearInterval(timer);
      child.kill("SIGINT");
    }, 20);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    child.on("close", (code) => {
      clearInterval(timer);
      resolve({ code, stdout, stderr });
    });
  });
}

/** A new folder with these notebooks. */
export function folderWith(notebooks: Readonly<Record<string, Notebook | string>>): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(notebooks)) {
    writeFileSync(join(folder, name), typeof content === "string" ? content : writeNotebook(content));
  }
  return folder;
}

/** The outputs of each code cell of a notebook file. */
export async function outputsIn(path: string): Promise<CodeCell["outputs"][]> {
  const { cells } = await readNotebook(path);
  return cells.filter((cell): cell is CodeCell => cell.cell_type === "code").map(({ outputs }) => outputs);
}
