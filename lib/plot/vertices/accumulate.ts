import { hash } from "./hash.ts";
import type { Scene } from "./scene.ts";
import type { EdgeRun } from "./vertex-graph.ts";

/** The part of the picture that is drawn: a point (x, y) of the scene comes to (x · zoom − left, y · zoom − top). */
export interface View {
  readonly zoom: number;
  readonly left: number;
  readonly top: number;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

/** What one drawing thread reads. */
export type DrawnScene = Pick<Scene, "x" | "y" | "unitOf" | "units" | "width" | "height">;

/** How edges were drawn; their sum is the number of edges. */
export interface DrawnEdges {
  /** Short ones: each pixel on the way. */
  lines: number;
  /** Long ones: points on a curve. */
  curves: number;
  /** Edges of which nothing lies inside of the view. */
  outside: number;
}

/** Shorter edges are drawn pixel by pixel; in pixels of the larger of width and height. */
const longestLine = 12;
/** How much brighter than a pixel of a line a vertex is. */
const vertexWeight = 4;
/** Counts are kept apart for as many colours at a time; further ones become light at once. */
const mostPlanes = 6;
/** Pixels are looked after in squares of 32 by 32. */
const squareBits = 5;

/** How often each pixel was met in one colour. */
interface Plane {
  readonly hits: Uint32Array;
  /** The unit whose colour it is, or -1. */
  unit: number;
}

/**
 * Adds light to a picture: integers only, in doubles that hold them exactly, so that sums do not depend on the order in
 * which edges are drawn, nor on how they are shared out among threads.
 *
 * A pixel that is met is counted in a plane for its colour, which takes one addition rather than three, in a sixth of
 * the memory; when a unit is done, counts become light.
 */
export class Accumulator {
  readonly view: View;
  /** Red, green, blue of each pixel. */
  readonly light: Float64Array<SharedArrayBuffer>;
  readonly drawn: DrawnEdges = { lines: 0, curves: 0, outside: 0 };
  readonly #scene: DrawnScene;
  readonly #pointsPerCurve: number;
  readonly #planes: Plane[] = [];
  /** The plane of each unit, or -1. */
  readonly #planeOf: Int32Array;
  /** For each unit the middle one of its section, whose colour stands for all of them where they are read. */
  readonly #middleOf: Uint32Array;
  /** 1 for each square in which a pixel was met in any plane. */
  readonly #met: Uint8Array;
  readonly #squaresAcross: number;
  #planesInUse = 0;

  /** @param pointsPerCurve how many points a long edge has */
  constructor(scene: DrawnScene, view: View, pointsPerCurve: number) {
    this.view = view;
    this.#scene = scene;
    this.#pointsPerCurve = pointsPerCurve;
    this.light = new Float64Array(new SharedArrayBuffer(24 * view.width * view.height));
    this.#planeOf = new Int32Array(scene.units.length).fill(-1);
    this.#middleOf = middleUnits(scene);
    this.#squaresAcross = (view.width >> squareBits) + 1;
    this.#met = new Uint8Array(this.#squaresAcross * ((view.height >> squareBits) + 1));
  }

