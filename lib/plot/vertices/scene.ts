import type { Blocks } from "./blocks.ts";
import type { Points } from "./force-layout.ts";
import { hash } from "./hash.ts";
import { unitColors } from "./part-colors.ts";
import type { VertexGraph } from "./vertex-graph.ts";

/** A run of neighbouring vertices of one colour. */
export interface Unit {
  readonly section: number;
  readonly start: number;
  readonly end: number;
  /** Red, green and blue from 0 to 255. */
  readonly color: readonly [number, number, number];
}

/** Where every vertex stands, and in which colour. All arrays are shared, so that threads draw without copies. */
export interface Scene {
  /** x and y of each vertex, one beside the other as they are read together, in pixels of the whole picture. */
  readonly places: Float32Array<SharedArrayBuffer>;
  readonly unitOf: Uint16Array<SharedArrayBuffer>;
  readonly units: readonly Unit[];
  readonly width: number;
  readonly height: number;
  /** Blocks in pixels. */
  readonly blockX: Float64Array;
  readonly blockY: Float64Array;
}

/** Share of the picture's width and height that stays free at each edge. */
const margin = 0.045;

/** Scales blocks to a picture of a width in pixels, and places vertices around the middles of their blocks. */
export function buildScene(graph: VertexGraph, blocks: Blocks, points: Points, width: number): Scene {
  const { blockX, blockY, height } = scaleBlocks(points, width);
  const places = new Float32Array(new SharedArrayBuffer(8 * graph.vertexCount));
  const radii = blockRadii(blockX, blockY, width, height);
  for (let block = 0; block < blocks.count; block++) {
    placeMembers(
      places,
      blocks.starts[block],
      blocks.starts[block + 1],
      block,
      blockX[block],
      blockY[block],
      radii[block],
    );
  }
  const units = divideIntoUnits(graph);
  const unitOf = new Uint16Array(new SharedArrayBuffer(2 * graph.vertexCount));
  for (const [unit, { start, end }] of units.entries()) unitOf.fill(unit, start, end);
  return { places, unitOf, units, width, height, blockX, blockY };
}

/** Fits the blocks into the picture; the few that strayed far are brought back to its margin, so that nothing is cut off. */
function scaleBlocks({ x, y }: Points, width: number): { blockX: Float64Array; blockY: Float64Array; height: number } {
  const [left, right] = middleRange(x);
  const [top, bottom] = middleRange(y);
  const across = Math.max(right - left, 1e-9);
  const inner = width * (1 - 2 * margin);
  const height = Math.round(Math.max(0.45, Math.min(1, (bottom - top) / across)) * inner + 2 * margin * width);
  const scale = Math.min(inner / across, (height - 2 * margin * width) / Math.max(bottom - top, 1e-9));
  const place = (values: Float64Array, middle: number, extent: number): Float64Array =>
    values.map((value) => {
      const edge = 0.4 * margin * width;
      return Math.max(edge, Math.min(extent - edge, (value - middle) * scale + extent / 2));
    });
  return { blockX: place(x, (left + right) / 2, width), blockY: place(y, (top + bottom) / 2, height), height };
}

/** The range that holds all values but one in a thousand at each end. */
function middleRange(values: Float64Array): [number, number] {
  const sorted = values.slice().sort();
  const cut = Math.floor(sorted.length / 1000);
  return [sorted[cut], sorted[sorted.length - 1 - cut]];
}

/** How far a block's members may spread: half of the distance between neighbours, after their number around it. */
function blockRadii(blockX: Float64Array, blockY: Float64Array, width: number, height: number): Float64Array {
  const cell = Math.max(2, width / 200);
  const columns = Math.ceil(width / cell) + 2;
  const counts = new Float64Array(columns * (Math.ceil(height / cell) + 2));
  const cellOf = (block: number): number =>
    (Math.floor(blockY[block] / cell) + 1) * columns + Math.floor(blockX[block] / cell) + 1;
  for (let block = 0; block < blockX.length; block++) counts[cellOf(block)]++;
  return blockX.map((_, block) => {
    const middle = cellOf(block);
    let around = 0;
    for (const row of [-columns, 0, columns]) {
      for (let column = -1; column <= 1; column++) around += counts[middle + row + column] ?? 0;
    }
    return 0.55 * Math.min(width * 0.012, (3 * cell) / Math.sqrt(Math.max(1, around)));
  });
}

/** Places the vertices of a block along the curled branches of a small tree; which branch depends on the number alone. */
function placeMembers(
  places: Float32Array,
  start: number,
  end: number,
  block: number,
  middleX: number,
  middleY: number,
  radius: number,
): void {
  const count = end - start;
  if (count === 1) {
    places[2 * start] = middleX;
    places[2 * start + 1] = middleY;
    return;
  }
  const seed = hash(block);
  const branches = Math.min(count, 5 + (seed % 5));
  const length = Math.ceil(count / branches);
  const turn = (seed / 2 ** 32) * 2 * Math.PI;
  for (let branch = 0; branch < branches; branch++) {
    const angle = turn + (2 * Math.PI * branch) / branches;
    const [cosine, sine] = [Math.cos(angle) * radius, Math.sin(angle) * radius];
    const curl = (((hash(seed + branch) >>> 8) & 255) / 255 - 0.5) * 1.1;
    for (let step = 0, vertex = start + branch; vertex < end; step++, vertex += branches) {
      const along = (step + 0.5) / length;
      const reach = Math.sqrt(along);
      const side = curl * along * along + ((hash(vertex) & 255) / 255 - 0.5) * 0.3 * along;
      places[2 * vertex] = middleX + cosine * reach - sine * side;
      places[2 * vertex + 1] = middleY + sine * reach + cosine * side;
    }
  }
}

/** A section is cut into at most so many units. */
const unitsOfSection = 8;
/** The most sections whose units two bytes a vertex can name. */
export const mostSections = 65_000 / unitsOfSection;

/** Cuts sections into runs whose colours go from shade to shade; runs of one section are equally long. */
function divideIntoUnits({ sections }: VertexGraph): Unit[] {
  const colors = unitColors(sections);
  return sections.flatMap(({ start, end }, section) => {
    const count = Math.max(1, Math.min(unitsOfSection, Math.round((end - start) / 2000)));
    return Array.from({ length: count }, (_, index) => ({
      section,
      start: start + Math.floor(((end - start) * index) / count),
      end: start + Math.floor(((end - start) * (index + 1)) / count),
      color: colors(section, (index + 0.5) / count),
    }));
  });
}
