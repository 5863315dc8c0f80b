import type { Operation, Value } from "../ir/index.ts";
import { bytesOf, type Shape } from "../tensor/index.ts";
import { type Axis, along, at, plus, times } from "./affine.ts";
import { reductionsIn } from "./analysis.ts";
import { blocked } from "./blocking.ts";
import type { Buffer } from "./buffer.ts";
import { load } from "./expression.ts";
import { assemble, axesOf, inBlocks, type Loops, plainLoops } from "./loop-space.ts";
import { mergeAxes, type Space } from "./merge.ts";
import type { Kernel, Nest, Scratch, Store } from "./nest.ts";
import { productTile } from "./product-tiling.ts";
import { type ProductVariant, standardProducts } from "./product-variants.ts";
import { loopRule } from "./rules/index.ts";
import { flatIndex, type Operand, type Range, remember } from "./rules/rule.ts";
import { type SplitSum, type SumCut, splitSum } from "./sample-sums.ts";
import { tiled } from "./tiling.ts";
import { type Staged, staged } from "./winograd/index.ts";

/** Operations that are computed in one go, and which of their results are kept. */
export interface Group {
  readonly name: string;
  /** In an order in which operands come first; at most one of them is not element-wise. */
  readonly operations: readonly Operation[];
  /** What is kept: of the shape over which the group loops, or of that of its leading axes. */
  readonly writes: readonly Value[];
}

/** A few samples at a time, of which the loop is elsewhere. */
export interface SampleCut {
  /** Counts blocks of samples. */
  readonly block: Axis;
  /** How many samples there are in a block. */
  readonly samples: number;
  /** Scratch buffers that are put together for all samples nevertheless, by index. */
  readonly whole: ReadonlySet<number>;
  /** Whether only what is put together in scratch memory, and sums, are cut, and no loops over what is written. */
  readonly keepsSpaces: boolean;
  /** How sums over samples grow from block to block; null where they stay whole. */
  readonly sums: Pick<SumCut, "parts" | "perSample"> | null;
}

/**
 * The loops of a group, over all samples or over those of one block.
 *
 * @param products how sums of products are tiled
 * @throws Error if a tensor is neither float32 nor int32
 */
export function lowerGroup(
  group: Group,
  cut: SampleCut | null = null,
  products: ProductVariant = standardProducts,
): Kernel {
  const { name } = group;
  const shape = spaceOf(group);
  const anchor = group.operations.find((operation) => isAnchor(operation));
  const family = anchor === undefined ? "map" : loopRule(anchor.operator).family;
  const { produced, nests, scratch, stages } = expressionsOf(group, cut, products);
  // Its pieces have stored all of it.
  if (family === "pieces") return { name, nests, scratch };

  const spaces = stages?.spaces ?? loopSpaces(shape, anchor).map(inBlocks(cut?.keepsSpaces ? null : cut));
  const buffers = group.writes.map(bufferOf);
  const storesAt = ({ axes, position }: Loops): readonly Store[] =>
    group.writes.map((value, index): Store => {
      const { shape: own } = value.type;
      const place = position.slice(0, own.length);
      const operand = produced.get(value.id);
      if (operand === undefined) throw new Error(`internal: ${name} does not compute %${value.id}`);
      const around = own.length === shape.length ? axes : axes.slice(0, own.length);
      return {
        buffer: buffers[index],
        index: flatIndex(own, place),
        value: operand.at(place),
        depth: around.filter(({ extent }) => extent !== 1).length,
      };
    });
  const add = (axes: readonly Axis[], space: Space): void => {
    const looped = mergeAxes(space);
    if (stages !== null) {
      nests.push(stages.around(tiled(name, looped)));
      return;
    }
    const panel: Buffer = { kind: "scratch", index: scratch.length, dtype: "float32" };
    const blocks = blocked(name, looped, panel, products);
    if (blocks !== null) {
      nests.push(...blocks.nests);
      scratch.push({ bytes: blocks.panelBytes, perThread: true });
    } else if (family !== "matmul" || axes[1].extent === 1) nests.push(tiled(name, looped, products));
    else nests.push(productNest(name, axes, space.stores, products));
  };
  for (const { axes, stores } of together(spaces.map((loops) => ({ axes: loops.axes, stores: storesAt(loops) })))) {
    const deepest = stores.reduce((depth, store) => Math.max(depth, store.depth), 0);
    const space = { axes: axes.filter(({ extent }) => extent !== 1).slice(0, deepest), stores };
    const sums: Buffer = { kind: "scratch", index: scratch.length, dtype: "float32" };
    const split = cut === null ? null : splitOverSamples(space, cut, scratch, sums);
    if (split === null) {
      add(axes, space);
      continue;
    }
    const { ofBlock, ofParts, elements } = split;
    scratch.push({ bytes: 4 * elements * (cut?.sums?.parts ?? 1), perThread: false, sums: elements });
    add(axes, ofBlock);
    nests.push(tiled(name, mergeAxes(ofParts)));
  }
  return { name, nests, scratch };
}

