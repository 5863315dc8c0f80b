import type { ConvolutionGeometry } from "../../codelets/index.ts";
import { BlockLayout, type Codelet, type PlacedTensor } from "../../graph/index.ts";
import type { Operation, Value } from "../../ir/index.ts";
import type { Shape } from "../../tensor/index.ts";
import { type Piece, type Rows, rowsOf } from "../columns.ts";
import type { Lowering } from "../lowering.ts";

/** Pictures, filters and maps of a convolution, and what its codelets know of it. */
export interface Sides {
  readonly geometry: ConvolutionGeometry;
  readonly height: number;
  readonly mapHeight: number;
}

export function sidesOf(
  { attributes }: Operation,
  pictures: readonly number[],
  filters: readonly number[],
  maps: readonly number[],
): Sides {
  const numbers = (name: string): readonly number[] => attributes[name] as readonly number[];
  const geometry = {
    kernel: filters.slice(2),
    stride: numbers("stride"),
    padding: numbers("padding"),
    dilation: numbers("dilation"),
    width: pictures[3],
    mapWidth: maps[3],
  };
  return { geometry, height: pictures[2], mapHeight: maps[2] };
}

/** Rows of pictures that some rows of maps need. */
export function picturesFor({ geometry, height }: Sides, { start, end }: Piece): Rows {
  const { kernel, stride, padding, dilation } = geometry;
  const rows = new Set<number>();
  for (let row = start; row < end; row++) {
    for (let i = 0; i < kernel[0]; i++) rows.add(row * stride[0] - padding[0] + i * dilation[0]);
  }
  return rowsOf([...rows].filter((row) => row >= 0 && row < height).sort((a, b) => a - b));
}

/** Rows of maps in whose windows some rows of pictures lie. */
export function mapsFor({ geometry, mapHeight }: Sides, { start, end }: Piece): Rows {
  const { kernel, stride, padding, dilation } = geometry;
  const rows = new Set<number>();
  for (let row = start; row < end; row++) {
    for (let i = 0; i < kernel[0]; i++) {
      const mapRow = (row + padding[0] - i * dilation[0]) / stride[0];
      if (Number.isInteger(mapRow) && mapRow >= 0 && mapRow < mapHeight) rows.add(mapRow);
    }
  }
  return rowsOf([...rows].sort((a, b) => a - b));
}

/** Columns of pictures that some columns of maps need. */
export function pictureColumnsFor({ geometry }: Sides, { start, end }: Piece): Piece {
  const { kernel, stride, padding, dilation, width } = geometry;
  const first = Math.max(0, start * stride[1] - padding[1]);
  const last = (end - 1) * stride[1] - padding[1] + (kernel[1] - 1) * dilation[1];
  return { start: Math.min(first, width), end: Math.max(Math.min(first, width), Math.min(width, last + 1)) };
}

/** Columns of maps in whose windows some columns of pictures lie. */
export function mapColumnsFor({ geometry }: Sides, { start, end }: Piece): Piece {
  const { kernel, stride, padding, dilation, mapWidth } = geometry;
  const first = Math.ceil((start + padding[1] - (kernel[1] - 1) * dilation[1]) / stride[1]);
  const last = Math.floor((end - 1 + padding[1]) / stride[1]);
  const from = Math.min(mapWidth, Math.max(0, first));
  return { start: from, end: Math.max(from, Math.min(mapWidth, last + 1)) };
}

/** Blocks of columns of a row, and the columns that these are. */
export interface ColumnBlocks {
  readonly blocks: Piece;
  readonly column: number;
  readonly columns: number;
}

/** The blocks in which some columns of a tensor [samples, channels, rows, columns] lie. */
export function columnBlocks({ shape, block }: BlockLayout, { start, end }: Piece): ColumnBlocks {
  if (start === end) return { blocks: { start: 0, end: 0 }, column: 0, columns: 0 };
  const blocks = { start: Math.floor(start / block[3]), end: Math.ceil(end / block[3]) };
  const column = blocks.start * block[3];
  return { blocks, column, columns: Math.min(blocks.end * block[3], shape[3]) - column };
}

/** A tensor in rows of groups of channels as it lies, however these rows are cut; moved into them if it does not. */
export function inRows(lowering: Lowering, value: Value, rows: BlockLayout): PlacedTensor {
  const { layout } = lowering.get(value);
  const { shape, block } = layout;
  const fits = shape.length === 4 && block[0] === 1 && block[1] === rows.block[1] && block[2] === 1;
  return lowering.getIn(value, fits ? layout : rows);
}

