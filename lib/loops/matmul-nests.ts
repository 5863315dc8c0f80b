import type { Operation } from "../ir/index.ts";
import { type Axis, along, plus, termOf, times } from "./affine.ts";
import type { Buffer } from "./buffer.ts";
import { load } from "./expression.ts";
import type { Nest } from "./nest.ts";
import type { Operand } from "./rules/rule.ts";

/** How many rows and columns of a product are computed together, in registers. */
export interface ProductTile {
  readonly rows: number;
  readonly columns: number;
}

/**
 * A tile with enough independent sums to keep the multipliers busy, few enough for 16 registers: 4 × 8 where the product
 * is large (measured: 41 of 46 GF/s on a Xeon of 2023 with Node 20; unrolled, or with more rows, no better), and wider
 * where there are few rows, taller where there are few columns.
 */
export function productTile(rows: number, columns: number): ProductTile {
  if (columns <= 4) return { rows: 8, columns: 4 };
  if (rows === 1) return { rows: 1, columns: 32 };
  if (rows <= 3) return { rows, columns: 16 };
  // A little more than one tile is less work as one wider tile.
  if (columns > 8 && columns <= 12) return { rows: 4, columns: 12 };
  return { rows: 4, columns: 8 };
}

/** From how many rows on it pays to copy the second operand into panels that are read one after the other. */
const rowsWorthPacking = 16;

/** How many bytes of the second operand stay in the nearest cache while rows of the first go by. */
const bytesKeptNear = 16 * 1024;

/** The copy of a second operand, and the operand to use in its place. */
export interface Packing {
  readonly nest: Nest;
  readonly operand: Operand;
  readonly scratchBytes: number;
}

/**
 * Packs the second operand of a product into panels [columns / tile][k][tile], if that pays.
 *
 * @param columnAxis the axis of the product's columns, which is cut into tiles as wide as the panels
 */
export function packing(operation: Operation, b: Operand, columnAxis: Axis, tile: ProductTile): Packing | null {
  const [rows, columns] = operation.outputs[0].type.shape;
  const transposed = operation.attributes.transposeB === true;
  const inner = b.type.shape[transposed ? 1 : 0];
  if (rows < rowsWorthPacking || columns === 1 || inner === 0) return null;
  if (!transposed && 4 * inner * columns <= bytesKeptNear) return null;
  const width = tile.columns;
  const buffer: Buffer = { kind: "scratch", index: 0, dtype: "float32" };
  const operand: Operand = {
    type: b.type,
    at(position) {
      const [k, j] = transposed ? [position[1], position[0]] : position;
      if (j.constant !== 0 || termOf(j, columnAxis).stride !== 1) {
        throw new Error("internal: panels are read along the columns they were cut for");
      }
      return load(buffer, plus(along(columnAxis, inner, 1), times(k, width)));
    },
  };
  const k: Axis = { name: "k", extent: inner };
  const from = transposed ? [along(columnAxis), along(k)] : [along(k), along(columnAxis)];
  const columnLoop = { axis: columnAxis, tile: width, parallel: true };
  const innerLoop = { axis: k, tile: 4, parallel: true };
  const nest: Nest = {
    name: "pack",
    // Either way the operand is read in the order in which it lies in memory.
    loops: (transposed ? [columnLoop, innerLoop] : [innerLoop, columnLoop]).filter(({ axis }) => axis.extent !== 1),
    vector: columnAxis,
    stores: [
      {
        buffer,
        index: plus(along(columnAxis, inner, 1), along(k, width)),
        value: b.at(from),
        depth: inner === 1 ? 1 : 2,
      },
    ],
  };
  const panels = Math.ceil(columns / width);
  return { nest, operand, scratchBytes: 4 * panels * inner * width };
}
