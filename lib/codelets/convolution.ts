import { codelet, input, output, state, type Target } from "../graph/index.ts";
import { matrixUnitCycles } from "./matmul-partial.ts";
import { allWorkers, type FloatType } from "./support.ts";

/** What a convolution's codelets know of it when they are compiled, as Poplar's do by their template arguments. */
export interface ConvolutionGeometry {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  /** Columns of the pictures. */
  readonly width: number;
  /** Columns of the maps. */
  readonly mapWidth: number;
}

// All three work on rows: a vector holds one row of a group of channels, [channels, width], and a block of filters
// [maps, channels, kernel rows, kernel columns]. Lists of rows are ordered by sample, group of channels and row; those
// of filters by group of maps and group of channels. Rows of a list are `rows` from `row` on, `rowStep` apart.

function describe(kind: string, { kernel, stride, padding, dilation, width, mapWidth }: ConvolutionGeometry): string {
  const window = [kernel.join("×"), `/${stride.join("×")}`, `+${padding.join("×")}`];
  if (dilation.some((gap) => gap > 1)) window.push(`·${dilation.join("×")}`);
  return `${kind}<${window.join("")},${width}→${mapWidth}>`;
}

const lists = {
  /** Samples of the lists of rows. */
  samples: state(),
  /** Groups of channels of pictures. */
  channelGroups: state(),
  /** Groups of channels of maps. */
  mapGroups: state(),
  row: state(),
  rowStep: state(),
  rows: state(),
  mapRow: state(),
  mapRowStep: state(),
  mapRows: state(),
};

interface Lists {
  readonly samples: number;
  readonly channelGroups: number;
  readonly mapGroups: number;
  readonly row: number;
  readonly rowStep: number;
  readonly rows: number;
  readonly mapRow: number;
  readonly mapRowStep: number;
  readonly mapRows: number;
}

interface Vector {
  readonly length: number;
  [index: number]: number;
}

/** Calls `visit` for every pair of a row of pictures and a row of maps that a kernel row joins: places in the lists. */
function forEachRowPair(
  { kernel, stride, padding, dilation }: ConvolutionGeometry,
  { row, rowStep, rows, mapRow, mapRowStep, mapRows }: Lists,
  visit: (inPictures: number, inMaps: number, kernelRow: number) => void,
): void {
  for (let inMaps = 0; inMaps < mapRows; inMaps++) {
    const top = (mapRow + inMaps * mapRowStep) * stride[0] - padding[0];
    for (let kernelRow = 0; kernelRow < kernel[0]; kernelRow++) {
      const distance = top + kernelRow * dilation[0] - row;
      const inPictures = distance / rowStep;
      if (Number.isInteger(inPictures) && inPictures >= 0 && inPictures < rows) visit(inPictures, inMaps, kernelRow);
    }
  }
}

/** Calls `visit` for every pair of a column of pictures and a column of maps that a kernel column joins. */
function forEachColumnPair(
  { kernel, stride, padding, dilation, width, mapWidth }: ConvolutionGeometry,
  visit: (column: number, mapColumn: number, kernelColumn: number) => void,
): void {
  for (let kernelColumn = 0; kernelColumn < kernel[1]; kernelColumn++) {
    for (let mapColumn = 0; mapColumn < mapWidth; mapColumn++) {
      const column = mapColumn * stride[1] - padding[1] + kernelColumn * dilation[1];
      if (column >= 0 && column < width) visit(column, mapColumn, kernelColumn);
    }
  }
}

/** Calls `visit` for every product of a row of pictures, a row of maps and the kernel row between them. */
function forEachProduct(
  geometry: ConvolutionGeometry,
  channels: number,
  maps: number,
  kernelRows: number,
  kernelRow: number,
  visit: (inPictures: number, inFilters: number, inMaps: number) => void,
): void {
  const { kernel, width, mapWidth } = geometry;
  for (let map = 0; map < maps; map++) {
    for (let channel = 0; channel < channels; channel++) {
      const filter = ((map * channels + channel) * kernelRows + kernelRow) * kernel[1];
      forEachColumnPair(geometry, (column, mapColumn, kernelColumn) => {
        visit(channel * width + column, filter + kernelColumn, map * mapWidth + mapColumn);
      });
    }
  }
}

