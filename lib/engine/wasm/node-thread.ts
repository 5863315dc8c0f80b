// The main module of a pool's thread in Node.
import { parentPort, workerData } from "node:worker_threads";
import type { ThreadStart, ToThread } from "./control.ts";
import { PoolThread } from "./thread.ts";

if (parentPort === null) throw new Error("internal: a pool's thread must be started by its pool");
const port = parentPort;
const thread = new PoolThread(workerData as ThreadStart, (message) => port.postMessage(message));
port.on("message", (message: ToThread) => thread.receive(message));
