import * as codelets from "../../codelets/index.ts";
import type { BlockVariable, Codelet, ColumnOptions, PlacedTensor } from "../../graph/index.ts";
import type { Operation, Value } from "../../ir/index.ts";
import { type Rows, rowsOf } from "../columns.ts";
import type { Lowering } from "../lowering.ts";

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

interface RowVertices {
  readonly codelet: Codelet;
  readonly read: Readonly<Record<string, PlacedTensor>>;
  /** What a vertex reads one block of: that of the row that it writes. */
  readonly own?: Readonly<Record<string, PlacedTensor>>;
  readonly written: Readonly<Record<string, BlockVariable>>;
  /** Rows to be read for each row to be written. */
  readonly rows: readonly Rows[];
  readonly states: Readonly<Record<string, (row: number) => number>>;
}

/** One vertex for each row of a group of channels that is written, where the first row lies that it reads. */
function addRowVertices(lowering: Lowering, { codelet, read, own = {}, written, rows, states }: RowVertices): void {
  const [result] = Object.values(written);
  const { count } = result.layout;
  const height = rows.length;
  const starts = new Uint32Array(count + 1);
  for (let block = 0; block < count; block++) starts[block + 1] = starts[block] + rows[block % height].count;
  const column = ({ variable, layout }: PlacedTensor): ColumnOptions => {
    const blocks = new Uint32Array(starts[count]);
    for (let block = 0, at = 0; block < count; block++) {
      const { first, step, count: length } = rows[block % height];
      const row = variable.firstBlock + Math.floor(block / height) * layout.grid[2] + first;
      for (let index = 0; index < length; index++) blocks[at++] = row + index * step;
    }
    return { variable, blocks, starts };
  };
  const [source] = Object.values(read);
  const tiles = new Uint16Array(count);
  for (let block = 0; block < count; block++) {
    const plane = Math.floor(block / height) * source.layout.grid[2];
    tiles[block] = source.variable.tiles[plane + Math.min(source.layout.grid[2] - 1, rows[block % height].first)];
  }
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
    states: Object.fromEntries(
      Object.entries(states).map(([field, numberOf]) => [
        field,
        { every: 1, values: Int32Array.from({ length: height }, (_, row) => numberOf(row)) },
      ]),
    ),
    tiles,
  });
}

const pictureRows = (windows: Windows): readonly Rows[] =>
  Array.from({ length: windows.mapHeight }, (_, row) => rowsUnder(windows, row));
const mapRows = (windows: Windows): readonly Rows[] =>
  Array.from({ length: windows.height }, (_, row) => rowsOver(windows, row));

const typeOf = ({ variable }: PlacedTensor): codelets.FloatType => variable.type as codelets.FloatType;

const inRows = (lowering: Lowering, value: Value): PlacedTensor =>
  lowering.getIn(value, lowering.layoutFor(value.type.shape));
const resultFor = (lowering: Lowering, value: Value): BlockVariable =>
  lowering.addResult(value, lowering.layoutFor(value.type.shape));

export function maxPoolRule(lowering: Lowering, operation: Operation): void {
  const [x] = operation.inputs;
  const [y, index] = operation.outputs;
  const windows = windowsOf(operation, x.type.shape, y.type.shape);
  const rows = pictureRows(windows);
  const read = { in: inRows(lowering, x) };
  addRowVertices(lowering, {
    codelet: codelets.maxPool(windows.geometry, typeOf(read.in)),
    read,
    written: { out: resultFor(lowering, y), index: resultFor(lowering, index) },
    rows,
    states: { mapRow: (row) => row, row: (row) => rows[row].first },
  });
}

export function maxPoolTakeRule(lowering: Lowering, operation: Operation): void {
  const [x, index] = operation.inputs;
  const [y] = operation.outputs;
  const windows = windowsOf(operation, x.type.shape, y.type.shape);
  const rows = pictureRows(windows);
  const read = { in: inRows(lowering, x) };
  addRowVertices(lowering, {
    codelet: codelets.maxPoolTake(windows.geometry, typeOf(read.in)),
    read,
    own: { index: inRows(lowering, index) },
    written: { out: resultFor(lowering, y) },
    rows,
    states: { row: (row) => rows[row].first },
  });
}

export function maxPoolGradientRule(lowering: Lowering, operation: Operation): void {
  const [delta, index] = operation.inputs;
  const [x] = operation.outputs;
  const windows = windowsOf(operation, x.type.shape, delta.type.shape);
  const read = { delta: inRows(lowering, delta), index: inRows(lowering, index) };
  addRowVertices(lowering, {
    codelet: codelets.maxPoolGradient(windows.geometry, typeOf(read.delta)),
    read,
    written: { out: resultFor(lowering, x) },
    rows: mapRows(windows),
    states: { row: (row) => row },
  });
}

export function averagePoolRule(lowering: Lowering, operation: Operation): void {
  const [x] = operation.inputs;
  const [y] = operation.outputs;
  const windows = windowsOf(operation, x.type.shape, y.type.shape);
  const rows = pictureRows(windows);
  const read = { in: inRows(lowering, x) };
  addRowVertices(lowering, {
    codelet: codelets.averagePool(windows.geometry, typeOf(read.in)),
    read,
    written: { out: resultFor(lowering, y) },
    rows,
    states: { mapRow: (row) => row, row: (row) => rows[row].first },
  });
}

export function averagePoolGradientRule(lowering: Lowering, operation: Operation): void {
  const [delta] = operation.inputs;
  const [x] = operation.outputs;
  const windows = windowsOf(operation, x.type.shape, delta.type.shape);
  const read = { delta: inRows(lowering, delta) };
  addRowVertices(lowering, {
    codelet: codelets.averagePoolGradient(windows.geometry, typeOf(read.delta)),
    read,
    written: { out: resultFor(lowering, x) },
    rows: mapRows(windows),
    states: {},
  });
}
