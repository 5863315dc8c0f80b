import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { install, prefixDataFolder, userDataFolder } from "../install.ts";
import type { Command } from "./command.ts";

export const lab: Command = {
  usage: "tessera lab [ARGUMENTS OF JUPYTER LAB…]",
  summary: "open the notebooks in JupyterLab, installing it beside the project where there is none",
  async run(args) {
    const found = runs("jupyter-lab", ["--version"]);
    const jupyter = found ? { program: "jupyter-lab", folder: userDataFolder() } : installBeside(resolve(".venv"));
    if (jupyter === undefined) return 1;
    const { kernelspec } = await install(jupyter.folder);
    console.log(`kernel: ${kernelspec}`);
    const notebooks = existsSync("notebooks") ? ["notebooks"] : [];
    return follow(jupyter.program, [...notebooks, ...args]);
  },
};

/** Installs JupyterLab into a virtual environment of its own, once. Says what is missing where that is impossible. */
function installBeside(environment: string): { program: string; folder: string } | undefined {
  const bin = join(environment, process.platform === "win32" ? "Scripts" : "bin");
  const program = join(bin, "jupyter-lab");
  const jupyter = { program, folder: prefixDataFolder(environment) };
  if (existsSync(program)) return jupyter;
  const python = ["python3", "python"].find((name) => runs(name, ["--version"]));
  if (python === undefined) {
    console.error(
      "tessera lab: JupyterLab needs Python 3, got neither jupyter-lab nor python3; install Python from https://www.python.org, or run notebooks without either: tessera run NOTEBOOK",
    );
    return undefined;
  }
  console.log(`JupyterLab is not installed; installing it into ${environment} (once, a few minutes)`);
  const made =
    succeeds(python, ["-m", "venv", environment]) &&
    succeeds(join(bin, "python"), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "jupyterlab"]);
  if (made) return jupyter;
  console.error(
    `tessera lab: JupyterLab could not be installed into ${environment}, see above; on Debian and Ubuntu the package python3-venv may be missing. Remove the folder before the next attempt`,
  );
  return undefined;
}

function runs(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}

function succeeds(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: "inherit" }).status === 0;
}

/** Runs a program in the foreground; an interrupt from the terminal is for it to deal with. */
function follow(program: string, args: readonly string[]): Promise<number> {
  const child = spawn(program, args, { stdio: "inherit" });
  const ignore = (): void => {};
  process.on("SIGINT", ignore);
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("exit", (code) => {
      process.off("SIGINT", ignore);
      done(code ?? 1);
    });
  });
}
