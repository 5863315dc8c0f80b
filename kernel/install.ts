import { existsSync } from "node:fs";
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { homedir, platform } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Everything is found from here, so that the kernel works from any working directory, with a project or without. */
const distribution = fileURLToPath(new URL("..", import.meta.url));
const kernelName = "tessera";

/** What was written where. */
export interface Installed {
  readonly kernelspec: string;
  /** Null where the package was built without the JupyterLab extension. */
  readonly labextension: string | null;
}

/** Jupyter's data folder of the current user, as Jupyter itself finds it. */
export function userDataFolder(): string {
  const { JUPYTER_DATA_DIR: given, APPDATA, XDG_DATA_HOME } = process.env;
  if (given) return given;
  if (platform() === "darwin") return join(homedir(), "Library/Jupyter");
  if (platform() === "win32") return join(APPDATA ?? homedir(), "jupyter");
  return join(XDG_DATA_HOME || join(homedir(), ".local/share"), "jupyter");
}

/** Jupyter's data folder below a prefix, such as a virtual environment. */
export function prefixDataFolder(prefix: string): string {
  return join(prefix, "share/jupyter");
}

/**
 * For the allocator of glibc; others do not read it. By itself it raises its thresholds with each large block that is let
 * go, and what V8's compilers have needed for a moment stays with the process: 6 MB after a thousand cells.
 */
export const allocatorSettings = { MALLOC_TRIM_THRESHOLD_: "131072" };

/** What Jupyter starts, as its documentation of kernelspecs names it. */
export interface Kernelspec {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly display_name: string;
  readonly language: string;
  readonly interrupt_mode: "message";
  readonly metadata: object;
}

/** The kernelspec: what Jupyter starts, by absolute paths only. */
export function kernelspec(): Kernelspec {
  return {
    argv: [process.execPath, join(distribution, "kernel/cli/main.js"), "kernel", "{connection_file}"],
    env: allocatorSettings,
    display_name: "TypeScript (Tessera)",
    language: "typescript",
    interrupt_mode: "message",
    metadata: { debugger: false },
  };
}

/** Writes the kernelspec, its logos, and the JupyterLab extension into a Jupyter data folder. Needs no Python. */
export async function install(dataFolder: string): Promise<Installed> {
  const spec = join(dataFolder, "kernels", kernelName);
  // Nothing of an older version may stay behind.
  await rm(spec, { recursive: true, force: true });
  await mkdir(spec, { recursive: true });
  await cp(join(distribution, "../kernel/assets"), spec, { recursive: true });
  await writeFile(join(spec, "kernel.json"), `${JSON.stringify(kernelspec(), null, 2)}\n`);
  return { kernelspec: spec, labextension: await installExtension(dataFolder) };
}

async function installExtension(dataFolder: string): Promise<string | null> {
  const built = join(distribution, "labextension");
  if (!existsSync(built)) return null;
  const folder = join(dataFolder, "labextensions", kernelName);
  await rm(folder, { recursive: true, force: true });
  await cp(built, folder, { recursive: true });
  return folder;
}
