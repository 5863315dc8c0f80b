import * as codelets from "../../codelets/index.ts";
import {
  BlockLayout,
  type BlockVariable,
  type Codelet,
  type ColumnOptions,
  type PlacedTensor,
  type StateColumn,
} from "../../graph/index.ts";
import type { Operation, Value } from "../../ir/index.ts";
import { type Piece, type Rows, rowsOf } from "../columns.ts";
import type { Lowering } from "../lowering.ts";
import { columnBlocks, inRows } from "./convolution-parts.ts";
import { boxTiles, size } from "./work.ts";

/** A pooling operator's windows over rows. */
interface Windows {
  readonly geometry: codelets.PoolingGeometry;
  readonly height: number;
  readonly mapHeight: number;
}

function windowsOf({ attributes }: Operation, pictures: readonly number[], maps: readonly number[]): Windows {
  const numbers = (name: string): readonly number[] => attributes[name] as readonly number[];
  const geometry = {
    kernel: numbers("kernel"),
    stride: numbers("stride"),
    padding: numbers("padding"),
    width: pictures[3],
    mapWidth: maps[3],
  };
  return { geometry, height: pictures[2], mapHeight: maps[2] };
}

/** Rows of pictures under the windows of a row of maps. */
function rowsUnder({ geometry: { kernel, stride, padding }, height }: Windows, mapRow: number): Rows {
  const top = mapRow * stride[0] - padding[0];
  const first = Math.max(0, top);
  return { first, step: 1, count: Math.max(0, Math.min(height, top + kernel[0]) - first) };
}

/** Rows of maps whose windows have a row of pictures. */
function rowsOver(windows: Windows, row: number): Rows {
  const found: number[] = [];
  for (let mapRow = 0; mapRow < windows.mapHeight; mapRow++) {
    const { first, count } = rowsUnder(windows, mapRow);
    if (row >= first && row < first + count) found.push(mapRow);
  }
  return rowsOf(found);
}

/** Columns of pictures under the windows of some columns of maps. */
function columnsUnder({ geometry: { kernel, stride, padding, width } }: Windows, { start, end }: Piece): Piece {
  const first = Math.min(width, Math.max(0, start * stride[1] - padding[1]));
  return { start: first, end: Math.max(first, Math.min(width, (end - 1) * stride[1] - padding[1] + kernel[1])) };
}

/** Columns of maps whose windows have some columns of pictures. */
function columnsOver({ geometry: { kernel, stride, padding, mapWidth } }: Windows, { start, end }: Piece): Piece {
  const first = Math.min(mapWidth, Math.max(0, Math.ceil((start + padding[1] - kernel[1] + 1) / stride[1])));
  return { start: first, end: Math.max(first, Math.min(mapWidth, Math.floor((end - 1 + padding[1]) / stride[1]) + 1)) };
}

interface RowVertices {
  readonly codelet: Codelet;
  /** What a vertex reads rows of; all lie alike. */
  readonly read: Readonly<Record<string, PlacedTensor>>;
  /** What a vertex reads one block of: that which it writes. */
  readonly own?: Readonly<Record<string, PlacedTensor>>;
  readonly written: Readonly<Record<string, BlockVariable>>;
  /** Rows to be read for each row to be written, and columns for some columns. */
  readonly rows: readonly Rows[];
  readonly columns: (made: Piece) => Piece;
  readonly states: Readonly<Record<string, (row: number) => number>>;
}

/**
 * One vertex for each row of a group of channels that is written, or each block of its columns: where the first row lies
 * that it reads, or, where rows are cut so that every tile has something to do, spread over all tiles.
 */
