import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { View } from "./accumulate.ts";
import { type Drawn, drawShare, type Share } from "./draw-share.ts";
import type { Scene } from "./scene.ts";
import type { EdgeRun } from "./vertex-graph.ts";

/** Fewer edges than this are drawn sooner than a thread starts. */
const worthThreads = 1_000_000;
/** Points are shared out among the edges: millions of edges make a curve of three each, thousands need more to be seen. */
const pointsInAll = 3e8;
const fewestPoints = 3;
const mostPoints = 1200;
/** Every thread needs 48 bytes a pixel of its own. */
const mostThreads = 4;

/**
 * Draws the edges of a scene in a view, in several threads. The sums are of integers, and so the same for any number of
 * threads.
 *
 * @param threads how many threads; by default as many as there are cores, at most four
 */
export async function drawScene(scene: Scene, edges: readonly EdgeRun[], view: View, threads?: number): Promise<Drawn> {
  const count = edges.reduce((sum, { starts }) => sum + starts[starts.length - 1] - starts[0], 0);
  const wanted = threads ?? (count < worthThreads ? 1 : Math.min(mostThreads, availableParallelism()));
  const { x, y, unitOf, units, width, height } = scene;
  const share: Share = {
    scene: { x, y, unitOf, units, width, height },
    edges: wanted === 1 ? edges : edges.map(shareRun),
    view,
    pointsPerCurve: Math.max(fewestPoints, Math.min(mostPoints, Math.round(pointsInAll / Math.max(1, count)))),
    next: new Int32Array(new SharedArrayBuffer(4)),
  };
  if (wanted === 1) return drawShare(share);
  const drawn = await Promise.all(Array.from({ length: wanted }, () => drawInThread(share)));
  const [first, ...others] = drawn;
  for (const { light, edges: counts } of others) {
    for (let channel = 0; channel < light.length; channel++) first.light[channel] += light[channel];
    first.edges.lines += counts.lines;
    first.edges.curves += counts.curves;
    first.edges.outside += counts.outside;
  }
  return first;
}

function drawInThread(share: Share): Promise<Drawn> {
  return new Promise((done, fail) => {
    const worker = new Worker(new URL("./draw-thread.js", import.meta.url), { workerData: share });
    worker.once("message", done);
    worker.once("error", fail);
    worker.once("exit", (code) =>
      fail(new Error(`internal: a drawing thread must answer before it ends, got ${code}`)),
    );
  });
}

/** The same run in shared memory: copied only if it is not there yet. */
function shareRun({ firstVertex, starts, producers }: EdgeRun): EdgeRun {
  return { firstVertex, starts: shareNumbers(starts), producers: shareNumbers(producers) };
}

function shareNumbers(numbers: Uint32Array): Uint32Array {
  if (numbers.buffer instanceof SharedArrayBuffer) return numbers;
  const shared = new Uint32Array(new SharedArrayBuffer(numbers.byteLength));
  shared.set(numbers);
  return shared;
}
