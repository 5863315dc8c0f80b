// What tests see without an import when they judge a student's work: the library, untouched by any student's code, and,
// over descriptors 4 to 6, the student's functions and values, which stay in the student's process.
import attachLibrary from "../../preload.ts";
import { type Answer, LineReader, Membrane, writeLineSync } from "./membrane.ts";
import { decode, type Reply, type Request } from "./wire.ts";

export * from "../../preload.ts";

const [requests, answers, replies] = [4, 5, 6];

const fromStudent = new LineReader(answers);
let lastId = 0;
/** How many of the student's calls into our functions are under way: then the student's thread hears only replies. */
let depth = 0;

const membrane: Membrane = new Membrane((request): Answer => {
  const id = ++lastId;
  writeLineSync(depth > 0 ? replies : requests, { id, ...request } as Request);
  for (;;) {
    const line = fromStudent.next();
    if (line === undefined) throw new Error("the student's process is gone");
    const message = parse(line);
    if ("op" in message) {
      depth++;
      try {
        writeLineSync(replies, membrane.answer(message, noName));
      } finally {
        depth--;
      }
      continue;
    }
    // An answer to what was given up, or word from the runner (0) that this one will never come.
    if (message.id !== id && message.id !== 0) continue;
    if ("error" in message) throw decode(message.error, membrane);
    return message;
  }
}, "guarded");

function parse(line: string): Request | Reply {
  try {
    const message = JSON.parse(line) as Request | Reply;
    if (typeof message === "object" && message !== null && typeof message.id === "number") return message;
  } catch {
    // Below.
  }
  throw new Error("the student's process answered something that is no answer");
}

function noName(): never {
  throw new ReferenceError("border: a test has no names for a student");
}

/** Names whose values are the student's: each as it is now, or undefined where the student's code did not get there. */
function bind(name: string): unknown {
  try {
    return membrane.named(name);
  } catch {
    return undefined;
  }
}

export default function attach(environment: Parameters<typeof attachLibrary>[0]): void {
  attachLibrary(environment);
  Object.defineProperty(globalThis, "__tessera_bind__", { value: bind });
}
