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
export type DrawnScene = Pick<Scene, "places" | "unitOf" | "units" | "width" | "height">;

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
/** How much brighter than a pixel of a line a point of a curve is. */
const pointWeight = 2;
/** Counts are kept apart for as many colours at a time; points in further ones become light at once. */
const mostPlanes = 12;
/** A count that is higher becomes light at once: it is held in a byte, and must have room for another vertex. */
const highestCount = 255 - vertexWeight;

/**
 * Adds light to a picture: integers only, in doubles that hold them exactly, so that sums do not depend on the order in
 * which edges are drawn, nor on how they are shared out among threads.
 *
 * A pixel that is met is counted in a plane for its colour, and counts become light later: that is one addition rather than
 * three, in one byte rather than 24, so that the pixels around which a run is drawn stay in the processor's cache.
 */
export class Accumulator {
  readonly view: View;
  /** Red, green, blue of each pixel. */
  readonly light: Float64Array<SharedArrayBuffer>;
  readonly drawn: DrawnEdges = { lines: 0, curves: 0, outside: 0 };
  readonly #scene: DrawnScene;
  readonly #pointsPerCurve: number;
  /** The counts of all planes, one plane after the other. */
  readonly #hits: Uint8Array<ArrayBuffer>;
  /** Four of them at a time. */
  readonly #words: Uint32Array<ArrayBuffer>;
  /** Bytes of a plane, whole words. */
  readonly #planeSize: number;
  /** For each row of each plane whether any pixel of it was met. */
  readonly #met: Uint8Array;
  /** The unit whose colour each plane in use has. */
  readonly #unitOfPlane = new Uint32Array(mostPlanes);
  /** The plane of each unit, or -1. */
  readonly #planeOf: Int32Array;
  readonly #sections: readonly SectionRange[];
  #planesInUse = 0;

  /** @param pointsPerCurve how many points a long edge has */
  constructor(scene: DrawnScene, view: View, pointsPerCurve: number) {
    this.view = view;
    this.#scene = scene;
    this.#pointsPerCurve = pointsPerCurve;
    this.light = new Float64Array(new SharedArrayBuffer(24 * view.width * view.height));
    this.#planeSize = 4 * Math.ceil((view.width * view.height) / 4);
    this.#hits = new Uint8Array(mostPlanes * this.#planeSize);
    this.#words = new Uint32Array(this.#hits.buffer);
    this.#met = new Uint8Array(mostPlanes * view.height);
    this.#planeOf = new Int32Array(scene.units.length).fill(-1);
    this.#sections = sectionRanges(scene);
  }

