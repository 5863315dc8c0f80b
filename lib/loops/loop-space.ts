import type { Shape } from "../tensor/index.ts";
import { type Axis, along, plus, substituted } from "./affine.ts";
import type { Buffer } from "./buffer.ts";
import { mergeAxes } from "./merge.ts";
import type { Nest, Store } from "./nest.ts";
import { type ProductVariant, standardProducts } from "./product-variants.ts";
import { flatIndex, type Piece, type Position } from "./rules/rule.ts";
import { tiled } from "./tiling.ts";

/** Axes over which a group loops, and the position in its shape at which they stand. */
export interface Loops {
  readonly axes: readonly Axis[];
  readonly position: Position;
}

/** Blocks of samples, and how many samples there are in one. */
export interface BlocksOfSamples {
  readonly block: Axis;
  readonly samples: number;
}

const axisNames = ["i", "j", "l", "m", "n", "o", "p", "q"] as const;

export function axesOf(shape: Shape): readonly Axis[] {
  return shape.map((extent, axis): Axis => ({ name: axisNames[axis] ?? `a${axis}`, extent }));
}

/** A loop for each axis of a shape. */
export function plainLoops(shape: Shape): Loops {
  const axes = axesOf(shape);
  return { axes, position: axes.map((axis) => along(axis)) };
}

/**
 * Makes loops over all samples, which are along the first axis, loops over those of one block. Loops over anything else
 * stay: whether loops can be taken block by block is found out from what they touch.
 */
export function inBlocks(cut: BlocksOfSamples | null): (loops: Loops) => Loops {
  const known = new Map<readonly Axis[], readonly Axis[]>();
  return ({ axes, position }) => {
    const [first, ...rest] = axes;
    if (cut === null || first?.extent !== cut.samples * cut.block.extent) return { axes, position };
    // Loops that were over the same axes still are: ranges share what they load.
    const inBlock = known.get(axes) ?? [{ name: first.name, extent: cut.samples }, ...rest];
    known.set(axes, inBlock);
    const by = new Map([[first, plus(along(cut.block, cut.samples), along(inBlock[0]))]]);
    return { axes: inBlock, position: position.map((index) => substituted(index, by)) };
  };
}

/** The loops that put a tensor together from pieces. */
export function assemble(
  name: string,
  buffer: Buffer,
  shape: Shape,
  pieces: readonly Piece[],
  cut: BlocksOfSamples | null,
): Nest[] {
  return pieces.map((piece) => {
    const { axes, position } = inBlocks(cut)(plainLoops(piece.shape));
    const stores = piece.stores.map(({ place, element }) => ({
      buffer,
      index: flatIndex(shape, place(position)),
      value: element(position),
    }));
    return nestOver(name, axes, stores);
  });
}

/** A nest that stores something for every point of some axes. */
export function nestOver(
  name: string,
  axes: readonly Axis[],
  stores: readonly Omit<Store, "depth">[],
  products: ProductVariant = standardProducts,
): Nest {
  const looped = axes.filter(({ extent }) => extent !== 1);
  const atFullDepth = stores.map((store) => ({ ...store, depth: looped.length }));
  return tiled(name, mergeAxes({ axes: looped, stores: atFullDepth }), products);
}

/** Nests that run one after the other inside of loops. */
export function looped(name: string, axes: readonly Axis[], parallel: boolean, inside: readonly Nest[]): Nest {
  const loops = axes.filter(({ extent }) => extent !== 1).map((axis) => ({ axis, tile: 1, parallel }));
  return { name, loops, vector: null, stores: [], inside };
}
