import { codelet, input, output, state, type Target } from "../graph/index.ts";
import type { ConvolutionGeometry } from "./convolution.ts";
import { allWorkers, type FloatType } from "./support.ts";

/** What pooling codelets know of their windows when they are compiled. */
export type PoolingGeometry = Omit<ConvolutionGeometry, "dilation">;

// Each vertex makes one row of a group of channels, [channels, width], from a list of rows one below the other.

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

const describe = (
  kind: string,
  { kernel, stride, padding, width, mapWidth }: PoolingGeometry,
  type: FloatType,
): string => `${kind}<${kernel.join("×")}/${stride.join("×")}+${padding.join("×")},${width}→${mapWidth},${type}>`;

/** What a vertex has to do that reads rows and writes one. */
const workOf = (
  rows: { readonly length: number },
  out: { readonly length: number },
  { kernel }: PoolingGeometry,
): PoolingWork => ({ rows: rows.length, items: out.length, positions: rows.length * kernel[1] });

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
  return codelet(
    describe("MaxPool", geometry, type),
    {
      in: input.vectors(type),
      out: output.vector(type),
      index: output.vector("int"),
      mapRow: state(),
      row: state(),
    },
    ({ in: rows, out, index, mapRow, row }) => {
      const { mapWidth, width } = geometry;
      const top = topOf(geometry, mapRow, row);
      for (let i = 0; i < out.length; i++) {
        const channel = Math.floor(i / mapWidth);
        let largest = Number.NEGATIVE_INFINITY;
        let place = noPlace;
        forEachInWindow(geometry, top, i % mapWidth, rows.length, (inList, column) => {
          const value = rows[inList][channel * width + column];
          if (value > largest) place = (row + inList) * width + column;
          largest = Math.max(largest, value);
        });
        out[i] = largest;
        index[i] = Number.isNaN(largest) ? noPlace : place;
      }
    },
    ({ in: rows, out }, target) => cycles(workOf(rows, out, geometry), 4, 3, target),
    allWorkers,
  );
}

/** A row of the gradient through max pooling: each element's goes to where the maximum was found. */
export function maxPoolGradient(geometry: PoolingGeometry, type: FloatType = "float") {
  return codelet(
    describe("MaxPoolGradient", geometry, type),
    { delta: input.vectors(type), index: input.vectors("int"), out: output.vector(type), row: state() },
    ({ delta, index, out, row }) => {
      const { mapWidth, width } = geometry;
      out.fill(0);
      for (const [place, gradients] of delta.entries()) {
        const found = index[place];
        for (let i = 0; i < gradients.length; i++) {
          if (Math.floor(found[i] / width) !== row) continue;
          out[Math.floor(i / mapWidth) * width + (found[i] % width)] += gradients[i];
        }
      }
    },
    ({ delta, out }, target) => cycles(workOf(delta, out, geometry), 7, 5, target),
    allWorkers,
  );
}

/** A row of what stands where the largest elements of other pictures stood; 0 where there was none. */
export function maxPoolTake(geometry: PoolingGeometry, type: FloatType = "float") {
  return codelet(
    describe("MaxPoolTake", geometry, type),
    { in: input.vectors(type), index: input.vector("int"), out: output.vector(type), row: state() },
    ({ in: rows, index, out, row }) => {
      const { mapWidth, width } = geometry;
      for (let i = 0; i < out.length; i++) {
        const first = Math.floor(i / mapWidth) * width;
        const place = index[i];
        out[i] = place === noPlace ? 0 : rows[Math.floor(place / width) - row][first + (place % width)];
      }
    },
    // An element is looked up, which is a window of one position.
    ({ out }, target) => cycles({ rows: 1, items: out.length, positions: 1 }, 4, 3, target),
    allWorkers,
  );
}

/** A row of means; the margin counts as zeros. */
export function averagePool(geometry: PoolingGeometry, type: FloatType = "float") {
  return codelet(
    describe("AveragePool", geometry, type),
    { in: input.vectors(type), out: output.vector(type), mapRow: state(), row: state() },
    ({ in: rows, out, mapRow, row }) => {
      const { kernel, mapWidth, width } = geometry;
      const top = topOf(geometry, mapRow, row);
      for (let i = 0; i < out.length; i++) {
        const channel = Math.floor(i / mapWidth);
        let sum = 0;
        forEachInWindow(geometry, top, i % mapWidth, rows.length, (inList, column) => {
          sum += rows[inList][channel * width + column];
        });
        out[i] = sum / (kernel[0] * kernel[1]);
      }
    },
    ({ in: rows, out }, target) => cycles(workOf(rows, out, geometry), 5, 3, target),
    allWorkers,
  );
}

/** A row of the gradient through average pooling: each element's is shared out evenly over its window. */
export function averagePoolGradient(geometry: PoolingGeometry, type: FloatType = "float") {
  return codelet(
    describe("AveragePoolGradient", geometry, type),
    { delta: input.vectors(type), out: output.vector(type) },
    ({ delta, out }) => {
      const { kernel, mapWidth, width } = geometry;
      const share = 1 / (kernel[0] * kernel[1]);
      out.fill(0);
      // Every row of maps in the list has this row in its windows.
      for (const gradients of delta) {
        for (let i = 0; i < gradients.length; i++) {
          const first = Math.floor(i / mapWidth) * width;
          const left = (i % mapWidth) * geometry.stride[1] - geometry.padding[1];
          for (let column = Math.max(0, left); column < Math.min(width, left + kernel[1]); column++) {
            out[first + column] += gradients[i] * share;
          }
        }
      }
    },
    ({ delta, out }, target) => cycles(workOf(delta, out, geometry), 7, 5, target),
    allWorkers,
  );
}
