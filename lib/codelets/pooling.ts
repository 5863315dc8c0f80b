import { codelet, input, output, state, type Target } from "../graph/index.ts";
import type { ConvolutionGeometry } from "./convolution.ts";
import { allWorkers, type FloatType } from "./support.ts";

/** What pooling codelets know of their windows when they are compiled. */
export type PoolingGeometry = Omit<ConvolutionGeometry, "dilation">;

// Each vertex makes one row of a group of channels, [channels, width], or a block of its columns, from a list of rows one
// below the other. Where rows are cut a row of the list is several vectors, one for each block of columns of which the vertex
// has any.

/** Columns of a vertex: what it makes, and of which it reads blocks. */
interface Columns {
  readonly madeColumn: number;
  readonly madeColumns: number;
  readonly readColumn: number;
  readonly readColumns: number;
}

const columnStates = { madeColumn: state(), madeColumns: state(), readColumn: state(), readColumns: state() };

/** Columns that there are on one side of a codelet, and how many a vector has. */
interface Side {
  readonly width: number;
  readonly block: number;
}

interface Sides {
  readonly read: Side;
  readonly made: Side;
}

/** The sides of a codelet that reads pictures and makes maps. */
function forwards({ width, mapWidth, block = width, mapBlock = mapWidth }: PoolingGeometry): Sides {
  return { read: { width, block }, made: { width: mapWidth, block: mapBlock } };
}

/** The sides of a codelet that reads maps and makes pictures. */
function backwards(geometry: PoolingGeometry): Sides {
  const { read, made } = forwards(geometry);
  return { read: made, made: read };
}

const isCut = ({ read, made }: Sides): boolean => read.block < read.width || made.block < made.width;

/** What vertices know of columns: where rows are whole, nothing. */
const columnFields = (sides: Sides): object => (isCut(sides) ? columnStates : {});

/** The columns among what a vertex knows: all of them, where rows are whole. */
function columnsOf({ read, made }: Sides, given: object): Columns {
  const known: Partial<Columns> = given;
  const { madeColumn = 0, madeColumns = made.width, readColumn = 0, readColumns = read.width } = known;
  return { madeColumn, madeColumns, readColumn, readColumns };
}

/** Vectors that a row of the list is. */
const acrossOf = ({ read }: Sides, { readColumns }: Columns): number => Math.ceil(readColumns / read.block);

interface Vector {
  readonly length: number;
  readonly [index: number]: number;
}

/** Looks elements of a list of rows up, by the row's place, channel and column. */
function elementsOf(
  sides: Sides,
  columns: Columns,
  rows: { readonly [index: number]: Vector },
): (row: number, channel: number, column: number) => number {
  const { block } = sides.read;
  const { readColumn, readColumns } = columns;
  const across = acrossOf(sides, columns);
  return (row, channel, column) => {
    const inRow = column - readColumn;
    const vector = Math.floor(inRow / block);
    const own = Math.min(block, readColumns - vector * block);
    return rows[row * across + vector][channel * own + inRow - vector * block];
  };
}

/** Calls `visit` for every element of a list of rows: its vector, its place there, its channel and its column. */
function forEachElement(
  sides: Sides,
  columns: Columns,
  rows: Iterable<Vector>,
  visit: (vector: number, place: number, channel: number, column: number) => void,
): void {
  const { block } = sides.read;
  const across = acrossOf(sides, columns);
  let vector = 0;
  for (const { length } of rows) {
    const done = (vector % across) * block;
    const own = Math.min(block, columns.readColumns - done);
    for (let place = 0; place < length; place++) {
      visit(vector, place, Math.floor(place / own), columns.readColumn + done + (place % own));
    }
    vector++;
  }
}

// PopLibs, estimators of pooling: a worker's inner loop 4 + 3n for max, 5 + 3n for sums and 7 + 5n backward, where n are
// the positions of a window, 13 a row and 20 a work item; a vertex takes 7 + W · (the slowest worker) + 6. A work item is one
// element of the result, of which workers have equal shares; halves are taken alike.
const beforeCycles = 7;
const afterCycles = 6;
const rowCycles = 13;
const itemCycles = 20;

