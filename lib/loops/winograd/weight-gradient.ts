import { type Affine, type Axis, along, at, plus, times } from "../affine.ts";
import type { Buffer } from "../buffer.ts";
import { largestDivisor } from "../divisors.ts";
import { add, constant, type Expression, load, multiply, reduce } from "../expression.ts";
import { looped, nestOver } from "../loop-space.ts";
import { type Nest, threadAxis } from "../nest.ts";
import { type Operand, type Position, remember } from "../rules/rule.ts";
import { fewestParts, productsOfTile, type TileBlocks, tileBlocks } from "./blocks.ts";
import { elementOfTile, type PlaneLayout, type Planes, planeNests, planesFor } from "./planes.ts";
import { type Staged, type StageInput, scratchFor } from "./stages.ts";
import {
  type Tile,
  tileOf,
  transformedSize,
  transformKernelGradient,
  transformOutputGradient,
  transformPicture,
} from "./transforms.ts";

/** Gradients of kernels of 3 × 3: sums over samples and windows. */
export interface WindowSums {
  readonly pictures: Operand;
  /** Rows and columns of zeros around the pictures. */
  readonly margin: readonly number[];
  /** Gradients of the maps. */
  readonly maps: Operand;
}

/** The sums of all parts must stay in a near cache. */
const mostSumBytes = 1024 * 1024;
/** What a thread transforms before it multiplies: the more, the longer are the sums. */
const mostChunkBytes = 128 * 1024;

/** How the work falls into parts: of the batch, each with sums of its own, or of the filters. */
interface Parts {
  readonly ofBatch: number;
  readonly ofFilters: number;
}

function partsFor(samples: number, filters: number, channels: number): Parts {
  const ofBatch = largestDivisor(samples, fewestParts);
  const bytes = 4 * productsOfTile * filters * channels * ofBatch;
  return ofBatch > 1 && bytes <= mostSumBytes
    ? { ofBatch, ofFilters: 1 }
    : { ofBatch: 1, ofFilters: largestDivisor(filters, fewestParts) };
}

/** The loops of a part of the work, and what they count. */
interface WindowLoops {
  readonly parts: Parts;
  readonly blocks: TileBlocks;
  readonly part: Axis;
  readonly filterPart: Axis;
  /** Samples that are multiplied together, and how many times there are so many in a part, or in a block of samples. */
  readonly within: Axis;
  readonly chunk: Axis;
  readonly block: Axis;
  readonly sample: Affine;
  /** Whether each thread puts the pictures' planes together for itself. */
  readonly ownPlanes: boolean;
}

function loopsFor(samples: number, filters: number, layout: PlaneLayout, cut: StageInput["cut"]): WindowLoops | null {
  // Of blocks of samples the loops over parts are elsewhere.
  const parts = cut === null ? partsFor(samples, filters, layout.channels) : { ofBatch: 1, ofFilters: 1 };
  const channels = layout.channels + filters / parts.ofFilters;
  const blocks = tileBlocks(layout, channels, samples, false);
  if (blocks === null) return null;
  const ofPart = (cut?.samples ?? samples) / parts.ofBatch;
  const bytesOfSample = 4 * transformedSize * blocks.places * channels;
  const together = blocks.count > 1 ? 1 : largestDivisor(ofPart, mostChunkBytes / bytesOfSample);
  const part: Axis = { name: "part", extent: parts.ofBatch };
  const chunk: Axis = { name: "i'", extent: ofPart / together };
  const within: Axis = { name: "i", extent: together };
  const first = cut === null ? along(part, ofPart) : along(cut.block, cut.samples);
  return {
    parts,
    blocks,
    part,
    filterPart: { name: "j'", extent: parts.ofFilters },
    within,
    chunk,
    block: { name: "l'", extent: blocks.count },
    sample: plus(first, along(chunk, together), along(within)),
    // Parts of the filters would each put together the same pictures.
    ownPlanes: cut !== null || (blocks.ownPlanes && parts.ofFilters === 1),
  };
}

/**
 * The stages of such sums; null where the pictures are too small or too deep for them. The order of addition depends on
 * the batch and not on the number of threads.
 */
