// The kernel process: sockets and protocol only, never user code.
import { randomUUID } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";
import { allocatorSettings } from "./install.ts";
import { KernelSockets, protocolVersion, readConnectionFile } from "./protocol/index.ts";
import { startSession } from "./session/index.ts";

/** Runs a kernel on the sockets of a connection file until it is shut down. */
export async function runKernel(connectionFile: string): Promise<void> {
  // They were for this process, not for the programs that cells start.
  for (const [name, value] of Object.entries(allocatorSettings)) {
    if (process.env[name] === value) delete process.env[name];
  }
  const sockets = new KernelSockets(readConnectionFile(connectionFile));
  const historyFile = join(process.env.XDG_DATA_HOME ?? join(homedir(), ".local/share"), "tessera/history.jsonl");
  const session = startSession({ workingDirectory: process.cwd(), historyFile });
  session.onMessage((channel, message) => sockets.send(channel, message));
  await sockets.open(
    (channel, message) => session.handle(channel, message),
    () => ({
      msg_id: randomUUID(),
      msg_type: "iopub_welcome",
      session: "",
      username: "kernel",
      date: new Date().toISOString(),
      version: protocolVersion,
    }),
  );
  process.on("SIGINT", () => session.interrupt());
  await Promise.race([session.shutdownRequested, terminated(), orphaned()]);
  await session.shutdown();
  await sockets.close();
  process.exit(0);
}

function terminated(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGTERM", () => resolve());
  });
}

/** Resolves when the process that started the kernel is gone: nobody could stop the kernel any more. */
function orphaned(): Promise<void> {
  const parent = process.ppid;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(timer);
      resolve();
    }, 2000);
    timer.unref();
  });
}
