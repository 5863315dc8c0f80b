import { type Affine, type Axis, along, at, divided, plus, substituted, times } from "../affine.ts";
import type { Buffer } from "../buffer.ts";
import { smallestDivisor } from "../divisors.ts";
import { type Expression, load, multiply, reduce } from "../expression.ts";
import { type Loops, looped, nestOver } from "../loop-space.ts";
import { type Nest, threadAxis } from "../nest.ts";
import { type Operand, type Position, remember } from "../rules/rule.ts";
import { productsOfTile, type TileBlocks, tileBlocks } from "./blocks.ts";
import { elementOfTile, type Planes, planeNests, planesFor } from "./planes.ts";
import { type Staged, type StageInput, scratchFor } from "./stages.ts";
import {
  type Tile,
  tileOf,
  transformedSize,
  transformKernel,
  transformOutput,
  transformPicture,
} from "./transforms.ts";

/** Sums over channels and kernels of 3 × 3, one element after the other: convolutions, and gradients of their pictures. */
export interface KernelSums {
  readonly pictures: Operand;
  /** Rows and columns of zeros around the pictures. */
  readonly margin: readonly number[];
  /** Channels of what is computed, and its rows and columns, which are even. */
  readonly channels: number;
  readonly size: readonly number[];
  /** The kernel's element for a channel that is computed and one of the pictures. */
  kernel(channel: Affine, from: Affine, row: number, column: number): Expression;
}

/** Parts into which the samples fall, so that threads can share them evenly. */
const manyParts = 8;

/** The stages of such sums; null where the pictures are too small or too deep for them. */
export function kernelSums(sums: KernelSums, input: StageInput): Staged | null {
  const { pictures, channels, margin, size } = sums;
  const { cut } = input;
  const [samples, from] = pictures.type.shape;
  const layout = planesFor(from, size);
  const blocks = tileBlocks(layout, from + channels, samples, true);
  if (blocks === null) return null;

  // Margins stay as they are from one of a part's samples to the next.
  const many = cut?.samples ?? samples;
  const part: Axis = { name: "i'", extent: smallestDivisor(many, manyParts) };
  const inPart: Axis = { name: "i", extent: many / part.extent };
  const sample = plus(along(part, inPart.extent), along(inPart), cut === null ? at(0) : along(cut.block, cut.samples));
  const block: Axis = { name: "l'", extent: blocks.count };
  const ownPlanes = blocks.ownPlanes || cut !== null;
  const planes: Planes = {
    layout,
    buffer: scratchFor(input, ownPlanes ? layout.perSample : samples * layout.perSample, ownPlanes),
    start: ownPlanes ? along(threadAxis, layout.perSample) : times(sample, layout.perSample),
  };
  const { margins, insides } = planeNests(planes, {
    channels: from,
    size: pictures.type.shape.slice(2),
    margin,
    element: (channel, row, column) => pictures.at([sample, channel, row, column]),
    axes: ownPlanes ? [] : [part, inPart],
  });
  if (!ownPlanes) input.nests.push(margins, ...insides);

  const { inside, tile } = sumsOfTiles(sums, input, planes, { ...blocks, block });
  const [output] = input.operation.outputs;
  return {
    output: {
      type: output.type,
      at: ([, channel, row, column]) => {
        const [down, right] = [row.constant % 2, column.constant % 2];
        // A block's sums lie where those of the block before lay.
        const tileRow = substituted(divided(plus(row, at(-down)), 2), new Map([[block, at(0)]]));
        return tile([channel, tileRow, divided(plus(column, at(-right)), 2)])[down][right];
      },
    },
    spaces: outputSpaces(channels, sample, planes, { ...blocks, block }),
    around(nest) {
      const all = [...inside, nest];
      if (!ownPlanes) return looped(nest.name, [part, inPart, block], true, all);
      const ofSample = [...insides, looped("blocks", [block], true, all)];
      return looped(nest.name, [part], true, [margins, looped("samples", [inPart], true, ofSample)]);
    },
  };
}

