import { randomUUID } from "node:crypto";
import { type Kernel, ServerConnection } from "@jupyterlab/services";
import type { KernelSession } from "../session/index.ts";
import type { KernelSource } from "./connection.ts";
import { memorySocket } from "./memory-socket.ts";

/** The name under which the in-process source offers its one kernel. */
export const inProcessKernelName = "tessera";

/**
 * A source of kernels without a server, sockets or Python. To @jupyterlab/services it looks like a Jupyter server;
 * requests for kernels end in a table here, and messages pass between the two sides as the objects they are.
 *
 * @param startSession starts a kernel's session, without a transport: one in this process, or the near end of one that
 * lives in another (process-session.ts)
 */
export function inProcessKernels(startSession: () => KernelSession): KernelSource {
  const running = new Map<string, { readonly session: KernelSession }>();
  const kernel = (id: string): { readonly session: KernelSession } => {
    const found = running.get(id);
    if (!found) throw new Error(`internal: no kernel ${id} runs in this process`);
    return found;
  };
  const model = (id: string): Kernel.IModel => ({ id, name: inProcessKernelName });

  const socket = memorySocket(
    (url) => kernel(decodeURIComponent(/api\/kernels\/([^/?]+)/.exec(url)?.[1] ?? "")).session,
  );
  const settings = ServerConnection.makeSettings({
    baseUrl: "http://in-process/",
    wsUrl: "ws://in-process/",
    WebSocket: socket as unknown as typeof WebSocket,
    serializer: { serialize: identity, deserialize: identity },
  });

  return {
    settings,
    kernels: {
      serverSettings: settings,
      async listRunning() {
        return [...running.keys()].map(model);
      },
      async getModel(id) {
        return running.has(id) ? model(id) : undefined;
      },
      async startNew() {
        const id = randomUUID();
        running.set(id, { session: startSession() });
        return model(id);
      },
      async restart(id) {
        await kernel(id).session.restart();
      },
      async interrupt(id) {
        kernel(id).session.interrupt();
      },
      async shutdown(id) {
        const { session } = kernel(id);
        running.delete(id);
        await session.shutdown();
      },
    },
    specs: {
      serverSettings: settings,
      async get() {
        const spec = {
          name: inProcessKernelName,
          language: "typescript",
          display_name: "TypeScript (Tessera)",
          argv: [],
          resources: {},
        };
        return { default: inProcessKernelName, kernelspecs: { [inProcessKernelName]: spec } };
      },
    },
  };
}

/** Takes a message through @jupyterlab/services' serializer as it is. */
// biome-ignore lint/suspicious/noExplicitAny: the serializer's type speaks of bytes; in memory there are none
function identity(message: any): any {
  return message;
}
