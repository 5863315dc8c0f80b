import type { CommMessage, CommOpen, ErrorContent, JsonObject, MimeBundle, StreamName } from "../protocol/index.ts";

/** What the worker is given when it starts. */
export interface RealmData {
  readonly workingDirectory: string;
  /** URL of the module whose exports become global; null for none. */
  readonly preload: string | null;
  /** Bare module name → URL: importable by that name from anywhere, and always the same instance. */
  readonly modules: Readonly<Record<string, string>>;
  /** One 32-bit word: 1 while the cell that runs shall stop, as long native steps ask between each other. */
  readonly interruptFlag: SharedArrayBuffer;
  /** One 32-bit word: 1 once code in the worker uses async_hooks, and may no longer be terminated. */
  readonly hooksFlag: SharedArrayBuffer;
  /** One 32-bit word: how much is under way to the kernel; see backlog.ts. */
  readonly backlog: SharedArrayBuffer;
  /** One 32-bit word that wakes a cell waiting for input. */
  readonly inputSignal: SharedArrayBuffer;
  readonly inputPort: MessagePort;
}

/** A cell to run, already translated. */
export interface CellRequest {
  /** Names the cell in every message about it. */
  readonly cell: number;
  /** Its name in stack traces, such as `cell7.ts`. */
  readonly name: string;
  /** As it was typed. */
  readonly source: string;
  /** The cell as a function expression; see ../language/transform.ts. */
  readonly javascript: string;
  /** Names that the cell assigns in the outermost scope. */
  readonly declared: readonly string[];
  readonly sourceMap: string;
  /** Whether `prompt` may ask the reader. */
  readonly allowInput: boolean;
}

/** A question about a value that a cell left: a name of the outermost scope, and keys from there. */
export interface Look {
  readonly path: readonly string[];
}

/** What there is to see of a value without running any code. */
export interface Looked {
  /** `isOwn` for those that are not inherited. */
  readonly members: readonly { readonly text: string; readonly type: "property" | "method"; readonly isOwn: boolean }[];
  /** A few lines about it; null for a function. */
  readonly text: string | null;
}

/** A value as front ends can show it. */
export interface Rendering {
  readonly data: MimeBundle;
  readonly metadata: JsonObject;
}

/** How a cell ended. `result` is null where it ended in no expression, or in one that is undefined. */
export type Outcome =
  | { readonly status: "ok"; readonly result: Rendering | null }
  | ({ readonly status: "error" } & ErrorContent);

/** What the worker is told. */
export type ToRealm =
  | ({ readonly type: "execute" } & CellRequest)
  /** `id` tells interrupts apart; one may be asked for several times. */
  | { readonly type: "interrupt"; readonly id: number }
  | ({ readonly type: "look"; readonly id: number } & Look)
  | ({ readonly type: "comm_open"; readonly buffers: readonly Uint8Array[] } & CommOpen)
  | ({ readonly type: "comm_msg" | "comm_close"; readonly buffers: readonly Uint8Array[] } & CommMessage);

/** What a waiting cell reads from its input port. */
export type InputAnswer = { readonly value: string } | { readonly interrupted: true };

/** What the worker says. `cell` is the one whose code spoke, even when that code outlived it. */
export type FromRealm =
  | { readonly type: "ready"; readonly preloadFailure: string | null }
  | { readonly type: "interrupted"; readonly id: number }
  | { readonly type: "looked"; readonly id: number; readonly found: Looked | null }
  /** A program that no cell waits for in `execSync` or its like has begun, or has ended. */
  | { readonly type: "program"; readonly id: number; readonly runs: boolean }
  | { readonly type: "finished"; readonly cell: number; readonly outcome: Outcome }
  | { readonly type: "stream"; readonly cell: number; readonly name: StreamName; readonly text: string }
  | ({
      readonly type: "display";
      readonly cell: number;
      readonly update: boolean;
      readonly displayId: string | null;
    } & Rendering)
  | { readonly type: "clear"; readonly cell: number; readonly wait: boolean }
  | { readonly type: "input"; readonly cell: number; readonly prompt: string; readonly password: boolean }
  | ({
      readonly type: "comm_open";
      readonly cell: number;
      readonly buffers: readonly Uint8Array[];
      readonly metadata: JsonObject;
    } & CommOpen)
  | ({
      readonly type: "comm_msg" | "comm_close";
      readonly cell: number;
      readonly buffers: readonly Uint8Array[];
    } & CommMessage);
