// Every export of this module is visible in a notebook without an import: what the kernel itself offers to cells.
export type { Comm, CommEvent } from "./comms.ts";
export { comms } from "./comms.ts";
export type { Button, Control } from "./controls.ts";
export { controls } from "./controls.ts";
export type { Display, DisplayOptions, Shown } from "./display.ts";
export { clearOutput, display } from "./display.ts";
export type { ProgressOptions } from "./progress.ts";
export { progress } from "./progress.ts";
export { password, prompt } from "./stdin.ts";

/** What the last cell that had a value came to, as in IPython and in Node's console. */
// biome-ignore lint/suspicious/noExplicitAny: every cell gives it another type
export declare let _: any;
