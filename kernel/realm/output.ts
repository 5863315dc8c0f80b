import { Console } from "node:console";
import { Writable } from "node:stream";
import type { StreamName } from "../protocol/index.ts";
import { currentCell } from "./cell.ts";
import { post } from "./port.ts";

/**
 * A stream whose text arrives at the front end at once and under the cell that wrote it. It does not go through the queue
 * that Node keeps for streams: a cell that is terminated in the midst of a write would leave it waiting for ever.
 */
class OutputStream extends Writable {
  readonly #name: StreamName;
  readonly #decoder = new TextDecoder();

  constructor(name: StreamName) {
    super({ decodeStrings: false });
    this.#name = name;
  }

  override write(chunk: unknown, ...rest: readonly unknown[]): boolean {
    const [encoding] = rest;
    this.#print(chunk, typeof encoding === "string" ? encoding : "utf8");
    const written = rest.find((one): one is () => void => typeof one === "function");
    if (written !== undefined) process.nextTick(written);
    return true;
  }

  /** What `end` writes. */
  override _write(chunk: unknown, encoding: string, done: () => void): void {
    this.#print(chunk, encoding);
    done();
  }

  #print(chunk: unknown, encoding: string): void {
    if (typeof chunk !== "string" && !(chunk instanceof Uint8Array)) {
      throw new TypeError(`process.${this.#name}: a chunk must be a string or bytes, got ${typeof chunk}`);
    }
    const isText = typeof chunk === "string" && /^utf-?8$/i.test(encoding);
    const text = isText ? chunk : this.#decoder.decode(bytesOf(chunk, encoding), { stream: true });
    if (text !== "") post({ type: "stream", cell: currentCell().id, name: this.#name, text });
  }
}

function bytesOf(chunk: string | Uint8Array, encoding: string): Uint8Array {
  return typeof chunk === "string" ? Buffer.from(chunk, encoding as BufferEncoding) : chunk;
}

/** Sends what is written to stdout and stderr, by `console` and everyone else, to the front end. */
export function redirectOutput(): void {
  for (const name of ["stdout", "stderr"] as const) {
    const stream = new OutputStream(name);
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
