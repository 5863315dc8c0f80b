import { createHook } from "node:async_hooks";
import { Cell, currentCell, runInCell } from "./cell.ts";
import { receiveComm } from "./comms.ts";
import { display, isShown } from "./display.ts";
import { describeError, Interrupted } from "./errors.ts";
import { evaluate } from "./evaluate.ts";
import type { CellRequest, Outcome, Rendering, ToRealm } from "./messages.ts";
import { importModule, notebookMeta, notebookRequire } from "./modules.ts";
import * as notebook from "./notebook.ts";
import { redirectOutput } from "./output.ts";
import { interruptFlag, listen, post, realmData } from "./port.ts";
import { report } from "./progress.ts";
import { render } from "./render.ts";
import { mapStackTraces, rememberSource } from "./sources.ts";

/** What a preloaded module is lent, by a call of its default export. */
export interface NotebookEnvironment {
  readonly report: typeof report;
  readonly interruptFlag: Int32Array;
  readonly display: typeof display;
}

const running = new Set<Cell>();

function finish(cell: Cell, outcome: Outcome): void {
  if (cell.finished) return;
  cell.finished = true;
  running.delete(cell);
  post({ type: "finished", cell: cell.id, outcome });
}

async function execute(request: CellRequest): Promise<void> {
  const cell = new Cell(request.cell, request.name, request.allowInput);
  running.add(cell);
  rememberSource(request.name, request.source, request.sourceMap);
  const evaluation = await runInCell(cell, () => evaluate(request.javascript, request.name));
  if (cell.finished) return;
  const outcome = await runInCell(cell, () => outcomeOf(cell, evaluation));
  finish(cell, outcome);
}

async function outcomeOf(cell: Cell, evaluation: Awaited<ReturnType<typeof evaluate>>): Promise<Outcome> {
  if (evaluation.status === "terminated") return { status: "error", ...describeError(new Interrupted()) };
  try {
    if (evaluation.status === "threw") throw evaluation.error;
    const { value } = cell;
    const result: Rendering | null = value === undefined || isShown(value) ? null : await render(value);
    await Promise.all(cell.drawing);
    return { status: "ok", result };
  } catch (error) {
    return { status: "error", ...describeError(error) };
  } finally {
    cell.value = undefined;
  }
}

function interrupt(): void {
  for (const cell of running) {
    stopTimersOf(cell);
    finish(cell, { status: "error", ...describeError(new Interrupted()) });
  }
  post({ type: "interrupted" });
}

/** Timers that have not fired yet, by the cell that set them: an interrupted cell must not come back. */
const timers = new Map<number, { readonly cell: Cell; readonly timer: NodeJS.Timeout | NodeJS.Immediate }>();

function followTimers(): void {
  createHook({
    init(id, type, _trigger, resource) {
      if (type === "Timeout" || type === "Immediate") {
        timers.set(id, { cell: currentCell(), timer: resource as NodeJS.Timeout });
      }
    },
    destroy(id) {
      timers.delete(id);
    },
  }).enable();
}

function stopTimersOf(stopped: Cell): void {
  for (const { cell, timer } of timers.values()) {
    if (cell !== stopped) continue;
    clearTimeout(timer as NodeJS.Timeout);
    clearImmediate(timer as NodeJS.Immediate);
  }
}

/** What `process.exit` in a cell throws. */
class Exit extends Error {
  override readonly name = "Exit";
  constructor(code: unknown) {
    super(`process.exit(${code ?? ""}) ends the cell; the kernel and its values stay`);
  }
}

function guardProcess(): void {
  process.exit = (code) => {
    throw new Exit(code);
  };
  const tell = (what: string) => (error: unknown) => {
    const { traceback } = describeError(error);
    post({ type: "stream", cell: currentCell().id, name: "stderr", text: `${what}\n${traceback.join("\n")}\n` });
  };
  process.on("uncaughtException", tell("Thrown where no cell could catch it:"));
  process.on("unhandledRejection", tell("A promise was rejected and nobody handled it:"));
}

function defineGlobals(names: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(names)) {
    if (name === "default") continue;
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: false });
  }
}

async function preload(): Promise<string | null> {
  if (realmData.preload === null) return null;
  try {
    const module = (await import(realmData.preload)) as Record<string, unknown>;
    const environment: NotebookEnvironment = { report, interruptFlag, display };
    const { default: attach } = module;
    if (typeof attach === "function") attach(environment);
    defineGlobals(module);
    return null;
  } catch (error) {
    return describeError(error).traceback.join("\n");
  }
}

redirectOutput();
mapStackTraces();
guardProcess();
followTimers();
defineGlobals({ ...notebook, require: notebookRequire });
defineGlobals({
  __tessera__: {
    import: importModule,
    meta: notebookMeta,
    result(value: unknown) {
      currentCell().value = value;
    },
  },
});

// Cells wait for what they may use; interrupts do not wait for anything.
const loaded = preload();
listen((message) => {
  const told = message as ToRealm;
  if (told.type === "interrupt") interrupt();
  else if (told.type === "execute") void loaded.then(() => execute(told));
  else void loaded.then(() => runInCell(currentCell(), () => receiveComm(told)));
});
post({ type: "ready", preloadFailure: await loaded });
