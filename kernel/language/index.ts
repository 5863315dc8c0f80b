// What lives here: types. Diagnostics before a cell runs, completion, inspection, and the translation to JavaScript, by
// tslab's converter on stock TypeScript in a process of its own.
// What does not: running the JavaScript (../realm), and the protocol's replies (../session).
// Where to go next: messages.ts for the door, service.ts for what each question does, tslab.ts for the one door to tslab.
export { LanguageProcess } from "./client.ts";
export type { CheckedCell, Completions, Diagnostic, LanguageOptions } from "./messages.ts";
export { buildSnapshot } from "./snapshot.ts";
