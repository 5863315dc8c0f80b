import { abandonWaiting } from "./abandoned.ts";
import { watchAsyncHooks } from "./async-hooks.ts";
import { beginCell, Cell, currentCell, endCell, runningCells } from "./cell.ts";
import { redirectChildProcesses } from "./child-processes.ts";
import { comms, receiveComm } from "./comms.ts";
import { display, isShown } from "./display.ts";
import { describeError } from "./errors.ts";
import { evaluate } from "./evaluate.ts";
import { forgetStack, interruptedOutcome, noteStack } from "./interrupted.ts";
import { look } from "./look.ts";
import { mendAfterTermination, mended } from "./mend.ts";
import type { CellRequest, Outcome, Rendering, ToRealm } from "./messages.ts";
import { importModule, notebookMeta, notebookRequire } from "./modules.ts";
import * as notebook from "./notebook.ts";
import { redirectOutput } from "./output.ts";
import { hooksFlag, interruptFlag, listen, post, realmData } from "./port.ts";
import { report } from "./progress.ts";
import { render } from "./render.ts";
import { mapStackTraces, rememberSource } from "./sources.ts";
import { followTicks } from "./ticks.ts";
import { followTimers, stopTimers } from "./timers.ts";
import { wait, waitEach } from "./waits.ts";

/** What a preloaded module is lent, by a call of its default export. */
export interface NotebookEnvironment {
  readonly report: typeof report;
  readonly interruptFlag: Int32Array;
  readonly display: typeof display;
  readonly comms: typeof comms;
}

function finish(cell: Cell, outcome: Outcome): void {
  if (cell.finished) return;
  cell.finished = true;
  endCell(cell);
  post({ type: "finished", cell: cell.id, outcome });
}

async function execute(request: CellRequest): Promise<void> {
  const { name, javascript, declared } = request;
  const cell = new Cell(request.cell, name, request.allowInput);
  rememberSource(name, request.source, request.sourceMap);
  beginCell(cell);
  let outcome: Outcome;
  try {
    const returned = await evaluate(javascript, declared, name);
    // A promise is of no use to who reads the notebook, and what it comes to would happen after the cell.
    const value = await returned?.value;
    if (value !== undefined) setGlobal("_", value);
    const result: Rendering | null = value === undefined || isShown(value) ? null : await render(value);
    await Promise.all(cell.drawing);
    outcome = { status: "ok", result };
  } catch (error) {
    outcome = { status: "error", ...describeError(error) };
  }
  finish(cell, outcome);
}

/** The interrupt that was asked for last. */
let lastInterrupt = 0;

function interrupt(id: number): void {
  lastInterrupt = id;
  const stopped = runningCells().map((cell) => [cell, interruptedOutcome(cell)] as const);
  stopTimers();
  abandonWaiting();
  for (const [cell, outcome] of stopped) finish(cell, outcome);
  forgetStack();
  mendAfterTermination(() => post({ type: "interrupted", id }));
}

/** What `process.exit` in a cell throws. */
class Exit extends Error {
  override readonly name = "Exit";
  constructor(code: unknown) {
    super(`process.exit(${code ?? ""}) ends the cell; the kernel and its values stay`);
  }
}

function guardProcess(): void {
  // Nothing that a cell could do about it: the kernel itself uses it.
  const { emitWarning } = process;
  process.emitWarning = ((warning: string | Error, ...rest: never[]) => {
    if (!String(warning).includes("vm.USE_MAIN_CONTEXT_DEFAULT_LOADER")) emitWarning(warning, ...rest);
  }) as typeof emitWarning;
  process.exit = (code) => {
    throw new Exit(code);
  };
  const tell = (what: string) => (error: unknown) => {
    const { traceback } = describeError(error);
    post({ type: "stream", cell: currentCell().id, name: "stderr", text: `${what}\n${traceback.join("\n")}\n` });
  };
  const tellThrown = tell("Thrown where no cell could catch it:");
  process.on("uncaughtException", (error) => {
    if (!mended(error)) tellThrown(error);
  });
  process.on("unhandledRejection", tell("A promise was rejected and nobody handled it:"));
}

function setGlobal(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: false });
}

function defineGlobals(names: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(names)) if (name !== "default") setGlobal(name, value);
}

async function preload(): Promise<string | null> {
  if (realmData.preload === null) return null;
  try {
    const module = (await import(realmData.preload)) as Record<string, unknown>;
    const environment: NotebookEnvironment = { report, interruptFlag, display, comms };
    const { default: attach } = module;
    if (typeof attach === "function") attach(environment);
    defineGlobals(module);
    return null;
  } catch (error) {
    return describeError(error).traceback.join("\n");
  }
}

redirectOutput();
redirectChildProcesses();
mapStackTraces();
guardProcess();
followTimers();
followTicks(interruptFlag);
watchAsyncHooks(() => Atomics.store(hooksFlag, 0, 1));
const { dirname: __dirname, filename: __filename } = notebookMeta;
defineGlobals({ ...notebook, require: notebookRequire, __dirname, __filename, _: undefined });
defineGlobals({
  __tessera__: { import: importModule, meta: notebookMeta, wait, waitEach, noteStack },
});

// Cells wait for what they may use; interrupts do not wait for anything.
const loaded = preload();
listen((message) => {
  const told = message as ToRealm;
  const before = lastInterrupt;
  if (told.type === "interrupt") interrupt(told.id);
  else if (told.type === "look") post({ type: "looked", id: told.id, found: look(told) });
  // A cell that was stopped while it waited for the library does not begin any more; the kernel has told so.
  else if (told.type === "execute") void loaded.then(() => (before === lastInterrupt ? execute(told) : undefined));
  else void loaded.then(() => receiveComm(told));
});
post({ type: "ready", preloadFailure: await loaded });