/** Blocks of tiles, and the axis that counts those of a sample. */
type CountedBlocks = TileBlocks & { readonly block: Axis };

/** The stages that come to the sums of products of a block's tiles, and a tile of outputs by channel, row and column. */
function sumsOfTiles(sums: KernelSums, input: StageInput, planes: Planes, { places, block }: CountedBlocks) {
  const { channels } = sums;
  const from = planes.layout.channels;
  const kernels = scratchFor(input, productsOfTile * channels * from, false);
  input.nests.push(transformedKernels(sums, from, kernels));
  /** Where a number lies among those of so many products, channels and places, of a thread's own. */
  const among = (products: number, of: number, product: Affine, channel: Affine, place: Affine): Affine =>
    plus(times(product, of * places), times(channel, places), place, along(threadAxis, products * of * places));
  const transformed = scratchFor(input, transformedSize * from * places, true);
  const computed = scratchFor(input, productsOfTile * channels * places, true);

  const place: Axis = { name: "t", extent: places };
  const inner: Axis = { name: "k", extent: from };
  const channel: Axis = { name: "j", extent: channels };
  const product: Axis = { name: "p", extent: transformedSize };
  const inPicture = plus(along(block, places), along(place));
  const elements = tileOf(transformedSize, transformedSize, (row, column) =>
    elementOfTile(planes, along(inner), inPicture, row, column),
  );
  // A row of the transformed tiles after the other: it is multiplied while it is in the nearest cache.
  const inside = transformPicture(elements).flatMap((row, down) => {
    const stores = row.map((value, right) => ({
      buffer: transformed,
      index: among(transformedSize, from, at(right), along(inner), along(place)),
      value,
    }));
    const ofRow = plus(along(product), at(transformedSize * down));
    const factors = multiply(
      load(transformed, among(transformedSize, from, along(product), along(inner), along(place))),
      load(kernels, plus(times(ofRow, channels * from), along(channel, from), along(inner))),
    );
    const sum = {
      buffer: computed,
      index: among(productsOfTile, channels, ofRow, along(channel), along(place)),
      value: reduce("sum", inner, factors, { contracted: true }),
    };
    return [
      nestOver("transform", [inner, place], stores),
      nestOver("products", [product, channel, place], [sum], input.products),
    ];
  });
  const tile = remember(([of, row, column]: Position): Tile => {
    const there = plus(times(row, planes.layout.width), column);
    const sumAt = (down: number, right: number): Expression =>
      load(computed, among(productsOfTile, channels, at(transformedSize * down + right), of, there));
    return transformOutput(tileOf(transformedSize, transformedSize, sumAt));
  });
  return { inside, tile };
}

/** The loop that transforms all kernels: sixteen numbers for each pair of channels. */
function transformedKernels({ channels, kernel }: KernelSums, from: number, buffer: Buffer): Nest {
  const channel: Axis = { name: "j", extent: channels };
  const other: Axis = { name: "k", extent: from };
  const tile = transformKernel(tileOf(3, 3, (row, column) => kernel(along(channel), along(other), row, column)));
  const stores = tile.flat().map((value, product) => ({
    buffer,
    index: plus(along(channel, from), along(other), at(product * channels * from)),
    value,
  }));
  return nestOver("transform", [channel, other], stores);
}

/** Loops over the tiles of a block, once for each element of their outputs: they share what they load. */
function outputSpaces(
  channels: number,
  sample: Affine,
  { layout }: Planes,
  { rows, block }: CountedBlocks,
): readonly Loops[] {
  const channel: Axis = { name: "j", extent: channels };
  const row: Axis = { name: "l", extent: rows };
  const column: Axis = { name: "m", extent: layout.tiles[1] };
  const axes = [channel, row, column];
  const tileRow = plus(along(block, 2 * rows), along(row, 2));
  return [0, 1].flatMap((down) =>
    [0, 1].map((right) => ({
      axes,
      position: [sample, along(channel), plus(tileRow, at(down)), plus(along(column, 2), at(right))],
    })),
  );
}
