// What lives here: what each message makes the kernel do; the queue of cells, history, comms and display.
// What does not: bytes and sockets (../protocol), user code (../realm), types (../language).
// Where to go next: types.ts for the door, session.ts for the way a request travels, handlers.ts for the table.

export { languageOptions, prepareSnapshot } from "./defaults.ts";
export { startSession } from "./session.ts";
export type { KernelSession, MessageListener, SessionOptions } from "./types.ts";