  /**
   * Draws the vertices from `start` to below `end`, all of one unit, and all edges into them. A short edge is a line in
   * the colour of its consumer; a long one is some points on a curve bent toward the middle, each in the colour of one of
   * the ends, the more likely the nearer. Where points fall depends on the numbers of the consumer and of the edge among
   * those into it, so that it does not matter how edges are cut into runs.
   */
  draw(run: EdgeRun, start: number, end: number): void {
    const { places, unitOf, width: sceneWidth, height: sceneHeight } = this.#scene;
    const { zoom, left, top, width, height } = this.view;
    const { starts, producers, firstVertex } = run;
    const points = this.#pointsPerCurve;
    const spacing = 1 / points;
    // So that producers find planes too.
    if (this.#planesInUse > mostPlanes / 2) this.finish();
    const ownPlane = this.#planeFor(unitOf[start]);
    const hits = this.#hits;
    const met = this.#met;
    const planeSize = this.#planeSize;
    const { light } = this;
    const middleX = (sceneWidth / 2) * zoom - left;
    const middleY = (sceneHeight / 2) * zoom - top;
    const bendPerPixel = 0.5 / (Math.max(sceneWidth, sceneHeight) * zoom);
    // Where the view's frame surely does not cut anything off.
    const [insideRight, insideBottom] = [width - 1, height - 1];
    const middleInside = middleX >= 1 && middleY >= 1 && middleX < insideRight && middleY < insideBottom;
    let section = noSection;
    let producerPlane = -1;
    let lines = 0;
    let curves = 0;
    let outside = 0;
    for (let vertex = start; vertex < end; vertex++) {
      const toX = places[2 * vertex] * zoom - left;
      const toY = places[2 * vertex + 1] * zoom - top;
      if (toX >= 0 && toY >= 0 && toX < width && toY < height) {
        this.#count(ownPlane, toX | 0, toY | 0, vertexWeight);
      }
      const toInside = middleInside && toX >= 1 && toY >= 1 && toX < insideRight && toY < insideBottom;
      const firstEdge = starts[vertex - firstVertex];
      const lastEdge = starts[vertex - firstVertex + 1];
      const numberOffset = Math.imul(vertex, 0x9e3779b1) - firstEdge;
      for (let edge = firstEdge; edge < lastEdge; edge++) {
        const producer = producers[edge];
        const fromX = places[2 * producer] * zoom - left;
        const fromY = places[2 * producer + 1] * zoom - top;
        const dx = toX - fromX;
        const dy = toY - fromY;
        const length = Math.max(Math.abs(dx), Math.abs(dy));
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
              this.#count(ownPlane, pixelX | 0, pixelY | 0, 1);
              inside = 1;
            }
            pixelX += stepX;
            pixelY += stepY;
          }
          lines += inside;
          outside += 1 - inside;
          continue;
        }
        if (producer < section.start || producer >= section.end) {
          section = this.#sections[unitOf[producer]];
          producerPlane = this.#planeFor(section.middle);
        }
        // Long edges bend more, so that bundles between the same places follow each other: the curve is
        // from + first · t + second · t², with its control point between the middles of edge and scene.
        const bend = Math.min(0.3, length * bendPerPixel);
        const firstX = (fromX + toX) * (1 - bend) + 2 * middleX * bend - 2 * fromX;
        const firstY = (fromY + toY) * (1 - bend) + 2 * middleY * bend - 2 * fromY;
        const secondX = dx - firstX;
        const secondY = dy - firstY;
        // A curve lies between its ends and its control point.
        const whole = toInside && fromX >= 1 && fromY >= 1 && fromX < insideRight && fromY < insideBottom;
        let bits = seed;
        for (let point = 0; point < points; point++) {
          if (point > 0) bits = point % 3 === 0 ? hash(bits) : bits >>> 10;
          // Ten bits say where between its neighbours the point lies, the same ones stirred in which colour.
          const along = (point + (bits & 1023) * 0.0009765625) * spacing;
          const pixelX = fromX + (firstX + secondX * along) * along;
          const pixelY = fromY + (firstY + secondY * along) * along;
          if (!whole && !(pixelX >= 0 && pixelY >= 0 && pixelX < width && pixelY < height)) continue;
          inside = 1;
          // 1 in the consumer's colour, 0 in the producer's: by arithmetic, as no processor could foretell a jump.
          const nearer = ((Math.imul(bits, 0x9e3779b1) >>> 22) - (Math.ceil(along * 1024) | 0)) >>> 31;
          const plane = producerPlane + Math.imul(nearer, ownPlane - producerPlane);
          const row = pixelY | 0;
          const pixel = Math.imul(row, width) + (pixelX | 0);
          if (plane < 0) {
            const [red, green, blue] = this.#scene.units[section.middle].color;
            light[3 * pixel] += pointWeight * red;
            light[3 * pixel + 1] += pointWeight * green;
            light[3 * pixel + 2] += pointWeight * blue;
            continue;
          }
          const place = Math.imul(plane, planeSize) + pixel;
          const count = hits[place] + pointWeight;
          hits[place] = count;
          met[Math.imul(plane, height) + row] = 1;
          if (count > highestCount) this.#light(plane, place);
        }
        curves += inside;
        outside += 1 - inside;
      }
    }
    this.drawn.lines += lines;
    this.drawn.curves += curves;
    this.drawn.outside += outside;
  }

  /** Turns all counts into light; to be called when all is drawn. */
  finish(): void {
    const { width, height } = this.view;
    const words = this.#words;
    for (let plane = 0; plane < this.#planesInUse; plane++) {
      for (let row = 0; row < height; row++) {
        if (this.#met[plane * height + row] === 0) continue;
        this.#met[plane * height + row] = 0;
        const first = plane * this.#planeSize + row * width;
        for (let word = first >> 2, end = Math.ceil((first + width) / 4); word < end; word++) {
          if (words[word] === 0) continue;
          for (let place = 4 * word; place < 4 * word + 4; place++) {
            if (this.#hits[place] > 0) this.#light(plane, place);
          }
        }
      }
      this.#planeOf[this.#unitOfPlane[plane]] = -1;
    }
    this.#planesInUse = 0;
  }

  /** The plane of a unit's colour, or -1 if none is left for it. */
  #planeFor(unit: number): number {
    const known = this.#planeOf[unit];
    if (known >= 0) return known;
    if (this.#planesInUse === mostPlanes) return -1;
    const plane = this.#planesInUse++;
    this.#unitOfPlane[plane] = unit;
    this.#planeOf[unit] = plane;
    return plane;
  }

  #count(plane: number, x: number, y: number, weight: number): void {
    const place = plane * this.#planeSize + y * this.view.width + x;
    const count = this.#hits[place] + weight;
    this.#hits[place] = count;
    this.#met[plane * this.view.height + y] = 1;
    if (count > highestCount) this.#light(plane, place);
  }

  /** Turns the count at a place of a plane into light. */
  #light(plane: number, place: number): void {
    const [red, green, blue] = this.#scene.units[this.#unitOfPlane[plane]].color;
    const count = this.#hits[place];
    const channel = 3 * (place - plane * this.#planeSize);
    this.light[channel] += count * red;
    this.light[channel + 1] += count * green;
    this.light[channel + 2] += count * blue;
    this.#hits[place] = 0;
  }
}

/** The vertices of a section, and the middle one of its units, whose colour stands for all of them where they are read. */
interface SectionRange {
  readonly start: number;
  readonly end: number;
  readonly middle: number;
}

const noSection: SectionRange = { start: 0, end: 0, middle: 0 };

/** The section of each unit. */
function sectionRanges({ units }: DrawnScene): SectionRange[] {
  const ranges: SectionRange[] = [];
  for (let first = 0; first < units.length; ) {
    let end = first + 1;
    while (end < units.length && units[end].section === units[first].section) end++;
    const range = { start: units[first].start, end: units[end - 1].end, middle: (first + end) >> 1 };
    for (let unit = first; unit < end; unit++) ranges.push(range);
    first = end;
  }
  return ranges;
}
