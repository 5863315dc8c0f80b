import { Accumulator, type DrawnEdges, type DrawnScene, type View } from "./accumulate.ts";
import type { EdgeRun } from "./vertex-graph.ts";

/** What all threads draw together. */
export interface Share {
  readonly scene: DrawnScene;
  readonly edges: readonly EdgeRun[];
  readonly view: View;
  readonly pointsPerCurve: number;
  /** The next unit that nobody has begun. */
  readonly next: Int32Array<SharedArrayBuffer>;
}

/** What a thread has drawn. */
export interface Drawn {
  readonly light: Float64Array<SharedArrayBuffer>;
  readonly edges: DrawnEdges;
}

/** Draws units as long as there are any that nobody has begun. */
export function drawShare({ scene, edges, view, pointsPerCurve, next }: Share): Drawn {
  const accumulator = new Accumulator(scene, view, pointsPerCurve);
  for (let unit = Atomics.add(next, 0, 1); unit < scene.units.length; unit = Atomics.add(next, 0, 1)) {
    const { start, end } = scene.units[unit];
    for (const run of edges) {
      const first = Math.max(start, run.firstVertex);
      const last = Math.min(end, run.firstVertex + run.starts.length - 1);
      if (first < last) accumulator.draw(run, first, last);
    }
    accumulator.finish();
  }
  return { light: accumulator.light, edges: accumulator.drawn };
}