interface PoolingWork {
  readonly rows: number;
  readonly items: number;
  readonly positions: number;
}

function cycles(
  { rows, items, positions }: PoolingWork,
  base: number,
  each: number,
  { workersPerTile }: Target,
): number {
  const slowest = rowCycles * rows + Math.ceil(items / workersPerTile) * (itemCycles + base + each * positions);
  return beforeCycles + workersPerTile * slowest + afterCycles;
}

function describe(kind: string, geometry: PoolingGeometry, type: FloatType): string {
  const { kernel, stride, padding } = geometry;
  const { read, made } = forwards(geometry);
  const columns = [read, made].map(({ width, block }) => (block < width ? `${width}:${block}` : width));
  return `${kind}<${kernel.join("×")}/${stride.join("×")}+${padding.join("×")},${columns.join("→")},${type}>`;
}

/** What a vertex has to do that reads rows and writes one. */
function workOf(
  vectors: { readonly length: number },
  out: { readonly length: number },
  { kernel }: PoolingGeometry,
  sides: Sides,
  given: object,
): PoolingWork {
  const rows = vectors.length / Math.max(1, acrossOf(sides, columnsOf(sides, given)));
  return { rows, items: out.length, positions: rows * kernel[1] };
}

/** The place of kernel row 0 of a row of maps in the list of rows, which begins with row `row`. */
const topOf = ({ stride, padding }: PoolingGeometry, mapRow: number, row: number): number =>
  mapRow * stride[0] - padding[0] - row;

/** Calls `visit` for the elements of a window that lie in the list's rows: place of the row, and column. */
function forEachInWindow(
  geometry: PoolingGeometry,
  top: number,
  mapColumn: number,
  rows: number,
  visit: (row: number, column: number) => void,
): void {
  const { kernel, stride, padding, width } = geometry;
  const left = mapColumn * stride[1] - padding[1];
  for (let row = Math.max(0, top); row < Math.min(rows, top + kernel[0]); row++) {
    for (let column = Math.max(0, left); column < Math.min(width, left + kernel[1]); column++) visit(row, column);
  }
}

/** What a window without a largest element has for its place: the operator's `noIndex`. */
const noPlace = 0x7fffffff;

/** A row of largest elements, and where in the plane each stands, the first where several are equal. */
export function maxPool(geometry: PoolingGeometry, type: FloatType = "float") {
  const sides = forwards(geometry);
  return codelet(
    describe("MaxPool", geometry, type),
    {
      in: input.vectors(type),
      out: output.vector(type),
      index: output.vector("int"),
      mapRow: state(),
      row: state(),
      ...columnFields(sides),
    },
    ({ in: rows, out, index, mapRow, row, ...given }) => {
      const { width } = geometry;
      const columns = columnsOf(sides, given);
      const { madeColumn, madeColumns } = columns;
      const elementAt = elementsOf(sides, columns, rows);
      const top = topOf(geometry, mapRow, row);
      const count = rows.length / Math.max(1, acrossOf(sides, columns));
      for (let i = 0; i < out.length; i++) {
        const channel = Math.floor(i / madeColumns);
        let largest = Number.NEGATIVE_INFINITY;
        let place = noPlace;
        forEachInWindow(geometry, top, madeColumn + (i % madeColumns), count, (inList, column) => {
          const value = elementAt(inList, channel, column);
          if (value > largest) place = (row + inList) * width + column;
          largest = Math.max(largest, value);
        });
        out[i] = largest;
        index[i] = Number.isNaN(largest) ? noPlace : place;
      }
    },
    ({ in: rows, out, ...given }, target) => cycles(workOf(rows, out, geometry, sides, given), 4, 3, target),
    allWorkers,
  );
}