  /**
   * Draws the vertices from `start` to below `end`, all of one unit, and all edges into them. A short edge is a line in
   * the colour of its consumer; a long one is some points on a curve bent toward the middle, each in the colour of one of
   * the ends, the more likely the nearer. Where points fall depends on the numbers of the consumer and of the edge among
   * those into it, so that it does not matter how edges are cut into runs.
   */
  draw(run: EdgeRun, start: number, end: number): void {
    const { x, y, unitOf, width: sceneWidth, height: sceneHeight } = this.#scene;
    const { zoom, left, top, width, height } = this.view;
    const { starts, producers, firstVertex } = run;
    const points = this.#pointsPerCurve;
    const spacing = 1 / points;
    const unit = unitOf[start];
    const hits = this.#planeFor(unit)!.hits;
    const middleOf = this.#middleOf;
    const { light } = this;
    const met = this.#met;
    const squaresAcross = this.#squaresAcross;
    const middleX = (sceneWidth / 2) * zoom - left;
    const middleY = (sceneHeight / 2) * zoom - top;
    const bendPerPixel = 0.5 / (Math.max(sceneWidth, sceneHeight) * zoom);
    let producerUnit = unit;
    let producerHits: Uint32Array | undefined = hits;
    let [red, green, blue] = this.#scene.units[unit].color;
    let lines = 0;
    let curves = 0;
    let outside = 0;
    for (let vertex = start; vertex < end; vertex++) {
      const toX = x[vertex] * zoom - left;
      const toY = y[vertex] * zoom - top;
      if (toX >= 0 && toY >= 0 && toX < width && toY < height) {
        hits[(toY | 0) * width + (toX | 0)] += vertexWeight;
        met[((toY | 0) >> squareBits) * squaresAcross + ((toX | 0) >> squareBits)] = 1;
      }
      const firstEdge = starts[vertex - firstVertex];
      const lastEdge = starts[vertex - firstVertex + 1];
      const numberOffset = Math.imul(vertex, 0x9e3779b1) - firstEdge;
      for (let edge = firstEdge; edge < lastEdge; edge++) {
        const producer = producers[edge];
        const fromX = x[producer] * zoom - left;
        const fromY = y[producer] * zoom - top;
        const dx = toX - fromX;
        const dy = toY - fromY;
        const length = Math.max(dx < 0 ? -dx : dx, dy < 0 ? -dy : dy);
        const seed = hash((edge + numberOffset) | 0);
        let inside = 0;
        if (length < longestLine) {
          const pixels = (length | 0) + 1;
          const stepX = dx / pixels;
          const stepY = dy / pixels;
          const shift = seed / 2 ** 32;
          let pixelX = fromX + stepX * shift;
          let pixelY = fromY + stepY * shift;
          for (let pixel = 0; pixel < pixels; pixel++) {
            if (pixelX >= 0 && pixelY >= 0 && pixelX < width && pixelY < height) {
              hits[(pixelY | 0) * width + (pixelX | 0)]++;
              met[((pixelY | 0) >> squareBits) * squaresAcross + ((pixelX | 0) >> squareBits)] = 1;
              inside = 1;
            }
            pixelX += stepX;
            pixelY += stepY;
          }
          lines += inside;
          outside += 1 - inside;
          continue;
        }
        if (unitOf[producer] !== producerUnit) {
          producerUnit = unitOf[producer];
          producerHits = this.#planeFor(middleOf[producerUnit])?.hits;
          [red, green, blue] = this.#scene.units[middleOf[producerUnit]].color;
        }
        // Long edges bend more, so that bundles between the same places follow each other: the curve is
        // from + first · t + second · t², with its control point between the middles of edge and scene.
        const bend = Math.min(0.3, length * bendPerPixel);
        const firstX = (fromX + toX) * (1 - bend) + 2 * middleX * bend - 2 * fromX;
        const firstY = (fromY + toY) * (1 - bend) + 2 * middleY * bend - 2 * fromY;
        const secondX = dx - firstX;
        const secondY = dy - firstY;
        let bits = seed;
        for (let point = 0; point < points; point++) {
          // Ten bits say where between its neighbours the point lies, the same ones stirred in which colour.
          const along = (point + (bits & 1023) * 0.0009765625) * spacing;
          const pixelX = fromX + (firstX + secondX * along) * along;
          const pixelY = fromY + (firstY + secondY * along) * along;
          const nearer = Math.imul(bits, 0x9e3779b1) >>> 22 < along * 1024;
          bits = point % 3 === 2 ? hash(bits) : bits >>> 10;
          if (!(pixelX >= 0 && pixelY >= 0 && pixelX < width && pixelY < height)) continue;
          inside = 1;
          const pixel = (pixelY | 0) * width + (pixelX | 0);
          met[((pixelY | 0) >> squareBits) * squaresAcross + ((pixelX | 0) >> squareBits)] = 1;
          if (nearer) hits[pixel] += 2;
          else if (producerHits !== undefined) producerHits[pixel] += 2;
          else {
            light[3 * pixel] += 2 * red;
            light[3 * pixel + 1] += 2 * green;
            light[3 * pixel + 2] += 2 * blue;
          }
        }
        curves += inside;
        outside += 1 - inside;
      }
    }
    this.drawn.lines += lines;
    this.drawn.curves += curves;
    this.drawn.outside += outside;
  }

  /** Turns all counts into light; to be called after each unit. */
  finish(): void {
    for (const plane of this.#planes.slice(0, this.#planesInUse)) {
      this.#light(plane);
      this.#planeOf[plane.unit] = -1;
      plane.unit = -1;
    }
    this.#planesInUse = 0;
    this.#met.fill(0);
  }

  /** The plane of a unit's colour, if one is left for it. */
  #planeFor(unit: number): Plane | undefined {
    const known = this.#planeOf[unit];
    if (known >= 0) return this.#planes[known];
    const index = this.#planesInUse;
    if (index === mostPlanes) return undefined;
    this.#planesInUse++;
    this.#planes[index] ??= { hits: new Uint32Array(this.view.width * this.view.height), unit };
    this.#planes[index].unit = unit;
    this.#planeOf[unit] = index;
    return this.#planes[index];
  }

  #light({ hits, unit }: Plane): void {
    const [red, green, blue] = this.#scene.units[unit].color;
    const { light } = this;
    const { width, height } = this.view;
    const met = this.#met;
    for (let square = 0; square < met.length; square++) {
      if (met[square] === 0) continue;
      const top = Math.floor(square / this.#squaresAcross) << squareBits;
      const left = (square % this.#squaresAcross) << squareBits;
      const right = Math.min(width, left + (1 << squareBits));
      const bottom = Math.min(height, top + (1 << squareBits));
      for (let row = top; row < bottom; row++) {
        for (let pixel = row * width + left, end = row * width + right; pixel < end; pixel++) {
          const count = hits[pixel];
          if (count === 0) continue;
          light[3 * pixel] += count * red;
          light[3 * pixel + 1] += count * green;
          light[3 * pixel + 2] += count * blue;
          hits[pixel] = 0;
        }
      }
    }
  }
}

function middleUnits({ units }: DrawnScene): Uint32Array {
  const middles = new Uint32Array(units.length);
  for (let first = 0; first < units.length; ) {
    let end = first + 1;
    while (end < units.length && units[end].section === units[first].section) end++;
    middles.fill((first + end) >> 1, first, end);
    first = end;
  }
  return middles;
}
