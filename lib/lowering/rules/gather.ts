import { type FloatType, gatherRows, scatterAddRows, sharedCodelet } from "../../codelets/index.ts";
import { BlockLayout, type BlockVariable, type StateColumn } from "../../graph/index.ts";
import type { Operation, Value } from "../../ir/index.ts";
import type { Shape } from "../../tensor/index.ts";
import { spreadOverTiles } from "../columns.ts";
import type { Lowering } from "../lowering.ts";
import { wholeRule } from "./whole.ts";

/** Row numbers in pieces of their first axis. */
function numbersLayout(lowering: Lowering, { type: { shape } }: Value): BlockLayout {
  return new BlockLayout(
    shape,
    shape.map((extent, axis) => Math.max(1, axis === 0 ? Math.min(extent, lowering.grain.samples) : extent)),
  );
}

/** A table in groups of rows and of what the last axis has. */
function tableLayout(lowering: Lowering, shape: Shape): BlockLayout {
  const { group } = lowering.grain;
  return new BlockLayout(
    shape,
    shape.map((_, axis) => (axis === 0 || axis === shape.length - 1 ? group : 1)),
  );
}

/** Blocks of a row of the grid: those that differ in all axes but the first. */
const acrossOf = ({ grid }: BlockLayout): number => grid.slice(1).reduce((product, count) => product * count, 1);

/** Columns of the blocks of one row of the grid, for vertices of which consecutive ones go through them. */
function widthsOf(layout: BlockLayout): StateColumn {
  const rows = Math.min(layout.block[0], layout.shape[0]);
  const values = Float64Array.from({ length: acrossOf(layout) }, (_, block) => layout.elementsOf(block) / rows);
  return values.every((width) => width === values[0]) ? values[0] : { every: 1, values };
}

const isEmpty = ({ type: { shape } }: Value): boolean => shape.includes(0);

/**
 * Rows of a table: each vertex takes some numbers' rows of one block of columns, and sees all rows of it. Nothing has to be
 * added up, and the table's rows stay where they are.
 */
export function gatherRule(lowering: Lowering, operation: Operation): void {
  const [table, numbers] = operation.inputs;
  const [y] = operation.outputs;
  if (y.type.shape.length === 0 || [table, numbers, y].some(isEmpty)) {
    wholeRule(lowering, operation);
    return;
  }
  const { shape } = table.type;
  const placed = shape.length === 2 ? lowering.get(table) : lowering.getIn(table, tableLayout(lowering, shape));
  const indices = lowering.getIn(numbers, numbersLayout(lowering, numbers));
  const across = acrossOf(placed.layout);
  const layout = new BlockLayout(y.type.shape, [...indices.layout.block, ...placed.layout.block.slice(1)]);
  const result = lowering.addResult(y, layout);
  const rowBlocks = placed.layout.grid[0];
  const type = placed.variable.type as FloatType;
  const count = layout.count;
  const tables = new Uint32Array(count * rowBlocks);
  for (let vertex = 0, at = 0; vertex < count; vertex++) {
    for (let row = 0; row < rowBlocks; row++) {
      tables[at++] = placed.variable.firstBlock + row * across + (vertex % across);
    }
  }
  const own = (variable: BlockVariable): Uint32Array =>
    Uint32Array.from({ length: count }, (_, vertex) => variable.firstBlock + Math.floor(vertex / across));
  lowering.addFamily("", {
    codelet: sharedCodelet(`gather ${type}`, () => gatherRows(type)),
    count,
    inputs: {
      table: { variable: placed.variable, blocks: tables, each: rowBlocks },
      numbers: { variable: indices.variable, blocks: own(indices.variable) },
    },
    outputs: { out: { variable: result } },
    states: { width: widthsOf(placed.layout), blockRows: placed.layout.block[0], rows: shape[0] },
    tiles: spreadOverTiles(count, lowering.target.tileCount),
  });
}

/** Sums of pieces by their numbers: each vertex makes one block of the table, and sees all pieces of its columns. */
export function scatterAddRule(lowering: Lowering, operation: Operation): void {
  const [pieces, numbers] = operation.inputs;
  const [y] = operation.outputs;
  if (pieces.type.shape.length === 0 || [pieces, numbers, y].some(isEmpty)) {
    wholeRule(lowering, operation);
    return;
  }
  const layout = tableLayout(lowering, y.type.shape);
  const indices = lowering.getIn(numbers, numbersLayout(lowering, numbers));
  const given = lowering.getIn(
    pieces,
    new BlockLayout(pieces.type.shape, [...indices.layout.block, ...layout.block.slice(1)]),
  );
  const result = lowering.addResult(y, layout);
  const across = acrossOf(layout);
  const chunks = indices.layout.count;
  const count = layout.count;
  const [pieceBlocks, numberBlocks] = [new Uint32Array(count * chunks), new Uint32Array(count * chunks)];
  for (let vertex = 0, at = 0; vertex < count; vertex++) {
    for (let chunk = 0; chunk < chunks; chunk++) {
      pieceBlocks[at] = given.variable.firstBlock + chunk * across + (vertex % across);
      numberBlocks[at++] = indices.variable.firstBlock + chunk;
    }
  }
  const type = result.type as FloatType;
  lowering.addFamily("", {
    codelet: sharedCodelet(`scatter ${type}`, () => scatterAddRows(type)),
    count,
    inputs: {
      pieces: { variable: given.variable, blocks: pieceBlocks, each: chunks },
      numbers: { variable: indices.variable, blocks: numberBlocks, each: chunks },
    },
    outputs: { out: { variable: result } },
    states: {
      width: widthsOf(layout),
      firstRow: {
        every: across,
        values: Float64Array.from({ length: layout.grid[0] }, (_, row) => row * layout.block[0]),
      },
    },
    tiles: spreadOverTiles(count, lowering.target.tileCount),
  });
}