/** A row of the gradient through max pooling: each element's goes to where the maximum was found. */
export function maxPoolGradient(geometry: PoolingGeometry, type: FloatType = "float") {
  const sides = backwards(geometry);
  return codelet(
    describe("MaxPoolGradient", geometry, type),
    {
      delta: input.vectors(type),
      index: input.vectors("int"),
      out: output.vector(type),
      row: state(),
      ...columnFields(sides),
    },
    ({ delta, index, out, row, ...given }) => {
      const { width } = geometry;
      const columns = columnsOf(sides, given);
      const { madeColumn, madeColumns } = columns;
      out.fill(0);
      forEachElement(sides, columns, delta, (vector, place, channel) => {
        const found = index[vector][place];
        const column = (found % width) - madeColumn;
        if (Math.floor(found / width) !== row || column < 0 || column >= madeColumns) return;
        out[channel * madeColumns + column] += delta[vector][place];
      });
    },
    ({ delta, out, ...given }, target) => cycles(workOf(delta, out, geometry, sides, given), 7, 5, target),
    allWorkers,
  );
}

/** A row of what stands where the largest elements of other pictures stood; 0 where there was none. */
export function maxPoolTake(geometry: PoolingGeometry, type: FloatType = "float") {
  const sides = forwards(geometry);
  return codelet(
    describe("MaxPoolTake", geometry, type),
    {
      in: input.vectors(type),
      index: input.vector("int"),
      out: output.vector(type),
      row: state(),
      ...columnFields(sides),
    },
    ({ in: rows, index, out, row, ...given }) => {
      const { width } = geometry;
      const columns = columnsOf(sides, given);
      const elementAt = elementsOf(sides, columns, rows);
      for (let i = 0; i < out.length; i++) {
        const channel = Math.floor(i / columns.madeColumns);
        const place = index[i];
        out[i] = place === noPlace ? 0 : elementAt(Math.floor(place / width) - row, channel, place % width);
      }
    },
    // An element is looked up, which is a window of one position.
    ({ out }, target) => cycles({ rows: 1, items: out.length, positions: 1 }, 4, 3, target),
    allWorkers,
  );
}

/** A row of means; the margin counts as zeros. */
export function averagePool(geometry: PoolingGeometry, type: FloatType = "float") {
  const sides = forwards(geometry);
  return codelet(
    describe("AveragePool", geometry, type),
    { in: input.vectors(type), out: output.vector(type), mapRow: state(), row: state(), ...columnFields(sides) },
    ({ in: rows, out, mapRow, row, ...given }) => {
      const { kernel } = geometry;
      const columns = columnsOf(sides, given);
      const { madeColumn, madeColumns } = columns;
      const elementAt = elementsOf(sides, columns, rows);
      const top = topOf(geometry, mapRow, row);
      const count = rows.length / Math.max(1, acrossOf(sides, columns));
      for (let i = 0; i < out.length; i++) {
        const channel = Math.floor(i / madeColumns);
        let sum = 0;
        forEachInWindow(geometry, top, madeColumn + (i % madeColumns), count, (inList, column) => {
          sum += elementAt(inList, channel, column);
        });
        out[i] = sum / (kernel[0] * kernel[1]);
      }
    },
    ({ in: rows, out, ...given }, target) => cycles(workOf(rows, out, geometry, sides, given), 5, 3, target),
    allWorkers,
  );
}

/** A row of the gradient through average pooling: each element's is shared out evenly over its window. */
export function averagePoolGradient(geometry: PoolingGeometry, type: FloatType = "float") {
  const sides = backwards(geometry);
  return codelet(
    describe("AveragePoolGradient", geometry, type),
    { delta: input.vectors(type), out: output.vector(type), ...columnFields(sides) },
    ({ delta, out, ...given }) => {
      const { kernel, stride, padding, width } = geometry;
      const columns = columnsOf(sides, given);
      const { madeColumn, madeColumns } = columns;
      const [first, end] = [Math.max(0, madeColumn), Math.min(width, madeColumn + madeColumns)];
      const share = 1 / (kernel[0] * kernel[1]);
      out.fill(0);
      // Every row of maps in the list has this row in its windows.
      forEachElement(sides, columns, delta, (vector, place, channel, mapColumn) => {
        const left = mapColumn * stride[1] - padding[1];
        for (let column = Math.max(first, left); column < Math.min(end, left + kernel[1]); column++) {
          out[channel * madeColumns + column - madeColumn] += delta[vector][place] * share;
        }
      });
    },
    ({ delta, out, ...given }, target) => cycles(workOf(delta, out, geometry, sides, given), 7, 5, target),
    allWorkers,
  );
}