function addRowVertices(lowering: Lowering, vertices: RowVertices): void {
  const { codelet, read, own = {}, written, rows, columns, states } = vertices;
  const [{ layout: result }] = Object.values(written);
  const [source] = Object.values(read);
  const { count } = result;
  const height = rows.length;
  const across = result.grid[3];
  const cut = across > 1 || source.layout.grid[3] > 1;
  const needed = Array.from({ length: across }, (_, place) => {
    const [start, end] = result.intervalOf(place, 3);
    const whole = { start: 0, end: source.layout.shape[3] };
    return { start, end, ...columnBlocks(source.layout, across > 1 ? columns({ start, end }) : whole) };
  });
  const rowOf = (block: number): number => Math.floor(block / across) % height;
  const planeOf = (block: number): number => Math.floor(block / (across * height));
  const blocksOf = (block: number): Piece => needed[block % across].blocks;
  const starts = new Uint32Array(count + 1);
  for (let block = 0; block < count; block++) {
    starts[block + 1] = starts[block] + rows[rowOf(block)].count * size(blocksOf(block));
  }
  const column = ({ variable, layout }: PlacedTensor): ColumnOptions => {
    const blocks = new Uint32Array(starts[count]);
    for (let block = 0, at = 0; block < count; block++) {
      const { first, step, count: length } = rows[rowOf(block)];
      const { start, end } = blocksOf(block);
      const row = planeOf(block) * layout.grid[2] + first;
      for (let index = 0; index < length; index++) {
        const begin = variable.firstBlock + (row + index * step) * layout.grid[3];
        for (let place = start; place < end; place++) blocks[at++] = begin + place;
      }
    }
    return { variable, blocks, starts };
  };
  const { tiles: sourceTiles } = source.variable;
  const nearest = (block: number): number => {
    const [, , sourceRows, sourceAcross] = source.layout.grid;
    const row = planeOf(block) * sourceRows + Math.min(sourceRows - 1, rows[rowOf(block)].first);
    return sourceTiles[row * sourceAcross + Math.min(sourceAcross - 1, blocksOf(block).start)];
  };
  const tiles = cut
    ? boxTiles(count, lowering.target)
    : Uint16Array.from({ length: count }, (_, block) => nearest(block));
  const byColumns = (numberOf: (place: (typeof needed)[number]) => number): StateColumn => ({
    every: 1,
    values: Int32Array.from(needed, numberOf),
  });
  lowering.addFamily("", {
    codelet,
    count,
    inputs: Object.fromEntries([
      ...Object.entries(read).map(([field, placed]) => [field, column(placed)] as const),
      ...Object.entries(own).map(([field, { variable }]) => {
        const blocks = Uint32Array.from({ length: count }, (_, block) => variable.firstBlock + block);
        return [field, { variable, blocks }] as const;
      }),
    ]),
    outputs: Object.fromEntries(Object.entries(written).map(([field, variable]) => [field, { variable }])),
    states: {
      ...Object.fromEntries(
        Object.entries(states).map(([field, numberOf]) => [
          field,
          { every: across, values: Int32Array.from({ length: height }, (_, row) => numberOf(row)) },
        ]),
      ),
      ...(cut
        ? {
            madeColumn: byColumns(({ start }) => start),
            madeColumns: byColumns(({ start, end }) => end - start),
            readColumn: byColumns(({ column: first }) => first),
            readColumns: byColumns(({ columns: length }) => length),
          }
        : {}),
    },
    tiles,
  });
}

const pictureRows = (windows: Windows): readonly Rows[] =>
  Array.from({ length: windows.mapHeight }, (_, row) => rowsUnder(windows, row));
const mapRows = (windows: Windows): readonly Rows[] =>
  Array.from({ length: windows.height }, (_, row) => rowsOver(windows, row));

const typeOf = ({ variable }: PlacedTensor): codelets.FloatType => variable.type as codelets.FloatType;

const rowsOfValue = (lowering: Lowering, value: Value): PlacedTensor =>
  inRows(lowering, value, lowering.layoutFor(value.type.shape));

/**
 * A layout in rows; where there are more tiles than rows of groups of channels, rows are cut into as many blocks of columns
 * as there are tiles for.
 */
function resultLayout(lowering: Lowering, { type: { shape } }: Value): BlockLayout {
  const whole = lowering.layoutFor(shape);
  const width = shape[3];
  const pieces = lowering.grain.byTile ? Math.floor(lowering.target.tileCount / whole.count) : 1;
  return pieces <= 1 ? whole : new BlockLayout(shape, whole.block.with(3, Math.ceil(width / Math.min(pieces, width))));
}

