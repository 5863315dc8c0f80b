import { type InspectorNotification, type NodeWorker, Session } from "node:inspector";
import type { Worker } from "node:worker_threads";

/**
 * Breaks into a worker's JavaScript wherever it is, and leaves the worker alive: V8 ends what runs as if it had thrown
 * something that nothing can catch. Reached by the inspector's back door to workers, since `worker.terminate` would lose
 * the worker with all of its values.
 */
export class Terminator {
  readonly #session = new Session();
  readonly #sessionIds = new Map<string, string>();
  #lastId = 0;

  constructor() {
    this.#session.connect();
    this.#session.on(
      "NodeWorker.attachedToWorker",
      ({ params }: InspectorNotification<NodeWorker.AttachedToWorkerEventDataType>) => {
        this.#sessionIds.set(params.workerInfo.workerId, params.sessionId);
      },
    );
    this.#session.on(
      "NodeWorker.detachedFromWorker",
      ({ params }: InspectorNotification<NodeWorker.DetachedFromWorkerEventDataType>) => {
        for (const [worker, session] of this.#sessionIds) {
          if (session === params.sessionId) this.#sessionIds.delete(worker);
        }
      },
    );
    this.#session.post("NodeWorker.enable", { waitForDebuggerOnStart: false });
  }

  /** Ends what the worker is running now. Does nothing to a worker that is gone. */
  terminate(worker: Worker): void {
    const sessionId = this.#sessionIds.get(String(worker.threadId));
    if (sessionId === undefined) return;
    const message = JSON.stringify({ id: ++this.#lastId, method: "Runtime.terminateExecution" });
    this.#session.post("NodeWorker.sendMessageToWorker", { sessionId, message });
  }

  close(): void {
    this.#session.disconnect();
  }
}
