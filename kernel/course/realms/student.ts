// What a student's cells see without an import when they are graded: the library, as in any notebook. Beside that it
// answers, over descriptors 4 to 6, what the process that judges asks about the student's functions and values.
import { Socket } from "node:net";
import vm from "node:vm";
import attachLibrary from "../../preload.ts";
import { type Answer, LineReader, Membrane, writeLineSync } from "./membrane.ts";
import { decode, type Reply, type Request } from "./wire.ts";

export * from "../../preload.ts";

/** Requests arrive on the first and are heard between steps; answers and our own requests leave by the second, and what
 * answers those, while we wait, comes in by the third. */
const [requests, answers, replies] = [4, 5, 6];

const evaluate = vm.runInThisContext;
const waiting: (Request | string)[] = [];
let wake: (() => void) | undefined;

const fromGrader = new LineReader(replies);
let lastId = 0;
const membrane: Membrane = new Membrane((request): Answer => {
  const id = --lastId;
  writeLineSync(answers, { id, ...request } as Request);
  for (;;) {
    const line = fromGrader.next();
    if (line === undefined) throw new Error("the grader is gone");
    const message = JSON.parse(line) as Request | Reply;
    if ("op" in message) writeLineSync(answers, membrane.answer(message, resolveName));
    else if (message.id !== id) continue;
    else if ("error" in message) throw decode(message.error, membrane);
    else return message;
  }
}, "open");

function resolveName(name: string): unknown {
  return evaluate(name);
}

function listen(): void {
  const socket = new Socket({ fd: requests, readable: true, writable: false });
  let rest = "";
  socket.setEncoding("utf8");
  socket.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) waiting.push(line.startsWith("{") ? (JSON.parse(line) as Request) : line);
    wake?.();
  });
  socket.on("error", () => {});
  socket.unref();
}

/**
 * Answers the requests of one test, those between the lines `begin N` and `end N`: what stands before them is left from
 * a test that was interrupted. A cell runs this, so that it can be interrupted like one.
 */
async function serve(test: number): Promise<void> {
  for (let begun = false; ; ) {
    const request = waiting.shift();
    if (request === undefined) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    } else if (typeof request === "string") {
      if (request === `end ${test}`) return;
      begun ||= request === `begin ${test}`;
    } else if (begun) {
      writeLineSync(answers, await membrane.answerLater(request, resolveName));
    }
  }
}

export default function attach(environment: Parameters<typeof attachLibrary>[0]): void {
  attachLibrary(environment);
  Object.defineProperty(globalThis, "__tessera_serve__", { value: serve });
  listen();
}