export function windowSums(sums: WindowSums, input: StageInput): Staged | null {
  const { pictures, maps } = sums;
  const [samples, channels] = pictures.type.shape;
  const [, filters, ...size] = maps.type.shape;
  const { cut } = input;
  // Where sums stay whole, so do the loops over them.
  if (cut !== null && cut.sums === null) return null;
  const loops = loopsFor(samples, filters, planesFor(channels, size), cut);
  if (loops === null) return null;
  const { blocks, part, filterPart, within, chunk, block } = loops;
  const ofPictures = picturePlanes(sums, input, loops);
  const ofMaps = mapPlanes(sums, input, loops);

  const numbers = productsOfTile * filters * channels;
  const parts = cut?.sums?.parts ?? part.extent;
  const buffer = sumsFor(input, numbers, parts);

  const channel: Axis = { name: "k", extent: channels };
  const filter: Axis = { name: "j", extent: filters / filterPart.extent };
  const place: Axis = { name: "t", extent: blocks.places };
  const inPicture = plus(along(block, blocks.places), along(place));
  const pictureTile = tileOf(transformedSize, transformedSize, (row, column) =>
    elementOfTile(ofPictures.planes, along(channel), inPicture, row, column),
  );
  const mapTile = tileOf(2, 2, (row, column) => elementOfTile(ofMaps.planes, along(filter), along(place), row, column));
  const left = transformed(input, [channel, within, place], transformPicture(pictureTile));
  const right = transformed(input, [filter, within, place], transformOutputGradient(mapTile));
  const product: Axis = { name: "p", extent: transformedSize };
  const all: Axis = { name: "t", extent: within.extent * blocks.places };
  const factors = multiply(
    load(left.buffer, left.index(along(product), along(channel), along(all))),
    load(right.buffer, right.index(along(product), along(filter), along(all))),
  );
  const sum = reduce("sum", all, factors, { contracted: true, interleaved: true });
  // A row of the transformed tiles after the other: it is multiplied while it is in the nearest cache.
  const products = left.rows.flatMap((pictureRow, down) => {
    const index = plus(
      along(part, numbers),
      times(plus(along(product), at(transformedSize * down)), filters * channels),
      times(plus(along(filterPart, filter.extent), along(filter)), channels),
      along(channel),
    );
    const store = { buffer, index, value: add(load(buffer, index), sum) };
    return [pictureRow, right.rows[down], nestOver("products", [product, filter, channel], [store], input.products)];
  });

  const { operator, outputs } = input.operation;
  const ofBlocks = looped("blocks", [block], false, [...ofMaps.insides, ...products]);
  const chunks = looped("samples", [chunk], false, [...ofPictures.insides, ofBlocks]);
  input.nests.push(looped(operator, [part, filterPart], true, [...ofPictures.margins, ...ofMaps.margins, chunks]));
  return finished(outputs[0].type, buffer, parts);
}

/** Scratch memory for the sums of all parts, which begin at zero: whoever has the loop over blocks of samples sees to that. */
function sumsFor({ cut, scratch, nests }: StageInput, numbers: number, parts: number): Buffer {
  const bytes = 4 * numbers * parts;
  if (cut !== null) {
    scratch.push({ bytes, perThread: false, sums: numbers });
    return { kind: "scratch", index: scratch.length - 1, dtype: "float32" };
  }
  const buffer = scratchFor({ scratch }, numbers * parts, false);
  const every: Axis = { name: "i", extent: numbers * parts };
  nests.push(nestOver("zeros", [every], [{ buffer, index: along(every), value: constant(0) }]));
  return buffer;
}

/** Planes, and the loops that each thread puts them together with: none where they are put together for all. */
interface PlanesOfThread {
  readonly planes: Planes;
  readonly margins: readonly Nest[];
  readonly insides: readonly Nest[];
}

/** Where the planes of one of the samples that are multiplied together begin among a thread's own. */
function startOfThread({ perSample }: PlaneLayout, { within }: WindowLoops): Affine {
  return plus(along(within, perSample), along(threadAxis, within.extent * perSample));
}

