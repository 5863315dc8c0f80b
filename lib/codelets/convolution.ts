import { codelet, input, output, state, type Target } from "../graph/index.ts";
import { productCycles } from "./matmul-partial.ts";
import { allWorkers, type FloatType, sharedCodelet } from "./support.ts";

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
  /** Columns of the pictures in a vector, where rows are cut; a vector has whole rows unless told otherwise. */
  readonly block?: number;
  /** Columns of the maps in a vector. */
  readonly mapBlock?: number;
}

// All three work on rows: a vector holds one row of a group of channels, [channels, width], and a block of filters
// [maps, channels, kernel rows, kernel columns]. Where rows are cut a row is several vectors, one for each block of columns
// of which the vertex has any, and the vertex knows which columns these are. Lists of rows are ordered by sample, group of channels and row; those
// of filters by group of maps and group of channels. Rows of a list are `rows` from `row` on, `rowStep` apart. A vertex may
// have several convolutions in parallel, which share no channels: each sample then has the groups of one after the other,
// and so has the list of filters. How many they are follows from the filters' number.

function describe(
  kind: string,
  { kernel, stride, padding, dilation, width, mapWidth, block = width, mapBlock = mapWidth }: ConvolutionGeometry,
  ...types: readonly FloatType[]
): string {
  const window = [kernel.join("×"), `/${stride.join("×")}`, `+${padding.join("×")}`];
  if (dilation.some((gap) => gap > 1)) window.push(`·${dilation.join("×")}`);
  const columns =
    block < width || mapBlock < mapWidth ? `${width}:${block}→${mapWidth}:${mapBlock}` : `${width}→${mapWidth}`;
  return `${kind}<${window.join("")},${columns},${types.join()}>`;
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

/** Columns of which a vertex has blocks: of pictures from `column` on, of maps from `mapColumn` on. */
interface Columns {
  readonly column: number;
  readonly columns: number;
  readonly mapColumn: number;
  readonly mapColumns: number;
}

const columnStates = { column: state(), columns: state(), mapColumn: state(), mapColumns: state() };

/** What vertices know of columns: where rows are whole, nothing. */
function columnFields({ width, mapWidth, block = width, mapBlock = mapWidth }: ConvolutionGeometry): object {
  return block < width || mapBlock < mapWidth ? columnStates : {};
}

/** The columns of a vertex: all of them, where rows are whole. */
function columnsOf({ width, mapWidth }: ConvolutionGeometry, given: Lists & Partial<Columns>): Columns {
  const { column = 0, columns = width, mapColumn = 0, mapColumns = mapWidth } = given;
  return { column, columns, mapColumn, mapColumns };
}

/** Vectors that a row of pictures and a row of maps are. */
function acrossOf(
  { width, mapWidth, block = width, mapBlock = mapWidth }: ConvolutionGeometry,
  { columns, mapColumns }: Columns,
): { readonly across: number; readonly mapAcross: number } {
  return { across: Math.ceil(columns / block), mapAcross: Math.ceil(mapColumns / mapBlock) };
}

/** Calls `visit` for every pair of a vector of a row of pictures and one of a row of maps, with the columns that they have. */
function forEachVectorPair(
  geometry: ConvolutionGeometry,
  whole: Columns,
  visit: (inRow: number, inMapRow: number, columns: Columns) => void,
): void {
  const { block = geometry.width, mapBlock = geometry.mapWidth } = geometry;
  const { across, mapAcross } = acrossOf(geometry, whole);
  for (let inRow = 0; inRow < across; inRow++) {
    for (let inMapRow = 0; inMapRow < mapAcross; inMapRow++) {
      const [done, mapsDone] = [inRow * block, inMapRow * mapBlock];
      visit(inRow, inMapRow, {
        column: whole.column + done,
        columns: Math.min(block, whole.columns - done),
        mapColumn: whole.mapColumn + mapsDone,
        mapColumns: Math.min(mapBlock, whole.mapColumns - mapsDone),
      });
    }
  }
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

/** Calls `visit` for every pair of a column of pictures and a column of maps that a kernel column joins: places in vectors. */
function forEachColumnPair(
  { kernel, stride, padding, dilation }: ConvolutionGeometry,
  { column: first, columns, mapColumn: firstMap, mapColumns }: Columns,
  visit: (column: number, mapColumn: number, kernelColumn: number) => void,
): void {
  for (let kernelColumn = 0; kernelColumn < kernel[1]; kernelColumn++) {
    const left = firstMap * stride[1] - padding[1] + kernelColumn * dilation[1] - first;
    for (let mapColumn = 0; mapColumn < mapColumns; mapColumn++) {
      const column = left + mapColumn * stride[1];
      if (column >= 0 && column < columns) visit(column, mapColumn, kernelColumn);
    }
  }
}

/** Calls `visit` for every product of a vector of pictures, a vector of maps and the kernel row between them. */
function forEachProduct(
  geometry: ConvolutionGeometry,
  columns: Columns,
  channels: number,
  maps: number,
  kernelRows: number,
  kernelRow: number,
  visit: (inPictures: number, inFilters: number, inMaps: number) => void,
): void {
  const { kernel } = geometry;
  const { columns: width, mapColumns: mapWidth } = columns;
  for (let map = 0; map < maps; map++) {
    for (let channel = 0; channel < channels; channel++) {
      const filter = ((map * channels + channel) * kernelRows + kernelRow) * kernel[1];
      forEachColumnPair(geometry, columns, (column, mapColumn, kernelColumn) => {
        visit(channel * width + column, filter + kernelColumn, map * mapWidth + mapColumn);
      });
    }
  }
}

/** Checks lists of rows of so many convolutions in parallel, and tells which columns they have. */
function checkLists(
  geometry: ConvolutionGeometry,
  given: Lists,
  parallel: number,
  pictures: { length: number },
  maps: { length: number },
): Columns {
  const { samples, channelGroups, mapGroups, rows, mapRows } = given;
  const columns = columnsOf(geometry, given);
  const { across, mapAcross } = acrossOf(geometry, columns);
  const [picturesWanted, mapsWanted] = [
    samples * parallel * channelGroups * rows * across,
    samples * parallel * mapGroups * mapRows * mapAcross,
  ];
  if (pictures.length === picturesWanted && maps.length === mapsWanted) return columns;
  throw new Error(
    `rows of pictures and maps must be ${picturesWanted} and ${mapsWanted}, got ${pictures.length} and ${maps.length}; connect a row of each group and sample`,
  );
}

/**
 * Cycles of a vertex: for every position of the kernel and every pair of a group of channels and a group of maps, the
 * matrix unit loads a block of weights and takes the maps' pixels through it, as in a 1×1 convolution; the positions that
 * fall into the margin are left out by whole rows, not by columns. PopLibs' estimator of that convolution, whose constant
 * part is taken once a vertex; or multiply and accumulate, where that is cheaper. Channels and maps are those of all
 * convolutions in parallel.
 */
function cycles(
  geometry: ConvolutionGeometry,
  sizes: Lists,
  {
    parallel,
    channels,
    maps,
    pixels,
  }: { readonly parallel: number; readonly channels: number; readonly maps: number; readonly pixels: number },
  type: FloatType,
  target: Target,
): number {
  const rowPairs = new Map<number, number>();
  forEachRowPair(geometry, sizes, (_row, _mapRow, kernelRow) => {
    rowPairs.set(kernelRow, (rowPairs.get(kernelRow) ?? 0) + 1);
  });
  const passes = [...rowPairs.values()].map((pairs) => ({
    pixels: pairs * pixels,
    times: parallel * geometry.kernel[1],
  }));
  return productCycles(passes, channels / parallel, maps / parallel, type, target);
}

/** So many elements shared out evenly; nothing among nobody. */
const each = (elements: number, among: number): number => (among === 0 ? 0 : elements / among);

/** What a convolution's vertices read, and what they leave: sums are single precision, rounded when stored. */
interface ConvolutionTypes {
  readonly type?: FloatType;
  readonly result?: FloatType;
}

/** A part of the maps of a convolution: sums over the vertex's channels; what other channels add is reduced later. */
export function convolutionPartial(
  geometry: ConvolutionGeometry,
  { type = "float", result = "float" }: ConvolutionTypes = {},
) {
  const name = describe("ConvolutionPartial", geometry, type, result);
  return sharedCodelet(name, () =>
    codelet(
      name,
      {
        in: input.vectors(type),
        weights: input.vectors(type),
        out: output.vectors(result),
        ...lists,
        ...columnFields(geometry),
      },
      ({ in: pictures, weights, out: maps, ...given }) => {
        const { samples, channelGroups, mapGroups, rows, mapRows } = given;
        const parallel = weights.length / (mapGroups * channelGroups);
        const columns = checkLists(geometry, given, parallel, pictures, maps);
        const { across, mapAcross } = acrossOf(geometry, columns);
        for (const row of maps) row.fill(0);
        for (let sample = 0; sample < samples * parallel; sample++) {
          const firstFilter = (sample % parallel) * mapGroups * channelGroups;
          for (let mapGroup = 0; mapGroup < mapGroups; mapGroup++) {
            for (let group = 0; group < channelGroups; group++) {
              const filters = weights[firstFilter + mapGroup * channelGroups + group];
              forEachRowPair(geometry, given, (inPictures, inMaps, kernelRow) => {
                const row = ((sample * channelGroups + group) * rows + inPictures) * across;
                const mapRow = ((sample * mapGroups + mapGroup) * mapRows + inMaps) * mapAcross;
                forEachVectorPair(geometry, columns, (inRow, inMapRow, own) => {
                  const [x, y] = [pictures[row + inRow], maps[mapRow + inMapRow]];
                  const [channels, count] = [x.length / own.columns, y.length / own.mapColumns];
                  forEachProduct(geometry, own, channels, count, geometry.kernel[0], kernelRow, (inX, inW, inY) => {
                    y[inY] += x[inX] * filters[inW];
                  });
                });
              });
            }
          }
        }
      },
      ({ in: pictures, weights, out, ...given }, target) => {
        const parallel = weights.length / (given.mapGroups * given.channelGroups);
        const { columns, mapColumns } = checkLists(geometry, given, parallel, pictures, out);
        const channels = each(pictures.elements, given.samples * given.rows * columns);
        const maps = out.elements / (given.samples * given.mapRows * mapColumns);
        return cycles(geometry, given, { parallel, channels, maps, pixels: given.samples * mapColumns }, type, target);
      },
      allWorkers,
    ),
  );
}

/** A part of the gradient with respect to pictures: sums over the vertex's maps. */
export function convolutionInputGradient(
  geometry: ConvolutionGeometry,
  { type = "float", result = "float" }: ConvolutionTypes = {},
) {
  const name = describe("ConvolutionInputGradient", geometry, type, result);
  return sharedCodelet(name, () =>
    codelet(
      name,
      {
        delta: input.vectors(type),
        weights: input.vectors(type),
        out: output.vectors(result),
        ...lists,
        ...columnFields(geometry),
      },
      ({ delta, weights, out: pictures, ...given }) => {
        const { samples, channelGroups, mapGroups, rows, mapRows } = given;
        const parallel = weights.length / (mapGroups * channelGroups);
        const columns = checkLists(geometry, given, parallel, pictures, delta);
        const { across, mapAcross } = acrossOf(geometry, columns);
        for (const row of pictures) row.fill(0);
        for (let sample = 0; sample < samples * parallel; sample++) {
          const firstFilter = (sample % parallel) * mapGroups * channelGroups;
          for (let group = 0; group < channelGroups; group++) {
            for (let mapGroup = 0; mapGroup < mapGroups; mapGroup++) {
              const filters = weights[firstFilter + mapGroup * channelGroups + group];
              forEachRowPair(geometry, given, (inPictures, inMaps, kernelRow) => {
                const row = ((sample * channelGroups + group) * rows + inPictures) * across;
                const mapRow = ((sample * mapGroups + mapGroup) * mapRows + inMaps) * mapAcross;
                forEachVectorPair(geometry, columns, (inRow, inMapRow, own) => {
                  const [x, y] = [pictures[row + inRow], delta[mapRow + inMapRow]];
                  const [channels, count] = [x.length / own.columns, y.length / own.mapColumns];
                  forEachProduct(geometry, own, channels, count, geometry.kernel[0], kernelRow, (inX, inW, inY) => {
                    x[inX] += y[inY] * filters[inW];
                  });
                });
              });
            }
          }
        }
      },
      ({ delta, weights, out, ...given }, target) => {
        const parallel = weights.length / (given.mapGroups * given.channelGroups);
        const { columns, mapColumns } = checkLists(geometry, given, parallel, out, delta);
        const channels = out.elements / (given.samples * given.rows * columns);
        const maps = each(delta.elements, given.samples * given.mapRows * mapColumns);
        // A position of the kernel joins as many columns of maps as have one of the vertex's columns of pictures under it.
        const pixels = given.samples * Math.min(mapColumns, Math.ceil(columns / geometry.stride[1]));
        return cycles(geometry, given, { parallel, channels, maps, pixels }, type, target);
      },
      allWorkers,
    ),
  );
}

/**
 * A part of the gradient with respect to filters, for kernel rows `kernelRow` to `kernelRow + kernelRows`: sums over the
 * vertex's samples and rows. Each kernel row of a pair of groups is a block of its own, [maps, channels, kernel columns].
 */
export function convolutionWeightGradient(
  geometry: ConvolutionGeometry,
  { type = "float", result = "float" }: ConvolutionTypes = {},
) {
  const name = describe("ConvolutionWeightGradient", geometry, type, result);
  const kernelPart = { kernelRow: state(), kernelRows: state() };
  return sharedCodelet(name, () =>
    codelet(
      name,
      {
        in: input.vectors(type),
        delta: input.vectors(type),
        out: output.vectors(result),
        ...lists,
        ...columnFields(geometry),
        ...kernelPart,
      },
      ({ in: pictures, delta, out, kernelRow: firstKernelRow, kernelRows, ...given }) => {
        const { samples, channelGroups, mapGroups, rows, mapRows } = given;
        const parallel = out.length / (mapGroups * channelGroups * kernelRows);
        const columns = checkLists(geometry, given, parallel, pictures, delta);
        const { across, mapAcross } = acrossOf(geometry, columns);
        for (const block of out) block.fill(0);
        for (let maps = 0; maps < parallel * mapGroups; maps++) {
          const [own, mapGroup] = [Math.floor(maps / mapGroups), maps % mapGroups];
          for (let group = 0; group < channelGroups; group++) {
            const first = (maps * channelGroups + group) * kernelRows;
            for (let index = 0; index < samples; index++) {
              const sample = index * parallel + own;
              forEachRowPair(geometry, given, (inPictures, inMaps, kernelRow) => {
                if (kernelRow < firstKernelRow || kernelRow >= firstKernelRow + kernelRows) return;
                const row = ((sample * channelGroups + group) * rows + inPictures) * across;
                const mapRow = ((sample * mapGroups + mapGroup) * mapRows + inMaps) * mapAcross;
                const filters: Vector = out[first + kernelRow - firstKernelRow];
                forEachVectorPair(geometry, columns, (inRow, inMapRow, own) => {
                  const [x, y] = [pictures[row + inRow], delta[mapRow + inMapRow]];
                  const [channels, count] = [x.length / own.columns, y.length / own.mapColumns];
                  forEachProduct(geometry, own, channels, count, 1, 0, (inX, inW, inY) => {
                    filters[inW] += x[inX] * y[inY];
                  });
                });
              });
            }
          }
        }
      },
      ({ in: pictures, delta, out, kernelRow, kernelRows, ...given }, target) => {
        const parallel = out.length / (given.mapGroups * given.channelGroups * kernelRows);
        const { columns, mapColumns } = checkLists(geometry, given, parallel, pictures, delta);
        const channels = each(pictures.elements, given.samples * given.rows * columns);
        const maps = each(delta.elements, given.samples * given.mapRows * mapColumns);
        // The sums run over pixels: for the matrix unit a block of them takes the place of a block of channels, and the
        // kernel's positions that of pixels.
        const pixels = given.samples * given.mapRows * mapColumns;
        const passes = [{ pixels: (channels / parallel) * kernelRows * geometry.kernel[1], times: parallel }];
        return productCycles(passes, pixels, maps / parallel, type, target);
      },
      allWorkers,
    ),
  );
}
