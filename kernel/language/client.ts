import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Language, LanguageOptions, LanguageRequest, LanguageResponse } from "./messages.ts";
import { compilerFlags, snapshotPath, startBuilding } from "./snapshot.ts";

type Answer<Method extends keyof Language> = ReturnType<Language[Method]>;
type Question<Method extends keyof Language> = Parameters<Language[Method]>[0];

interface Waiting {
  readonly request: LanguageRequest;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/**
 * glibc would keep what V8's own compiler gave back: up to a hundred megabytes, in pieces of 32 kB. Pieces of that size
 * are made to go back to the system one by one.
 */
const sparingMemory = { MALLOC_TRIM_THRESHOLD_: "1000000", MALLOC_ARENA_MAX: "2", MALLOC_MMAP_THRESHOLD_: "16384" };

/**
 * The compiler at work in a process of its own, so that it answers while a cell keeps the realm busy and its memory can
 * be lost without losing the notebook's values.
 */
export class LanguageProcess {
  readonly #options: LanguageOptions;
  readonly #waiting = new Map<number, Waiting>();
  /** Undefined between its end and the next question. */
  #child: ChildProcess | undefined;
  #lastId = 0;
  /** Whether this process started from a snapshot, and whether the next one may. */
  #frozen = false;
  #mayFreeze = true;
  #answered = false;

  constructor(options: LanguageOptions) {
    this.#options = options;
    this.#child = this.#start();
  }

  /** Asks one question. Rejects when the process ends before it answers. */
  ask<Method extends keyof Language>(method: Method, parameters: Question<Method>): Promise<Answer<Method>> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      const request = { id, method, parameters } as LanguageRequest;
      this.#waiting.set(id, { request, resolve: resolve as (result: unknown) => void, reject });
      this.#child ??= this.#start();
      // A process that cannot be reached is ending; that is dealt with when it has.
      this.#child.send(request, () => {});
    });
  }

  /** Ends the process; resolves when it is gone. */
  close(): Promise<void> {
    this.#mayFreeze = false;
    this.#frozen = false;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      child.once("exit", () => resolve());
      child.kill("SIGKILL");
    });
  }

  /** From a snapshot the compiler is ready at once; without one it reads all declarations first. */
  #startingPoint(): string[] {
    const blob = snapshotPath(this.#options);
    this.#frozen = this.#mayFreeze && existsSync(blob);
    if (this.#frozen) return ["--snapshot-blob", blob, this.#options.workingDirectory];
    return [fileURLToPath(new URL("process.js", import.meta.url)), JSON.stringify(this.#options)];
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #start(): ChildProcess {
    const child = spawn(process.execPath, [...compilerFlags, ...this.#startingPoint()], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      // Options of Node are meant for the notebook's code, and a snapshot is refused under other ones than its own.
      env: { ...process.env, ...sparingMemory, NODE_OPTIONS: "" },
      // An interrupt from the terminal is meant for the cell.
      detached: true,
    });
    child.on("message", (response: LanguageResponse) => {
      this.#prepareNext();
      const waiting = this.#settle(response.id);
      if ("failure" in response) waiting?.reject(new Error(response.failure));
      else waiting?.resolve(response.result);
    });
    child.on("exit", (code, signal) => {
      if (this.#child === child) this.#child = undefined;
      if (this.#frozen && !this.#answered) this.#startAgain();
      else this.#giveUp(`must outlive its questions, ended (${signal ?? `exit code ${code}`})`);
    });
    return child;
  }

  /** A snapshot that does not even answer once is of no use: the questions go to a compiler that reads everything. */
  #startAgain(): void {
    this.#mayFreeze = false;
    const child = this.#start();
    this.#child = child;
    for (const { request } of this.#waiting.values()) child.send(request, () => {});
  }

  #giveUp(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(`language process: ${why}`));
    this.#waiting.clear();
  }

  /** Once the first question is answered there is time to build the snapshot from which the next kernel starts. */
  #prepareNext(): void {
    if (this.#answered) return;
    this.#answered = true;
    if (this.#frozen || !this.#mayFreeze) return;
    startBuilding(this.#options).catch((error) => console.error(`snapshot: could not be built, got ${error}`));
  }
}
