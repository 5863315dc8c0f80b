// What lives here: the worker thread in which user code runs, and all that it can reach: evaluation, interrupts, output,
// display, input, comms, modules, error traces.
// What does not: types (../language) and the protocol's replies (../session).
// Where to go next: realm.ts for the kernel's side, worker.ts for the worker's, notebook.ts for what cells see.
export { excerptOf } from "./excerpt.ts";
export type { CellRequest, Outcome, Rendering } from "./messages.ts";
export { Realm, type RealmEvent, type RealmOptions } from "./realm.ts";
export type { NotebookEnvironment } from "./worker.ts";