/** A geometry with the columns that vectors of pictures and of maps have. */
function cutGeometry({ geometry }: Windows, pictures: BlockLayout, maps: BlockLayout): codelets.PoolingGeometry {
  return { ...geometry, block: pictures.block[3], mapBlock: maps.block[3] };
}

export function maxPoolRule(lowering: Lowering, operation: Operation): void {
  const [x] = operation.inputs;
  const [y, index] = operation.outputs;
  const windows = windowsOf(operation, x.type.shape, y.type.shape);
  const rows = pictureRows(windows);
  const read = { in: rowsOfValue(lowering, x) };
  const layout = resultLayout(lowering, y);
  addRowVertices(lowering, {
    codelet: codelets.maxPool(cutGeometry(windows, read.in.layout, layout), typeOf(read.in)),
    read,
    written: { out: lowering.addResult(y, layout), index: lowering.addResult(index, layout) },
    rows,
    columns: (made) => columnsUnder(windows, made),
    states: { mapRow: (row) => row, row: (row) => rows[row].first },
  });
}

export function maxPoolTakeRule(lowering: Lowering, operation: Operation): void {
  const [x, index] = operation.inputs;
  const [y] = operation.outputs;
  const windows = windowsOf(operation, x.type.shape, y.type.shape);
  const rows = pictureRows(windows);
  const read = { in: rowsOfValue(lowering, x) };
  const layout = resultLayout(lowering, y);
  addRowVertices(lowering, {
    codelet: codelets.maxPoolTake(cutGeometry(windows, read.in.layout, layout), typeOf(read.in)),
    read,
    own: { index: lowering.getIn(index, layout) },
    written: { out: lowering.addResult(y, layout) },
    rows,
    columns: (made) => columnsUnder(windows, made),
    states: { row: (row) => rows[row].first },
  });
}

export function maxPoolGradientRule(lowering: Lowering, operation: Operation): void {
  const [delta, index] = operation.inputs;
  const [x] = operation.outputs;
  const windows = windowsOf(operation, x.type.shape, delta.type.shape);
  const placed = rowsOfValue(lowering, delta);
  const read = { delta: placed, index: lowering.getIn(index, placed.layout) };
  const layout = resultLayout(lowering, x);
  addRowVertices(lowering, {
    codelet: codelets.maxPoolGradient(cutGeometry(windows, layout, placed.layout), typeOf(placed)),
    read,
    written: { out: lowering.addResult(x, layout) },
    rows: mapRows(windows),
    columns: (made) => columnsOver(windows, made),
    states: { row: (row) => row },
  });
}

export function averagePoolRule(lowering: Lowering, operation: Operation): void {
  const [x] = operation.inputs;
  const [y] = operation.outputs;
  const windows = windowsOf(operation, x.type.shape, y.type.shape);
  const rows = pictureRows(windows);
  const read = { in: rowsOfValue(lowering, x) };
  const layout = resultLayout(lowering, y);
  addRowVertices(lowering, {
    codelet: codelets.averagePool(cutGeometry(windows, read.in.layout, layout), typeOf(read.in)),
    read,
    written: { out: lowering.addResult(y, layout) },
    rows,
    columns: (made) => columnsUnder(windows, made),
    states: { mapRow: (row) => row, row: (row) => rows[row].first },
  });
}

export function averagePoolGradientRule(lowering: Lowering, operation: Operation): void {
  const [delta] = operation.inputs;
  const [x] = operation.outputs;
  const windows = windowsOf(operation, x.type.shape, delta.type.shape);
  const read = { delta: rowsOfValue(lowering, delta) };
  const layout = resultLayout(lowering, x);
  addRowVertices(lowering, {
    codelet: codelets.averagePoolGradient(cutGeometry(windows, layout, read.delta.layout), typeOf(read.delta)),
    read,
    written: { out: lowering.addResult(x, layout) },
    rows: mapRows(windows),
    columns: (made) => columnsOver(windows, made),
    states: {},
  });
}
