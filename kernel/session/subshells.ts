import { randomUUID } from "node:crypto";
import { ExecutionQueue } from "./queue.ts";

/** The main shell and its subshells: cells of one wait for each other, cells of two do not. */
export class Shells {
  readonly #main = new ExecutionQueue();
  readonly #subshells = new Map<string, ExecutionQueue>();

  /** The queue of the shell that a request names; undefined for a name that does not exist. */
  find(id: string | null | undefined): ExecutionQueue | undefined {
    return id ? this.#subshells.get(id) : this.#main;
  }

  create(): string {
    const id = randomUUID();
    this.#subshells.set(id, new ExecutionQueue());
    return id;
  }

  /** Takes a subshell away; what waits in it is dropped. Says whether there was one of this name. */
  delete(id: string): boolean {
    this.#subshells.get(id)?.abortWaiting();
    return this.#subshells.delete(id);
  }

  ids(): string[] {
    return [...this.#subshells.keys()];
  }
}
