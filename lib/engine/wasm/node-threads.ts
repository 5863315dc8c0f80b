import type { Worker } from "node:worker_threads";
import type { FromThread, ThreadStart, ToThread } from "./control.ts";

/** A thread as its pool sees it. */
export interface ThreadHandle {
  post(message: ToThread): void;
  /** Whether the thread keeps the process alive. */
  keepAlive(wanted: boolean): void;
  terminate(): void;
}

/** Starts threads; what differs between Node and a browser. */
export type StartThread = (
  start: ThreadStart,
  receive: (message: FromThread) => void,
  fail: (error: Error) => void,
) => ThreadHandle;

/** Starts threads as workers of Node; also from inside another worker. */
export const startNodeThread: StartThread = (start, receive, fail) => {
  const { Worker } = process.getBuiltinModule("node:worker_threads");
  const worker: Worker = new Worker(new URL("./node-thread.js", import.meta.url), {
    workerData: start,
    name: `tessera ${start.thread}`,
    // Flags such as loaders are for the code of the one who starts us, not for this thread.
    execArgv: [],
  });
  worker.on("message", receive);
  worker.on("error", fail);
  worker.on("exit", (code) => fail(new Error(`thread ${start.thread} ended with code ${code}`)));
  worker.unref();
  return {
    post: (message) => worker.postMessage(message),
    keepAlive: (wanted) => (wanted ? worker.ref() : worker.unref()),
    terminate: () => void worker.terminate(),
  };
};
