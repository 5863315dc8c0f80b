import type { FromThread } from "./control.ts";
import type { StartThread } from "./node-threads.ts";

/**
 * Whether a browser lets us have threads here: memory may be shared only in pages that are isolated from other origins
 * (headers `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`), and only workers
 * may wait, not the page itself.
 */
export function webThreadsAllowed(): boolean {
  return globalThis.crossOriginIsolated === true && "WorkerGlobalScope" in globalThis;
}

/** Starts threads as workers of a browser; `web-thread.js` must lie beside the file that this code is bundled into. */
export const startWebThread: StartThread = (start, receive, fail) => {
  const worker = new Worker(new URL("./web-thread.js", import.meta.url), {
    type: "module",
    name: `tessera ${start.thread}`,
  });
  worker.addEventListener("message", (event: MessageEvent<FromThread>) => receive(event.data));
  worker.addEventListener("error", (event) => fail(new Error(`thread ${start.thread} failed: ${event.message}`)));
  worker.postMessage(start);
  return {
    post: (message) => worker.postMessage(message),
    // A page lives as long as it is shown, whatever its workers do.
    keepAlive: () => {},
    terminate: () => worker.terminate(),
  };
};
