import type { Duplex } from "node:stream";
import type { Message } from "../protocol/index.ts";

/** What passes between the two ends of a kernel in another process. */
export type KernelLine =
  | { readonly kind: "message"; readonly channel: "shell" | "control" | "stdin" | "iopub"; readonly message: Message }
  | { readonly kind: "interrupt" | "restart" | "restarted" | "shutdown" };

/** A line longer than this is no message: a cell that shows that much has lost its reader. */
const longestLine = 256 * 1024 * 1024;

/**
 * Writes a line of JSON; binary buffers go as base64. JSON, and not the serialization of Node's own channel between
 * processes: on that one, a single malformed byte from a cell that found the descriptor ends the reader.
 */
export function writeLine(stream: Duplex, line: KernelLine): void {
  const text = JSON.stringify(line, (_key, value) =>
    value instanceof Uint8Array ? { base64: Buffer.from(value).toString("base64") } : value,
  );
  if (stream.writable) stream.write(`${text}\n`);
}

/** Hears each line; `broken` is called once with the reason when something else arrives. */
export function readLines(stream: Duplex, hear: (line: KernelLine) => void, broken: (reason: string) => void): void {
  let parts: Buffer[] = [];
  let length = 0;
  let isBroken = false;
  const fail = (reason: string): void => {
    isBroken = true;
    parts = [];
    broken(reason);
  };
  const take = (bytes: Buffer): void => {
    let line: KernelLine;
    try {
      line = parseLine(bytes.toString("utf8"));
    } catch {
      fail("what came from the kernel was no message");
      return;
    }
    hear(line);
  };
  stream.on("data", (chunk: Buffer) => {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0 && !isBroken; at = chunk.indexOf(10, from)) {
      take(Buffer.concat([...parts, chunk.subarray(from, at)]));
      parts = [];
      length = 0;
      from = at + 1;
    }
    if (isBroken) return;
    parts.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > longestLine) fail("the kernel sent a message without end");
  });
  stream.on("error", () => {});
}

function parseLine(text: string): KernelLine {
  const line = JSON.parse(text) as KernelLine;
  if (typeof line !== "object" || line === null) throw new SyntaxError("must be an object");
  if (line.kind !== "message") return line;
  const { message, channel } = line;
  if (
    typeof message?.header?.msg_type !== "string" ||
    typeof message.content !== "object" ||
    message.content === null
  ) {
    throw new SyntaxError("must be a message");
  }
  const buffers = ((message.buffers ?? []) as unknown as { base64: string }[]).map(({ base64 }) =>
    Buffer.from(String(base64), "base64"),
  );
  return { kind: "message", channel, message: { ...message, parent_header: message.parent_header ?? {}, buffers } };
}