function checkLists(given: Lists, pictures: { length: number }, maps: { length: number }): void {
  const { samples, channelGroups, mapGroups, rows, mapRows } = given;
  const [picturesWanted, mapsWanted] = [samples * channelGroups * rows, samples * mapGroups * mapRows];
  if (pictures.length === picturesWanted && maps.length === mapsWanted) return;
  throw new Error(
    `rows of pictures and maps must be ${picturesWanted} and ${mapsWanted}, got ${pictures.length} and ${maps.length}; connect a row of each group and sample`,
  );
}

/**
 * Cycles of a vertex: for every position of the kernel and every pair of a group of channels and a group of maps, the
 * matrix unit loads a block of weights and takes the maps' pixels through it, as in a 1×1 convolution; the positions that
 * fall into the margin are left out by whole rows, not by columns. PopLibs' estimator of that convolution, whose constant
 * part is taken once a vertex.
 */
function cycles(
  geometry: ConvolutionGeometry,
  sizes: Lists,
  { channels, maps, pixels }: { readonly channels: number; readonly maps: number; readonly pixels: number },
  type: FloatType,
  target: Target,
): number {
  const rowPairs = new Map<number, number>();
  forEachRowPair(geometry, sizes, (_row, _mapRow, kernelRow) => {
    rowPairs.set(kernelRow, (rowPairs.get(kernelRow) ?? 0) + 1);
  });
  const passes = [...rowPairs.values()].map((pairs) => ({ pixels: pairs * pixels, times: geometry.kernel[1] }));
  return matrixUnitCycles(passes, channels, maps, type, target);
}

const known = new Map<string, unknown>();

/** One codelet object for each name, so that vertices of a kind are counted together. */
function shared<C>(name: string, make: () => C): C {
  let found = known.get(name) as C | undefined;
  if (found === undefined) known.set(name, (found = make()));
  return found;
}

/** A part of the maps of a convolution: sums over the vertex's channels; what other channels add is reduced later. */
export function convolutionPartial(geometry: ConvolutionGeometry, type: FloatType = "float") {
  const name = describe("ConvolutionPartial", geometry);
  return shared(`${name}${type}`, () =>
    codelet(
      name,
      { in: input.vectors(type), weights: input.vectors(type), out: output.vectors("float"), ...lists },
      ({ in: pictures, weights, out: maps, ...given }) => {
        checkLists(given, pictures, maps);
        const { samples, channelGroups, mapGroups, rows, mapRows } = given;
        for (const row of maps) row.fill(0);
        for (let sample = 0; sample < samples; sample++) {
          for (let mapGroup = 0; mapGroup < mapGroups; mapGroup++) {
            for (let group = 0; group < channelGroups; group++) {
              const filters = weights[mapGroup * channelGroups + group];
              forEachRowPair(geometry, given, (inPictures, inMaps, kernelRow) => {
                const x = pictures[(sample * channelGroups + group) * rows + inPictures];
                const y = maps[(sample * mapGroups + mapGroup) * mapRows + inMaps];
                const [channels, count] = [x.length / geometry.width, y.length / geometry.mapWidth];
                forEachProduct(geometry, channels, count, geometry.kernel[0], kernelRow, (inX, inW, inY) => {
                  y[inY] += x[inX] * filters[inW];
                });
              });
            }
          }
        }
      },
      ({ in: pictures, out, ...given }, target) => {
        checkLists(given, pictures, out);
        const channels = pictures.elements / (given.samples * given.rows * geometry.width);
        const maps = out.elements / (given.samples * given.mapRows * geometry.mapWidth);
        return cycles(geometry, given, { channels, maps, pixels: given.samples * geometry.mapWidth }, type, target);
      },
      allWorkers,
    ),
  );
}

