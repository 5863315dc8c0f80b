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
  readonly #waiting = new Map<number, () => void>();
  #lastId = 0;

  constructor() {
    const session = this.#session;
    session.connect();
    session.on(
      "NodeWorker.attachedToWorker",
      ({ params }: InspectorNotification<NodeWorker.AttachedToWorkerEventDataType>) => {
        this.#sessionIds.set(params.workerInfo.workerId, params.sessionId);
      },
    );
    session.on(
      "NodeWorker.detachedFromWorker",
      ({ params }: InspectorNotification<NodeWorker.DetachedFromWorkerEventDataType>) => {
        for (const [worker, id] of this.#sessionIds) if (id === params.sessionId) this.#sessionIds.delete(worker);
      },
    );
    session.on(
      "NodeWorker.receivedMessageFromWorker",
      ({ params }: InspectorNotification<NodeWorker.ReceivedMessageFromWorkerEventDataType>) => {
        const { id } = JSON.parse(params.message) as { id: number };
        this.#waiting.get(id)?.();
        this.#waiting.delete(id);
      },
    );
    session.post("NodeWorker.enable", { waitForDebuggerOnStart: false });
  }

  /**
   * Runs an expression in the midst of what the worker runs now, or else of the next thing that it begins to run. Of what
   * it comes to nothing is heard.
   */
  interpose(worker: Worker, expression: string): void {
    void this.#ask(worker, "Runtime.evaluate", { expression, silent: true });
  }

  /**
   * Ends what the worker runs now, or else the next thing that it begins to run. Resolves when that has happened; nothing
   * that is begun later is ended.
   */
  terminate(worker: Worker): Promise<void> {
    return this.#ask(worker, "Runtime.terminateExecution");
  }

  #ask(worker: Worker, method: string, params?: object): Promise<void> {
    const sessionId = this.#sessionIds.get(String(worker.threadId));
    if (sessionId === undefined) return Promise.resolve();
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      const message = JSON.stringify({ id, method, params });
      this.#session.post("NodeWorker.sendMessageToWorker", { sessionId, message });
    });
  }

  close(): void {
    this.#session.disconnect();
  }
}
