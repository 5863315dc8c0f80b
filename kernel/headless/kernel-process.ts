// The far end of a kernel in a process of its own: a session whose messages pass as lines through descriptor 3.
import { Socket } from "node:net";
import { type SessionOptions, startSession } from "../session/index.ts";
import { readLines, writeLine } from "./lines.ts";

const session = startSession(JSON.parse(process.argv[2]) as SessionOptions);
const line = new Socket({ fd: 3 });
session.onMessage((channel, message) => writeLine(line, { kind: "message", channel, message }));
readLines(
  line,
  (told) => {
    if (told.kind === "message" && told.channel !== "iopub") session.handle(told.channel, told.message);
    else if (told.kind === "interrupt") session.interrupt();
    else if (told.kind === "restart") void session.restart().then(() => writeLine(line, { kind: "restarted" }));
    else if (told.kind === "shutdown") void session.shutdown().then(() => process.exit(0));
  },
  () => process.exit(1),
);
// Nobody speaks to the kernel any more.
line.on("close", () => process.exit(0));
