import { type Affine, type Axis, along, at, plus, times } from "../affine.ts";
import type { Buffer } from "../buffer.ts";
import { constant, type Expression, load } from "../expression.ts";
import { nestOver } from "../loop-space.ts";
import type { Nest } from "../nest.ts";

// Tiles lie two elements apart and lanes go along tiles. So pictures are put together with their margin as four planes
// a channel, of even and odd rows and columns: what neighbouring tiles have at the same place are neighbours there. A plane
// is one element wider than there are tiles, and lanes go across the ends of its rows: what they compute there is no tile,
// and nobody reads it.

/** How a sample's planes are laid out. */
export interface PlaneLayout {
  readonly channels: number;
  /** Tiles along rows and columns. */
  readonly tiles: readonly [rows: number, columns: number];
  /** Elements of a row of a plane: the places for tiles, of which the last is none. */
  readonly width: number;
  /** Elements of one sample. */
  readonly perSample: number;
}

/** Samples begin in cache lines of their own. */
const lineElements = 16;

/** The planes for outputs of so many rows and columns, two by two a tile. */
export function planesFor(channels: number, outputSize: readonly number[]): PlaneLayout {
  const tiles = [outputSize[0] / 2, outputSize[1] / 2] as const;
  const width = tiles[1] + 1;
  // The last place that is no tile reaches one element behind the planes.
  const elements = 4 * channels * (tiles[0] + 1) * width + 1;
  return { channels, tiles, width, perSample: lineElements * Math.ceil(elements / lineElements) };
}

/** Planes in scratch memory. */
export interface Planes {
  readonly layout: PlaneLayout;
  readonly buffer: Buffer;
  /** Where the planes of a sample begin. */
  readonly start: Affine;
}

/** Of what planes are put together: a sample's pictures, or some rows of them. */
export interface PlaneSource {
  readonly channels: number;
  /** Rows and columns, which are even. */
  readonly size: readonly number[];
  /** Rows and columns of zeros around them. */
  readonly margin: readonly number[];
  element(channel: Affine, row: Affine, column: Affine): Expression;
  /** Axes along which there are several. */
  readonly axes: readonly Axis[];
}

const phases = [0, 1] as const;

/** The loops that put planes together: margins may be left for samples that follow in the same place. */
export interface PlaneNests {
  readonly margins: Nest;
  readonly insides: readonly Nest[];
}

/** The loops that put planes together. */
export function planeNests({ layout, buffer, start }: Planes, source: PlaneSource): PlaneNests {
  const { size, margin, element, axes } = source;
  const everything: Axis = { name: "t", extent: layout.perSample };
  const zeros = { buffer, index: plus(start, along(everything)), value: constant(0) };
  const channel: Axis = { name: "j", extent: source.channels };
  const row: Axis = { name: "l", extent: size[0] / 2 };
  const column: Axis = { name: "m", extent: size[1] / 2 };
  const stores = phases.flatMap((down) =>
    phases.map((right) => {
      const rows = inPhase(row, margin[0], down);
      const columns = inPhase(column, margin[1], right);
      const place = placeIn(layout, { channel: along(channel), row: rows.there, column: columns.there, down, right });
      return { buffer, index: plus(start, place), value: element(along(channel), rows.here, columns.here) };
    }),
  );
  return {
    margins: nestOver("zeros", [...axes, everything], [zeros]),
    insides: [nestOver("copy", [...axes, channel, row, column], stores)],
  };
}

/** Every other row or column of pictures, which is even or odd once they have a margin: where it is, and where it goes. */
function inPhase(axis: Axis, margin: number, phase: number) {
  const first = (phase + margin) % 2;
  return { here: plus(along(axis, 2), at(first)), there: plus(along(axis), at((first + margin - phase) / 2)) };
}

/** An element of a plane: of the even (0) or odd (1) rows, down, and columns, right. */
interface PlaneElement {
  readonly channel: Affine;
  readonly row: Affine;
  readonly column: Affine;
  readonly down: number;
  readonly right: number;
}

/** Where an element lies in its sample. */
function placeIn({ tiles, width }: PlaneLayout, { channel, row, column, down, right }: PlaneElement): Affine {
  const plane = (tiles[0] + 1) * width;
  return plus(times(channel, 4 * plane), times(row, width), column, at((2 * down + right) * plane));
}

/**
 * An element of the 4 × 4 that a tile is made from.
 *
 * @param place which tile: row by row, counted with the places that are none
 */
export function elementOfTile(planes: Planes, channel: Affine, place: Affine, row: number, column: number): Expression {
  const within = placeIn(planes.layout, {
    channel,
    row: at(row >> 1),
    column: plus(place, at(column >> 1)),
    down: row & 1,
    right: column & 1,
  });
  return load(planes.buffer, plus(planes.start, within));
}
