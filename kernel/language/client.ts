import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Language, LanguageOptions, LanguageRequest, LanguageResponse } from "./messages.ts";

type Answer<Method extends keyof Language> = ReturnType<Language[Method]>;
type Question<Method extends keyof Language> = Parameters<Language[Method]>[0];

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/**
 * The compiler at work in a process of its own, so that it answers while a cell keeps the realm busy and its memory can
 * be lost without losing the notebook's values.
 */
export class LanguageProcess {
  readonly #options: LanguageOptions;
  readonly #waiting = new Map<number, Waiting>();
  #child: ChildProcess;
  #lastId = 0;
  #closed = false;

  constructor(options: LanguageOptions) {
    this.#options = options;
    this.#child = this.#start();
  }

  /** Asks one question. Rejects when the process ends before it answers. */
  ask<Method extends keyof Language>(method: Method, parameters: Question<Method>): Promise<Answer<Method>> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      const request = { id, method, parameters } as LanguageRequest;
      this.#child.send(request, (error) => {
        if (error) this.#settle(id)?.reject(error);
      });
    });
  }

  /** Ends the process; resolves when it is gone. */
  close(): Promise<void> {
    this.#closed = true;
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      child.once("exit", () => resolve());
      child.kill("SIGKILL");
    });
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #start(): ChildProcess {
    const child = fork(fileURLToPath(new URL("process.js", import.meta.url)), [JSON.stringify(this.#options)], {
      execArgv: [],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      // An interrupt from the terminal is meant for the cell.
      detached: true,
    });
    child.on("message", (response: LanguageResponse) => {
      const waiting = this.#settle(response.id);
      if ("failure" in response) waiting?.reject(new Error(response.failure));
      else waiting?.resolve(response.result);
    });
    child.on("exit", (code, signal) => {
      for (const { reject } of this.#waiting.values()) {
        reject(new Error(`language process: must outlive its questions, ended (${signal ?? `exit code ${code}`})`));
      }
      this.#waiting.clear();
      if (!this.#closed) this.#child = this.#start();
    });
    return child;
  }
}
