import { Console } from "node:console";
import { Writable } from "node:stream";
import type { StreamName } from "../protocol/index.ts";
import { currentCell } from "./cell.ts";
import { post } from "./port.ts";

/** A stream whose text arrives at the front end at once and under the cell that wrote it. */
function outputStream(name: StreamName): Writable {
  const decoder = new TextDecoder();
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Uint8Array, _encoding, done) {
      const text = typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
      if (text !== "") post({ type: "stream", cell: currentCell().id, name, text });
      done();
    },
  });
}

/** Sends what is written to stdout and stderr, by `console` and everyone else, to the front end. */
export function redirectOutput(): void {
  for (const name of ["stdout", "stderr"] as const) {
    const stream = outputStream(name);
    Object.defineProperty(process, name, { configurable: true, enumerable: true, get: () => stream });
  }
  Object.assign(console, directConsole());
}

/**
 * The methods of a console that only prints. Node's own tells V8's inspector of every call as well, to which the kernel is
 * connected for its interrupts: that takes longer than the printing, and keeps the last thousand values alive.
 */
function directConsole(): Partial<Console> {
  // Our streams never fail, so no call needs to listen for that.
  const methods = Object.entries(new Console({ stdout: process.stdout, stderr: process.stderr, ignoreErrors: false }));
  return Object.fromEntries(methods.filter(([name, method]) => name in console && typeof method === "function"));
}
