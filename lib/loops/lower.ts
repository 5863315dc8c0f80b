import type { Operation, Value } from "../ir/index.ts";
import type { Shape } from "../tensor/index.ts";
import { type Axis, along } from "./affine.ts";
import type { Buffer } from "./buffer.ts";
import { load } from "./expression.ts";
import { packing, productTile } from "./matmul-nests.ts";
import { mergeAxes, type Space } from "./merge.ts";
import type { Kernel, Nest, Store } from "./nest.ts";
import { loopRule } from "./rules/index.ts";
import { flatIndex, type Operand, type Position, remember } from "./rules/rule.ts";
import { tiled } from "./tiling.ts";

/** Operations that are computed in one go, and which of their results are kept. */
export interface Group {
  readonly name: string;
  /** In an order in which operands come first; at most one of them is not element-wise. */
  readonly operations: readonly Operation[];
  /** What is kept: of the shape over which the group loops, or of that of its leading axes. */
  readonly writes: readonly Value[];
}

const axisNames = ["i", "j", "l", "m", "n", "o", "p", "q"] as const;

/**
 * The loops of a group.
 *
 * @throws Error if a tensor is neither float32 nor int32
 */
export function lowerGroup(group: Group): Kernel {
  const shape = spaceOf(group);
  const axes = shape.map((extent, axis): Axis => ({ name: axisNames[axis] ?? `a${axis}`, extent }));
  const product = group.operations.find(({ operator }) => loopRule(operator).family === "matmul");
  const tile = product === undefined ? null : productTile(shape[0], shape[1]);
  const produced = new Map<number, Operand>();
  const packs: Nest[] = [];
  const scratchBytes: number[] = [];
  for (const operation of group.operations) {
    const operands = operation.inputs.map((value) => produced.get(value.id) ?? stored(value));
    if (operation === product && tile !== null) {
      const packed = packing(operation, operands[1], axes[1], tile);
      if (packed !== null) {
        operands[1] = packed.operand;
        packs.push(packed.nest);
        scratchBytes.push(packed.scratchBytes);
      }
    }
    const outputs = operation.outputs.map((output) => output.type);
    const elements = loopRule(operation.operator).elements({ operands, outputs, attributes: operation.attributes });
    for (const [index, output] of operation.outputs.entries()) {
      produced.set(output.id, { type: output.type, at: remember(elements[index]) });
    }
  }

  const position: Position = axes.map((axis) => along(axis));
  const stores = group.writes.map((value): Store => {
    const { shape: own } = value.type;
    const place = position.slice(0, own.length);
    const operand = produced.get(value.id);
    if (operand === undefined) throw new Error(`internal: ${group.name} does not compute %${value.id}`);
    return {
      buffer: bufferOf(value),
      index: flatIndex(own, place),
      value: operand.at(place),
      depth: axes.slice(0, own.length).filter(({ extent }) => extent !== 1).length,
    };
  });
  const deepest = stores.reduce((depth, store) => Math.max(depth, store.depth), 0);
  const space: Space = { axes: axes.filter(({ extent }) => extent !== 1).slice(0, deepest), stores };
  const columns = tile === null ? 1 : axes[1].extent;
  const main =
    tile === null || columns === 1 ? tiled(group.name, mergeAxes(space)) : productNest(group.name, axes, tile, stores);
  return { name: group.name, nests: [...packs, main], scratchBytes };
}

/** The shape over which a group loops. */
function spaceOf({ name, operations, writes }: Group): Shape {
  const anchor = operations.find(({ operator }) => !["map", "view"].includes(loopRule(operator).family));
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
  tile: { readonly rows: number; readonly columns: number },
  stores: readonly Store[],
): Nest {
  const loops = [
    { axis: columns, tile: tile.columns, parallel: true },
    { axis: rows, tile: tile.rows, parallel: true },
  ].filter(({ axis }) => axis.extent !== 1);
  return { name, loops, vector: columns, stores };
}

/** A value that lies in memory. */
function stored(value: Value): Operand {
  const buffer = bufferOf(value);
  return { type: value.type, at: (position) => load(buffer, flatIndex(value.type.shape, position)) };
}

function bufferOf({ id, type: { dtype } }: Value): Buffer {
  if (dtype !== "float32" && dtype !== "int32") {
    throw new Error(`loops: tensors must be float32 or int32, got ${dtype} (%${id}); cast them`);
  }
  return { kind: "value", id, dtype };
}
