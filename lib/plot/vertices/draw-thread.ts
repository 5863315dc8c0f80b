// The main module of a thread that draws edges.
import { parentPort, workerData } from "node:worker_threads";
import { drawShare, type Share } from "./draw-share.ts";

if (parentPort === null) throw new Error("internal: a drawing thread must be started by drawScene");
parentPort.postMessage(drawShare(workerData as Share));