/** A part of the gradient with respect to pictures: sums over the vertex's maps. */
export function convolutionInputGradient(geometry: ConvolutionGeometry, type: FloatType = "float") {
  const name = describe("ConvolutionInputGradient", geometry);
  return shared(`${name}${type}`, () =>
    codelet(
      name,
      { delta: input.vectors(type), weights: input.vectors(type), out: output.vectors("float"), ...lists },
      ({ delta, weights, out: pictures, ...given }) => {
        checkLists(given, pictures, delta);
        const { samples, channelGroups, mapGroups, rows, mapRows } = given;
        for (const row of pictures) row.fill(0);
        for (let sample = 0; sample < samples; sample++) {
          for (let group = 0; group < channelGroups; group++) {
            for (let mapGroup = 0; mapGroup < mapGroups; mapGroup++) {
              const filters = weights[mapGroup * channelGroups + group];
              forEachRowPair(geometry, given, (inPictures, inMaps, kernelRow) => {
                const x = pictures[(sample * channelGroups + group) * rows + inPictures];
                const y = delta[(sample * mapGroups + mapGroup) * mapRows + inMaps];
                const [channels, count] = [x.length / geometry.width, y.length / geometry.mapWidth];
                forEachProduct(geometry, channels, count, geometry.kernel[0], kernelRow, (inX, inW, inY) => {
                  x[inX] += y[inY] * filters[inW];
                });
              });
            }
          }
        }
      },
      ({ delta, out, ...given }, target) => {
        checkLists(given, out, delta);
        const channels = out.elements / (given.samples * given.rows * geometry.width);
        const maps = given.mapRows === 0 ? 0 : delta.elements / (given.samples * given.mapRows * geometry.mapWidth);
        return cycles(geometry, given, { channels, maps, pixels: given.samples * geometry.mapWidth }, type, target);
      },
      allWorkers,
    ),
  );
}

/**
 * A part of the gradient with respect to filters, for kernel rows `kernelRow` to `kernelRow + kernelRows`: sums over the
 * vertex's samples and rows. Each kernel row of a pair of groups is a block of its own, [maps, channels, kernel columns].
 */
export function convolutionWeightGradient(geometry: ConvolutionGeometry, type: FloatType = "float") {
  const name = describe("ConvolutionWeightGradient", geometry);
  const kernelPart = { kernelRow: state(), kernelRows: state() };
  return shared(`${name}${type}`, () =>
    codelet(
      name,
      {
        in: input.vectors(type),
        delta: input.vectors(type),
        out: output.vectors("float"),
        ...lists,
        ...kernelPart,
      },
      ({ in: pictures, delta, out, kernelRow: firstKernelRow, kernelRows, ...given }) => {
        checkLists(given, pictures, delta);
        const { samples, channelGroups, mapGroups, rows, mapRows } = given;
        for (const block of out) block.fill(0);
        for (let mapGroup = 0; mapGroup < mapGroups; mapGroup++) {
          for (let group = 0; group < channelGroups; group++) {
            const first = (mapGroup * channelGroups + group) * kernelRows;
            for (let sample = 0; sample < samples; sample++) {
              forEachRowPair(geometry, given, (inPictures, inMaps, kernelRow) => {
                if (kernelRow < firstKernelRow || kernelRow >= firstKernelRow + kernelRows) return;
                const x = pictures[(sample * channelGroups + group) * rows + inPictures];
                const y = delta[(sample * mapGroups + mapGroup) * mapRows + inMaps];
                const [channels, count] = [x.length / geometry.width, y.length / geometry.mapWidth];
                const filters: Vector = out[first + kernelRow - firstKernelRow];
                forEachProduct(geometry, channels, count, 1, 0, (inX, inW, inY) => {
                  filters[inW] += x[inX] * y[inY];
                });
              });
            }
          }
        }
      },
      ({ in: pictures, delta, kernelRow, kernelRows, ...given }, target) => {
        checkLists(given, pictures, delta);
        const channels = given.rows === 0 ? 0 : pictures.elements / (given.samples * given.rows * geometry.width);
        const maps = given.mapRows === 0 ? 0 : delta.elements / (given.samples * given.mapRows * geometry.mapWidth);
        // The sums run over pixels: for the matrix unit a block of them takes the place of a block of channels, and the
        // kernel's positions that of pixels.
        const pixels = given.samples * given.mapRows * geometry.mapWidth;
        const passes = [{ pixels: channels * kernelRows * geometry.kernel[1], times: 1 }];
        return matrixUnitCycles(passes, pixels, maps, type, target);
      },
      allWorkers,
    ),
  );
}
