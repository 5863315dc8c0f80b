import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

/** A Jupyter server with JupyterLab and, where it is installed, Notebook; nothing of the user's is read or written. */
export interface JupyterServer {
  /** `http://…`, without a slash at its end. */
  readonly address: string;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  return new Promise((found) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => found(port));
    });
  });
}

/**
 * Starts a server on `folder`: notebooks lie in its `notebooks/`, kernels and extensions in its `data/`.
 *
 * @param python an interpreter that has the package jupyterlab
 */
export async function startJupyter(python: string, folder: string): Promise<JupyterServer> {
  for (const name of ["data", "config", "runtime", "notebooks"]) mkdirSync(join(folder, name), { recursive: true });
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const options = [
    "-m",
    "jupyterlab",
    "--no-browser",
    "--allow-root",
    "--ip=127.0.0.1",
    `--port=${port}`,
    "--ServerApp.port_retries=0",
    "--IdentityProvider.token=",
    "--LabApp.news_url=None",
    `--ServerApp.root_dir=${join(folder, "notebooks")}`,
  ];
  const server = spawn(python, options, {
    env: {
      ...process.env,
      JUPYTER_DATA_DIR: join(folder, "data"),
      JUPYTER_CONFIG_DIR: join(folder, "config"),
      JUPYTER_RUNTIME_DIR: join(folder, "runtime"),
      JUPYTERLAB_SETTINGS_DIR: join(folder, "config/settings"),
      JUPYTERLAB_WORKSPACES_DIR: join(folder, "config/workspaces"),
      // Inside a virtual environment, Jupyter would look there first for kernels.
      JUPYTER_PREFER_ENV_PATH: "0",
      XDG_DATA_HOME: folder,
    },
    stdio: "ignore",
  });
  const stop = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = new Promise((done) => server.once("exit", done));
    server.kill("SIGKILL");
    await ended;
  };
  for (let attempt = 0; ; attempt++) {
    const answer = await fetch(`${address}/api`).catch(() => null);
    if (answer?.ok) return { address, stop };
    if (attempt > 240) {
      await stop();
      throw new Error("jupyter: must answer within two minutes, got silence");
    }
    await new Promise((later) => setTimeout(later, 500));
  }
}