/** Rows of maps, out of some, and of pictures, between which some rows of the kernel stand. */
export function pairsFor(
  sides: Sides,
  { start, end }: Piece,
  among: Piece,
): { readonly rows: Rows; readonly mapRows: Rows } {
  const { kernel, stride, padding, dilation } = sides.geometry;
  if (end - start === kernel[0] && kernel[0] > 1 && among.end - among.start === sides.mapHeight) {
    return { rows: { first: 0, step: 1, count: sides.height }, mapRows: { first: 0, step: 1, count: sides.mapHeight } };
  }
  const maps = new Set<number>();
  for (let i = start; i < end; i++) {
    for (let row = among.start; row < among.end; row++) {
      const picture = row * stride[0] - padding[0] + i * dilation[0];
      if (picture >= 0 && picture < sides.height) maps.add(row);
    }
  }
  const mapRows = rowsOf([...maps].sort((a, b) => a - b));
  const pictures = new Set<number>();
  for (let i = start; i < end; i++) {
    for (let index = 0; index < mapRows.count; index++) {
      const row = (mapRows.first + index * mapRows.step) * stride[0] - padding[0] + i * dilation[0];
      if (row >= 0 && row < sides.height) pictures.add(row);
    }
  }
  return { rows: rowsOf([...pictures].sort((a, b) => a - b)), mapRows };
}

/**
 * Writes the blocks of rows of a tensor [samples, channels, rows, columns] for some samples, convolutions and groups of
 * channels: those of some columns, or all.
 */
export function rowWriter({ variable, layout }: PlacedTensor, parallel: number) {
  const [, groups, height, across] = layout.grid;
  const whole = { start: 0, end: across };
  const each = groups / parallel;
  return (
    into: Uint32Array,
    at: number,
    samples: Piece,
    own: Piece,
    group: Piece,
    { first, step, count }: Rows,
    columns: Piece = whole,
  ): void => {
    for (let n = samples.start; n < samples.end; n++) {
      for (let p = own.start; p < own.end; p++) {
        for (let g = group.start; g < group.end; g++) {
          const plane = (n * groups + p * each + g) * height + first;
          for (let index = 0; index < count; index++) {
            const row = variable.firstBlock + (plane + index * step) * across;
            for (let block = columns.start; block < columns.end; block++) into[at++] = row + block;
          }
        }
      }
    }
  };
}

/** Writes the blocks of filters [maps, channels, …] between some groups of maps and of channels. */
export function filterWriter({ variable, layout }: PlacedTensor, parallel: number) {
  const [all, groups] = layout.grid;
  const each = all / parallel;
  return (into: Uint32Array, at: number, own: Piece, maps: Piece, channels: Piece): void => {
    for (let p = own.start; p < own.end; p++) {
      for (let m = maps.start; m < maps.end; m++) {
        const row = variable.firstBlock + (p * each + m) * groups;
        for (let c = channels.start; c < channels.end; c++) into[at++] = row + c;
      }
    }
  };
}

/** A value that is looked up by piece, so that it is found out once. */
export function byPiece<T>(pieces: readonly Piece[], numberOf: (piece: Piece) => T): (piece: Piece) => T {
  const known = new Map(pieces.map((piece) => [piece, numberOf(piece)] as const));
  return (piece) => known.get(piece) as T;
}

/** Layouts of pictures, filters and maps of a convolution, and how many convolutions it is that share no channels. */
interface Layouts {
  readonly parallel: number;
  readonly pictures: BlockLayout;
  readonly filters: BlockLayout;
  readonly maps: BlockLayout;
}

/** The largest number up to `most` that divides another. */
function divisor(number: number, most: number): number {
  let found = Math.min(number, most);
  while (number % found !== 0) found--;
  return found;
}

/** Of several convolutions in parallel no block of channels or maps may belong to two. */
export function layoutsOf(
  lowering: Lowering,
  { attributes }: Operation,
  pictures: Shape,
  filters: Shape,
  maps: Shape,
): Layouts {
  const parallel = attributes.groups as number;
  if (parallel === 1) {
    return {
      parallel,
      pictures: lowering.layoutFor(pictures),
      filters: lowering.layoutFor(filters, true),
      maps: lowering.layoutFor(maps),
    };
  }
  const { group } = lowering.grain;
  const [channels, filtersEach] = [divisor(filters[1], group), divisor(filters[0] / parallel, group)];
  return {
    parallel,
    pictures: new BlockLayout(pictures, [1, channels, 1, pictures[3]]),
    filters: new BlockLayout(filters, [filtersEach, channels, filters[2], filters[3]]),
    maps: new BlockLayout(maps, [1, filtersEach, 1, maps[3]]),
  };
}

/** Extents, or pieces, of a work with the axis of convolutions in parallel, which is there only if there are several. */
export const withParallel = (parallel: number, extents: readonly number[]): readonly number[] =>
  parallel === 1 ? extents.toSpliced(1, 0, 1) : extents;

/** Extents of a work as the planner is told: without an axis of one. */
export const workItems = <T>(parallel: number, extents: readonly T[]): readonly T[] =>
  parallel === 1 ? extents.toSpliced(1, 1) : extents;

/** Cycles that a codelet estimates for a vertex with lists of these sizes. */
export function estimated(lowering: Lowering, codelet: Codelet, sizes: Readonly<Record<string, unknown>>): number {
  return codelet.cycles(sizes as Parameters<Codelet["cycles"]>[0], lowering.target);
}

export const isFloat = ({ inputs }: Operation): boolean => inputs.every(({ type }) => type.dtype === "float32");
