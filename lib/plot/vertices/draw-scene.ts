import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { View } from "./accumulate.ts";
import { type DrawingSetup, type Drawn, RunDrawer, runsAtOnce } from "./draw-run.ts";
import type { Scene } from "./scene.ts";
import { countEdges, type EdgeRun, type VertexGraph } from "./vertex-graph.ts";

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
export async function drawScene(scene: Scene, graph: VertexGraph, view: View, threads?: number): Promise<Drawn> {
  const count = countEdges(graph);
  const wanted = threads ?? (count < worthThreads ? 1 : Math.min(mostThreads, availableParallelism()));
  const { places, unitOf, units, width, height } = scene;
  const setup: DrawingSetup = {
    scene: { places, unitOf, units, width, height },
    view,
    pointsPerCurve: Math.max(fewestPoints, Math.min(mostPoints, Math.round(pointsInAll / Math.max(1, count)))),
  };
  if (wanted === 1) {
    const drawer = new RunDrawer(setup);
    for (const run of graph.edges) drawer.draw(run);
    return drawer.drawn;
  }
  const runs = graph.edges[Symbol.iterator]();
  const drawn = await Promise.all(Array.from({ length: wanted }, () => drawInThread(setup, runs)));
  const [first, ...others] = drawn;
  for (const { light, edges: counts } of others) {
    for (let channel = 0; channel < light.length; channel++) first.light[channel] += light[channel];
    first.edges.lines += counts.lines;
    first.edges.curves += counts.curves;
    first.edges.outside += counts.outside;
  }
  return first;
}

/** Hands a thread run after run, whenever it asks for one, until there are none left. */
function drawInThread(setup: DrawingSetup, runs: Iterator<EdgeRun>): Promise<Drawn> {
  return new Promise((done, fail) => {
    const worker = new Worker(new URL("./draw-thread.js", import.meta.url), { workerData: setup });
    // A thread that asks again has drawn the oldest of the runs that it was given: the next takes its place.
    const places = Array.from({ length: runsAtOnce }, () => ({
      starts: new SharedNumbers(),
      producers: new SharedNumbers(),
    }));
    let given = 0;
    let told = false;
    worker.on("message", (message: Drawn | null) => {
      if (message !== null) return done(message);
      if (told) return;
      const { value, done: none } = runs.next();
      told = none === true;
      if (none) return worker.postMessage(null);
      const { starts, producers } = places[given++ % runsAtOnce];
      worker.postMessage({ ...value, starts: starts.copy(value.starts), producers: producers.copy(value.producers) });
    });
    worker.once("error", fail);
    worker.once("exit", (code) =>
      fail(new Error(`internal: a drawing thread must answer before it ends, got ${code}`)),
    );
  });
}

/** Numbers that another thread reads, until others are copied to where they are. */
class SharedNumbers {
  #whole = new Uint32Array(new SharedArrayBuffer(0));

  copy(numbers: Uint32Array): Uint32Array {
    const { length } = numbers;
    if (this.#whole.length < length) this.#whole = new Uint32Array(new SharedArrayBuffer(4 * length));
    this.#whole.set(numbers);
    return this.#whole.subarray(0, length);
  }
}
