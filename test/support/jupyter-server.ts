import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { install, prefixDataFolder } from "../../kernel/install.ts";
import { projectRoot } from "./environment.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A Jupyter server that knows the kernel under test; nothing of the user's is read or written. */
export interface JupyterServer {
  /** Ends with a slash. */
  readonly url: string;
  stop(): void;
}

/** Python that runs a module and ends with this process, killed or not: the server's kernels end with the server. */
const withParent = join(projectRoot, "test/support/with_parent.py");

/**
 * Starts `jupyter_server`, `jupyterlab` or `kernel_gateway` of that Python on a folder. Resolves when it answers.
 *
 * @param root what the server's file browser shows; made if it is not there
 * @param token empty for none
 */
export async function startJupyter(
  python: string,
  application: "jupyter_server" | "jupyterlab" | "kernel_gateway",
  root: string,
  token: string,
): Promise<JupyterServer> {
  const prefix = temporaryFolder();
  mkdirSync(root, { recursive: true });
  await install(prefixDataFolder(prefix));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const server = [
    "--allow-root",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.open_browser=False",
    "--ServerApp.port_retries=0",
    `--ServerApp.port=${port}`,
    `--ServerApp.root_dir=${root}`,
    `--IdentityProvider.token=${token}`,
    ...(application === "jupyterlab" ? ["--LabApp.news_url=None"] : []),
  ];
  const gateway = [
    "--KernelGatewayApp.port_retries=0",
    `--KernelGatewayApp.port=${port}`,
    `--KernelGatewayApp.auth_token=${token}`,
    "--KernelGatewayApp.max_kernels=1",
  ];
  const options = application === "kernel_gateway" ? gateway : server;
  const env = {
    ...process.env,
    JUPYTER_PATH: prefixDataFolder(prefix),
    JUPYTER_DATA_DIR: join(prefix, "data"),
    JUPYTER_CONFIG_DIR: join(prefix, "config"),
    JUPYTER_RUNTIME_DIR: join(prefix, "runtime"),
    JUPYTERLAB_SETTINGS_DIR: join(prefix, "config/settings"),
    JUPYTERLAB_WORKSPACES_DIR: join(prefix, "config/workspaces"),
    // The kernels' history.
    XDG_DATA_HOME: join(prefix, "data"),
  };
  const child = spawn(python, [withParent, application, ...options], {
    env,
    cwd: root,
    stdio: ["pipe", "ignore", "ignore"],
  });
  const stop = (): void => void child.kill("SIGKILL");
  process.on("exit", stop);
  // A gateway has no status; what it offers, each of them tells.
  await answer(`${url}api/kernelspecs?token=${token}`, child);
  return { url, stop };
}

async function answer(address: string, server: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 1200 && server.exitCode === null; tries++) {
    const response = await fetch(address).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the Jupyter server did not answer within two minutes");
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => listener.once("listening", resolve));
  const { port } = listener.address() as { port: number };
  await new Promise((resolve) => listener.close(resolve));
  return port;
}
