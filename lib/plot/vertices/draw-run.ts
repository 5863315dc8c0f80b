import { Accumulator, type DrawnEdges, type DrawnScene, type View } from "./accumulate.ts";
import type { EdgeRun } from "./vertex-graph.ts";

/** How many runs a thread is given at first, so that one waits while another is drawn. */
export const runsAtOnce = 2;

/** What an accumulator is made of: all threads draw with the same. */
export interface DrawingSetup {
  readonly scene: DrawnScene;
  readonly view: View;
  readonly pointsPerCurve: number;
}

/** What was drawn, by one thread or by all. */
export interface Drawn {
  /** Red, green and blue of each pixel. */
  readonly light: Float64Array<SharedArrayBuffer>;
  readonly edges: DrawnEdges;
}

/** Draws runs of edges, one after the other. */
export class RunDrawer {
  readonly #accumulator: Accumulator;
  readonly #scene: DrawnScene;

  constructor({ scene, view, pointsPerCurve }: DrawingSetup) {
    this.#scene = scene;
    this.#accumulator = new Accumulator(scene, view, pointsPerCurve);
  }

  /** Draws the vertices of a run and the edges into them, unit by unit. */
  draw(run: EdgeRun): void {
    const { units, unitOf } = this.#scene;
    const end = run.firstVertex + run.starts.length - 1;
    for (let vertex = run.firstVertex; vertex < end; ) {
      const until = Math.min(end, units[unitOf[vertex]].end);
      this.#accumulator.draw(run, vertex, until);
      vertex = until;
    }
  }

  /** The sum of all that was drawn. */
  get drawn(): Drawn {
    this.#accumulator.finish();
    return { light: this.#accumulator.light, edges: this.#accumulator.drawn };
  }
}