/** The one sum over samples of a space as sums of blocks, where the group is cut and such sums may be. */
function splitOverSamples(space: Space, cut: SampleCut, scratch: readonly Scratch[], sums: Buffer): SplitSum | null {
  if (cut.sums === null) return null;
  const { perSample } = cut.sums;
  const batch = cut.samples * cut.block.extent;
  const ofBuffer = (buffer: Buffer): number | undefined => {
    if (buffer.kind === "value") return perSample(buffer);
    return cut.whole.has(buffer.index) ? undefined : scratch[buffer.index].bytes / 4 / batch;
  };
  return splitSum(space, { ...cut, ...cut.sums, perSample: ofBuffer }, sums);
}

/** Spaces over the same axes as one, so that ranges share what they load; sums keep loops of their own. */
function together(spaces: readonly Space[]): readonly Space[] {
  const joined = new Map<readonly Axis[], Space>();
  const apart: Space[] = [];
  for (const space of spaces) {
    if (space.stores.some(({ value }) => reductionsIn([value]).length > 0)) apart.push(space);
    else {
      const before = joined.get(space.axes);
      joined.set(space.axes, { axes: space.axes, stores: [...(before?.stores ?? []), ...space.stores] });
    }
  }
  return [...joined.values(), ...apart];
}

/** What a group computes, as functions of positions, and the loops that must run before. */
interface Expressions {
  readonly produced: ReadonlyMap<number, Operand>;
  readonly nests: Nest[];
  readonly scratch: Scratch[];
  /** What is computed in stages; null for what is not. */
  readonly stages: Staged | null;
}

function expressionsOf(group: Group, cut: SampleCut | null, products: ProductVariant): Expressions {
  const produced = new Map<number, Operand>();
  const nests: Nest[] = [];
  const scratch: Scratch[] = [];
  let stages: Staged | null = null;
  const inStages = group.writes.every(({ type }) => type.shape.length === 4);
  for (const operation of group.operations) {
    const rule = loopRule(operation.operator);
    const { attributes } = operation;
    const operands = operation.inputs.map((value) => produced.get(value.id) ?? stored(value));
    const outputs = operation.outputs.map((output) => output.type);
    if (rule.family === "pieces") {
      const pieces = rule.pieces({ operands, outputs, attributes });
      nests.push(...assemble(group.name, bufferOf(operation.outputs[0]), outputs[0].shape, pieces, cut));
      continue;
    }
    const found = inStages ? staged({ operation, operands, cut, products, nests, scratch }) : null;
    if (found !== null) {
      stages = found;
      produced.set(operation.outputs[0].id, found.output);
      continue;
    }
    for (const { operand, type, pieces } of rule.copies?.({ operands, outputs, attributes }) ?? []) {
      const buffer: Buffer = { kind: "scratch", index: scratch.length, dtype: type.dtype };
      scratch.push({ bytes: bytesOf(type), perThread: false });
      const own = cut === null || cut.whole.has(buffer.index) ? null : cut;
      nests.push(...assemble("copy", buffer, type.shape, pieces, own));
      operands[operand] = { type, at: (place) => load(buffer, flatIndex(type.shape, place)) };
    }
    const elements = rule.elements({ operands, outputs, attributes });
    for (const [index, output] of operation.outputs.entries()) {
      produced.set(output.id, { type: output.type, at: remember(elements[index]) });
    }
  }
  return { produced, nests, scratch, stages };
}

