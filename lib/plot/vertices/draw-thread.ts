// The main module of a thread that draws runs of edges: it asks for one after the other, and answers null with what it drew.
import { parentPort, workerData } from "node:worker_threads";
import { type DrawingSetup, RunDrawer, runsAtOnce } from "./draw-run.ts";
import type { EdgeRun } from "./vertex-graph.ts";

if (parentPort === null) throw new Error("internal: a drawing thread must be started by drawScene");
const port = parentPort;
const drawer = new RunDrawer(workerData as DrawingSetup);
port.on("message", (run: EdgeRun | null) => {
  if (run === null) {
    port.postMessage(drawer.drawn);
    port.close();
    return;
  }
  drawer.draw(run);
  port.postMessage(null);
});
for (let run = 0; run < runsAtOnce; run++) port.postMessage(null);
