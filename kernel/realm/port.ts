import { parentPort, workerData } from "node:worker_threads";
import { Backlog } from "./backlog.ts";
import type { FromRealm, RealmData } from "./messages.ts";

if (parentPort === null) throw new Error("internal: the realm runs in a worker thread only");
const port = parentPort;

/** What the worker was given when it started. */
export const realmData = workerData as RealmData;

/** 1 while the cell that runs shall stop. */
export const interruptFlag = new Int32Array(realmData.interruptFlag);

/** Not 0 once code in this worker uses async_hooks. */
export const hooksFlag = new Int32Array(realmData.hooksFlag);

const backlog = new Backlog(realmData.backlog);

/**
 * Tells the kernel something. It arrives at once, even from the middle of a loop that never rests; one that says more than
 * the kernel can hear is made to wait.
 */
export function post(message: FromRealm): void {
  backlog.enter(message);
  port.postMessage(message);
}

/** Hears what the kernel says. */
export function listen(listener: (message: unknown) => void): void {
  port.on("message", listener);
}