function isAnchor({ operator }: Operation): boolean {
  return !["map", "view"].includes(loopRule(operator).family);
}

/** The loops that together go over a group's shape: one space, or one for each of its ranges. */
function loopSpaces(shape: Shape, anchor: Operation | undefined): readonly Loops[] {
  const rule = anchor === undefined ? null : loopRule(anchor.operator);
  if (anchor === undefined || rule === null || rule.family === "pieces") return [plainLoops(shape)];
  const input = {
    operands: anchor.inputs.map(stored),
    outputs: anchor.outputs.map((output) => output.type),
    attributes: anchor.attributes,
  };
  const cut = rule.cut?.(input);
  const ranges = rule.ranges?.(input);
  if (ranges === undefined || ranges.every(({ length }) => length === 1)) return [cutLoops(plainLoops(shape), cut)];
  let spaces: readonly (readonly Range[])[] = [[]];
  for (const own of ranges) spaces = spaces.flatMap((before) => own.map((range) => [...before, range]));
  const known = new Map<string, Loops>();
  return spaces.map((space) => {
    const extents = space.map(({ count }) => count);
    const key = extents.join();
    const loops = known.get(key) ?? cutLoops(plainLoops(extents), cut);
    known.set(key, loops);
    const { axes, position } = loops;
    return {
      axes,
      position: position.map((index, axis) => plus(times(index, space[axis].step), at(space[axis].start))),
    };
  });
}

/** The same loops with one of them made into two, over parts and within each. */
function cutLoops(loops: Loops, cut: { readonly axis: number; readonly parts: number } | undefined): Loops {
  if (cut === undefined || cut.parts === 1) return loops;
  const shape = loops.axes.map(({ extent }) => extent);
  const within = shape[cut.axis] / cut.parts;
  const axes = axesOf([...shape.slice(0, cut.axis), cut.parts, within, ...shape.slice(cut.axis + 1)]);
  const position = shape.map((_, axis) => {
    if (axis !== cut.axis) return along(axes[axis < cut.axis ? axis : axis + 1]);
    return plus(along(axes[axis], within), along(axes[axis + 1]));
  });
  return { axes, position };
}

/** The shape over which a group loops. */
function spaceOf({ name, operations, writes }: Group): Shape {
  const anchor = operations.find((operation) => isAnchor(operation));
  if (anchor === undefined) {
    if (writes.length === 0) throw new Error(`internal: ${name} writes nothing`);
    return writes[0].type.shape;
  }
  const rows = loopRule(anchor.operator).family === "rows";
  return rows ? anchor.inputs[0].type.shape : anchor.outputs[0].type.shape;
}

/** Columns outside, so that a panel of the second operand stays near while all rows go by. */
function productNest(
  name: string,
  [rows, columns]: readonly Axis[],
  stores: readonly Store[],
  products: ProductVariant,
): Nest {
  const tile = productTile(rows.extent, columns.extent, products);
  const loops = [
    { axis: columns, tile: tile.columns, parallel: true },
    { axis: rows, tile: tile.rows, parallel: true },
  ].filter(({ axis }) => axis.extent !== 1);
  return { name, loops, vector: columns, stores };
}

/** A value that lies in memory. */
function stored(value: Value): Operand {
  const buffer = bufferOf(value);
  return { type: value.type, at: remember((position) => load(buffer, flatIndex(value.type.shape, position))) };
}

function bufferOf({ id, type: { dtype } }: Value): Buffer {
  if (dtype !== "float32" && dtype !== "int32") {
    throw new Error(`loops: tensors must be float32 or int32, got ${dtype} (%${id}); cast them`);
  }
  return { kind: "value", id, dtype };
}