function picturePlanes({ pictures, margin, maps }: WindowSums, input: StageInput, loops: WindowLoops): PlanesOfThread {
  const [samples, channels, ...size] = pictures.type.shape;
  const { part, chunk, within, sample, ownPlanes: own } = loops;
  const layout = planesFor(channels, maps.type.shape.slice(2));
  const planes: Planes = {
    layout,
    buffer: scratchFor(input, (own ? within.extent : samples) * layout.perSample, own),
    start: own ? startOfThread(layout, loops) : times(sample, layout.perSample),
  };
  const { margins, insides } = planeNests(planes, {
    channels,
    size,
    margin,
    element: (channel, row, column) => pictures.at([sample, channel, row, column]),
    axes: own ? [within] : [part, chunk, within],
  });
  if (own) return { planes, margins: [margins], insides };
  input.nests.push(margins, ...insides);
  return { planes, margins: [], insides: [] };
}

/** The maps of a block: they have no margin, so that its rows are all that it needs. */
function mapPlanes({ maps }: WindowSums, input: StageInput, loops: WindowLoops): PlanesOfThread {
  const [, filters, , columns] = maps.type.shape;
  const { parts, blocks, filterPart, within, block, sample } = loops;
  const channels = filters / parts.ofFilters;
  const size = [2 * blocks.rows, columns];
  const layout = planesFor(channels, size);
  const buffer = scratchFor(input, within.extent * layout.perSample, true);
  const planes: Planes = { layout, buffer, start: startOfThread(layout, loops) };
  const { margins, insides } = planeNests(planes, {
    channels,
    size,
    margin: [0, 0],
    element: (filter, row, column) =>
      maps.at([sample, plus(along(filterPart, channels), filter), plus(along(block, size[0]), row), column]),
    axes: [within],
  });
  return { planes, margins: [margins], insides };
}

/** One row of transformed tiles, of a thread's own. */
interface Transformed {
  readonly buffer: Buffer;
  /** Where the number for an element of the row, a channel or filter, and a place lies. */
  index(product: Affine, of: Affine, place: Affine): Affine;
  /** The loops that compute the rows, in the same place. */
  readonly rows: readonly Nest[];
}

/** Transforms the tiles of so many channels or filters, of a few samples and their places. */
function transformed(input: StageInput, axes: readonly [of: Axis, within: Axis, place: Axis], tile: Tile): Transformed {
  const [of, within, place] = axes;
  const places = within.extent * place.extent;
  const numbers = transformedSize * of.extent * places;
  const buffer = scratchFor(input, numbers, true);
  const index = (product: Affine, which: Affine, inPlaces: Affine): Affine =>
    plus(times(product, of.extent * places), times(which, places), inPlaces, along(threadAxis, numbers));
  const here = plus(along(within, place.extent), along(place));
  const rows = tile.map((row) => {
    const stores = row.map((value, right) => ({ buffer, index: index(at(right), along(of), here), value }));
    return nestOver("transform", axes, stores);
  });
  return { buffer, index, rows };
}

/** The kernels' gradients, from the sums of all parts of the batch. */
function finished(type: Operand["type"], sums: Buffer, parts: number): Staged {
  const [filters, channels] = type.shape;
  const numbers = productsOfTile * filters * channels;
  const kernels = remember(([filter, channel]: Position): Tile => {
    const sumOf = (row: number, column: number): Expression => {
      const product = transformedSize * row + column;
      const place = plus(times(filter, channels), channel, at(product * filters * channels));
      return Array.from({ length: parts }, (_, part) => load(sums, plus(place, at(part * numbers)))).reduce(add);
    };
    return transformKernelGradient(tileOf(transformedSize, transformedSize, sumOf));
  });
  const axes: readonly Axis[] = [
    { name: "i", extent: filters },
    { name: "j", extent: channels },
  ];
  const [filter, channel] = axes.map((axis) => along(axis));
  return {
    output: { type, at: ([of, from, row, column]) => kernels([of, from])[row.constant][column.constant] },
    spaces: [0, 1, 2].flatMap((row) =>
      [0, 1, 2].map((column) => ({ axes, position: [filter, channel, at(row), at(column)] })),
    ),
    around: (nest) => nest,
  };
}
