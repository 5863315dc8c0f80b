import {
  type ConvolutionGeometry,
  convolutionInputGradient,
  convolutionPartial,
  convolutionWeightGradient,
} from "../../codelets/index.ts";
import { BlockLayout, type Codelet, elementBytes, type PlacedTensor, type StateColumn } from "../../graph/index.ts";
import type { Operation } from "../../ir/index.ts";
import { Boxes, type Piece, type Rows, rowsOf } from "../columns.ts";
import type { Work } from "../grain.ts";
import type { Lowering } from "../lowering.ts";
import { finishPartials } from "./reduce.ts";
import { wholeRule } from "./whole.ts";
import { boxTiles, byPlace, isIdentity, reductionCost, size, tilesOfReaders, workKey } from "./work.ts";

/** Pictures, filters and maps of a convolution, and what its codelets know of it. */
interface Sides {
  readonly geometry: ConvolutionGeometry;
  readonly height: number;
  readonly mapHeight: number;
}

function sidesOf(
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
function picturesFor({ geometry, height }: Sides, { start, end }: Piece): Rows {
  const { kernel, stride, padding, dilation } = geometry;
  const rows = new Set<number>();
  for (let row = start; row < end; row++) {
    for (let i = 0; i < kernel[0]; i++) rows.add(row * stride[0] - padding[0] + i * dilation[0]);
  }
  return rowsOf([...rows].filter((row) => row >= 0 && row < height).sort((a, b) => a - b));
}

/** Rows of maps in whose windows some rows of pictures lie. */
function mapsFor({ geometry, mapHeight }: Sides, { start, end }: Piece): Rows {
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

/** Rows of maps, and of pictures, between which some rows of the kernel stand. */
function pairsFor(sides: Sides, { start, end }: Piece): { readonly rows: Rows; readonly mapRows: Rows } {
  const { kernel, stride, padding, dilation } = sides.geometry;
  if (end - start === kernel[0] && kernel[0] > 1) {
    return { rows: { first: 0, step: 1, count: sides.height }, mapRows: { first: 0, step: 1, count: sides.mapHeight } };
  }
  const maps = new Set<number>();
  for (let i = start; i < end; i++) {
    for (let row = 0; row < sides.mapHeight; row++) {
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

/** Writes the blocks of rows of a tensor [samples, channels, rows, columns] for some samples and groups of channels. */
function rowWriter({ variable, layout }: PlacedTensor) {
  const [, groups, height] = layout.grid;
  return (into: Uint32Array, at: number, samples: Piece, group: Piece, { first, step, count }: Rows): void => {
    for (let n = samples.start; n < samples.end; n++) {
      for (let g = group.start; g < group.end; g++) {
        const row = variable.firstBlock + (n * groups + g) * height + first;
        for (let index = 0; index < count; index++) into[at++] = row + index * step;
      }
    }
  };
}

/** Writes the blocks of filters [maps, channels, …] between some groups of maps and of channels. */
function filterWriter({ variable, layout }: PlacedTensor) {
  const [, groups] = layout.grid;
  return (into: Uint32Array, at: number, maps: Piece, channels: Piece): void => {
    for (let m = maps.start; m < maps.end; m++) {
      for (let c = channels.start; c < channels.end; c++) into[at++] = variable.firstBlock + m * groups + c;
    }
  };
}

/** A value that is looked up by piece, so that it is found out once. */
function byPiece<T>(pieces: readonly Piece[], numberOf: (piece: Piece) => T): (piece: Piece) => T {
  const known = new Map(pieces.map((piece) => [piece, numberOf(piece)] as const));
  return (piece) => known.get(piece) as T;
}

interface ListStates {
  readonly samples: StateColumn;
  readonly channelGroups: StateColumn;
  readonly mapGroups: StateColumn;
}

/** States that say which rows a vertex has, of pictures or of maps. */
function rowStates(
  boxes: Boxes,
  axis: number,
  prefix: "row" | "mapRow",
  rows: (piece: Piece) => Rows,
): Record<string, StateColumn> {
  return {
    [prefix]: boxes.state(axis, (piece) => rows(piece).first),
    [`${prefix}Step`]: boxes.state(axis, (piece) => rows(piece).step),
    [`${prefix}s`]: boxes.state(axis, (piece) => rows(piece).count),
  };
}

const plainRows = ({ start, end }: Piece): Rows => ({ first: start, step: 1, count: end - start });

/** Cycles that a codelet estimates for a vertex with lists of these sizes. */
function estimated(lowering: Lowering, codelet: Codelet, sizes: Readonly<Record<string, unknown>>): number {
  return codelet.cycles(sizes as Parameters<Codelet["cycles"]>[0], lowering.target);
}

const isPlain = ({ attributes, inputs }: Operation): boolean =>
  attributes.groups === 1 && inputs.every(({ type }) => type.dtype === "float32");

/** Where results of parts of the last axis lie between computing and adding up: result by result, part after part. */
function partialLayout(result: BlockLayout, axis: number, pieces: number): BlockLayout {
  return new BlockLayout(result.shape.toSpliced(axis, 0, pieces), result.block.toSpliced(axis, 0, 1));
}

/** What is the same of a convolution and of its gradient with respect to pictures: rows are made from rows and filters. */
interface RowsFromRows {
  readonly from: PlacedTensor;
  readonly filters: PlacedTensor;
  readonly result: BlockLayout;
  readonly codelet: Codelet;
  readonly fromField: "in" | "delta";
  readonly rowsFor: (piece: Piece) => Rows;
}

function rowsFromRows(lowering: Lowering, operation: Operation, sides: Sides, given: RowsFromRows): void {
  const { from, filters, result, codelet, fromField, rowsFor } = given;
  const [y] = operation.outputs;
  const [samples, groups, height] = result.grid;
  const forward = fromField === "in";
  const items = [samples, groups, height, from.layout.grid[1]];
  const states = (all: { samples: unknown; made: unknown; read: unknown }) => ({
    samples: all.samples,
    channelGroups: forward ? all.read : all.made,
    mapGroups: forward ? all.made : all.read,
  });
  const [madeRow, readRow] = forward ? (["mapRow", "row"] as const) : (["row", "mapRow"] as const);
  const { float } = elementBytes;
  const work: Work = {
    name: lowering.path(""),
    key: workKey(operation),
    axes: ["samples", forward ? "maps" : "channels", "rows", forward ? "channels" : "maps"],
    items,
    cost([n, made, rows, read], pieces) {
      const middle = Math.floor((height - rows) / 2);
      const needed = rowsFor({ start: middle, end: middle + rows });
      const channels = Math.min(read * from.layout.block[1], from.layout.shape[1]);
      const outputs = Math.min(made * result.block[1], result.shape[1]);
      const inElements = n * needed.count * channels * from.layout.shape[3];
      const outElements = n * rows * outputs * result.shape[3];
      const weights = channels * outputs * sides.geometry.kernel[0] * sides.geometry.kernel[1];
      const computeCycles = estimated(lowering, codelet, {
        ...states({ samples: n, made, read }),
        [madeRow]: middle,
        [`${madeRow}Step`]: 1,
        [`${madeRow}s`]: rows,
        [readRow]: needed.first,
        [`${readRow}Step`]: needed.step,
        [`${readRow}s`]: needed.count,
        [fromField]: { length: n * read * needed.count, elements: inElements },
        weights: { length: made * read, elements: weights },
        out: { length: n * made * rows, elements: outElements },
      });
      return {
        computeCycles,
        inputBytes: (inElements + weights) * float,
        ...reductionCost(outElements, pieces[3], lowering.target),
      };
    },
  };
  const cut = lowering.grain.cut(work, lowering.target);
  const parts = cut.pieces[3];
  const partial = partialLayout(result, 3, parts);
  const made = parts === 1 ? lowering.addResult(y, result) : lowering.addTemporary("partials", partial);
  for (const boxes of Boxes.of(items, cut)) {
    const needed = byPiece(boxes.pieces[2], rowsFor);
    const tiles = boxTiles(boxes.count, lowering.target);
    const writeRows = rowWriter(from);
    const writeFilters = filterWriter(filters);
    const place = byPlace(boxes.pieces[3]);
    const identity = isIdentity(cut, items);
    const blocksOfResult = (_samples: Piece, made: Piece, rows: Piece): number =>
      size(_samples) * size(made) * size(rows);
    const written = identity
      ? { variable: made }
      : boxes.column(made, blocksOfResult, (into, at, n, g, h, read) => {
          for (let sample = n.start; sample < n.end; sample++) {
            for (let group = g.start; group < g.end; group++) {
              for (let row = h.start; row < h.end; row++) {
                into[at++] = made.firstBlock + ((sample * groups + group) * height + row) * parts + place(read);
              }
            }
          }
        });
    const read = boxes.column(
      from.variable,
      (n, _g, h, r) => size(n) * size(r) * needed(h).count,
      (into, at, n, _g, h, r) => writeRows(into, at, n, r, needed(h)),
    );
    const weights = boxes.column(
      filters.variable,
      (_n, g, _h, r) => size(g) * size(r),
      (into, at, _n, g, _h, r) => (forward ? writeFilters(into, at, g, r) : writeFilters(into, at, r, g)),
    );
    lowering.place(filters, tilesOfReaders(weights, tiles));
    lowering.addFamily(parts === 1 ? "" : "partials", {
      codelet,
      count: boxes.count,
      inputs: { [fromField]: read, weights },
      outputs: { out: written },
      states: {
        ...(states({
          samples: boxes.state(0, size),
          made: boxes.state(1, size),
          read: boxes.state(3, size),
        }) as unknown as ListStates),
        ...rowStates(boxes, 2, madeRow, plainRows),
        ...rowStates(boxes, 2, readRow, needed),
      },
      tiles,
    });
  }
  if (parts > 1) finishPartials(lowering, y, result, { variable: made, each: parts, parts: 1, inner: 1 });
}

/** Convolution: groups of channels are summed by the vertex, and what several vertices have left by others. */
export function convolutionRule(lowering: Lowering, operation: Operation): void {
  if (!isPlain(operation)) {
    wholeRule(lowering, operation);
    return;
  }
  const [x, w] = operation.inputs;
  const [y] = operation.outputs;
  const sides = sidesOf(operation, x.type.shape, w.type.shape, y.type.shape);
  rowsFromRows(lowering, operation, sides, {
    from: lowering.getIn(x, lowering.layoutFor(x.type.shape)),
    filters: lowering.getIn(w, lowering.layoutFor(w.type.shape, true)),
    result: lowering.layoutFor(y.type.shape),
    codelet: convolutionPartial(sides.geometry),
    fromField: "in",
    rowsFor: (piece) => picturesFor(sides, piece),
  });
}

export function convolutionInputGradientRule(lowering: Lowering, operation: Operation): void {
  if (!isPlain(operation)) {
    wholeRule(lowering, operation);
    return;
  }
  const [delta, w] = operation.inputs;
  const [x] = operation.outputs;
  const sides = sidesOf(operation, x.type.shape, w.type.shape, delta.type.shape);
  rowsFromRows(lowering, operation, sides, {
    from: lowering.getIn(delta, lowering.layoutFor(delta.type.shape)),
    filters: lowering.getIn(w, lowering.layoutFor(w.type.shape, true)),
    result: lowering.layoutFor(x.type.shape),
    codelet: convolutionInputGradient(sides.geometry),
    fromField: "delta",
    rowsFor: (piece) => mapsFor(sides, piece),
  });
}

/** The gradient of filters: sums over samples, or over those of a vertex, and over all rows. */
export function convolutionWeightGradientRule(lowering: Lowering, operation: Operation): void {
  if (!isPlain(operation)) {
    wholeRule(lowering, operation);
    return;
  }
  const [x, delta] = operation.inputs;
  const [w] = operation.outputs;
  const sides = sidesOf(operation, x.type.shape, w.type.shape, delta.type.shape);
  const pictures = lowering.getIn(x, lowering.layoutFor(x.type.shape));
  const maps = lowering.getIn(delta, lowering.layoutFor(delta.type.shape));
  const result = lowering.layoutFor(w.type.shape, true);
  const codelet = convolutionWeightGradient(sides.geometry);
  const kernelRows = sides.geometry.kernel[0];
  const items = [result.grid[0], result.grid[1], kernelRows, pictures.layout.grid[0]];
  const rowsAt = new Map<number, ReturnType<typeof pairsFor>>();
  /** Rows that so many kernel rows in the middle of the kernel need, which are as many as any need. */
  const middleRows = (count: number): ReturnType<typeof pairsFor> => {
    const start = Math.floor((kernelRows - count) / 2);
    let found = rowsAt.get(count);
    if (found === undefined) rowsAt.set(count, (found = pairsFor(sides, { start, end: start + count })));
    return found;
  };
  const work: Work = {
    name: lowering.path(""),
    key: workKey(operation),
    axes: ["maps", "channels", "kernel rows", "samples"],
    items,
    cost([m, c, k, n], pieces) {
      const channels = Math.min(c * result.block[1], result.shape[1]);
      const filters = Math.min(m * result.block[0], result.shape[0]);
      const { rows, mapRows } = middleRows(k);
      const xElements = n * channels * rows.count * sides.geometry.width;
      const deltaElements = n * filters * mapRows.count * sides.geometry.mapWidth;
      const outElements = channels * filters * k * sides.geometry.kernel[1];
      const computeCycles = estimated(lowering, codelet, {
        samples: n,
        channelGroups: c,
        mapGroups: m,
        row: rows.first,
        rowStep: rows.step,
        rows: rows.count,
        mapRow: mapRows.first,
        mapRowStep: mapRows.step,
        mapRows: mapRows.count,
        kernelRow: 0,
        kernelRows: k,
        in: { length: n * c * rows.count, elements: xElements },
        delta: { length: n * m * mapRows.count, elements: deltaElements },
        out: { length: m * c * k, elements: outElements },
      });
      const inputBytes = (xElements + deltaElements) * elementBytes.float;
      return { computeCycles, inputBytes, ...reductionCost(outElements, pieces[3], lowering.target) };
    },
  };
  const cut = lowering.grain.cut(work, lowering.target);
  const parts = cut.pieces[3];
  const direct = parts === 1 && kernelRows === 1;
  const partial = new BlockLayout(
    [...result.shape.slice(0, 3), parts, result.shape[3]],
    [...result.block.slice(0, 2), 1, 1, result.block[3]],
  );
  const made =
    direct && !lowering.fused.has(w.id) ? lowering.addResult(w, result) : lowering.addTemporary("partials", partial);
  const identity = isIdentity(cut, items);
  for (const boxes of Boxes.of(items, cut)) {
    const pairs = byPiece(boxes.pieces[2], (piece) => pairsFor(sides, piece));
    const place = byPlace(boxes.pieces[3]);
    const written = identity
      ? { variable: made }
      : boxes.column(
          made,
          (m, c, k) => size(m) * size(c) * size(k),
          (into, at, m, c, k, n) => {
            for (let map = m.start; map < m.end; map++) {
              for (let channel = c.start; channel < c.end; channel++) {
                for (let row = k.start; row < k.end; row++) {
                  into[at++] = made.firstBlock + ((map * items[1] + channel) * kernelRows + row) * parts + place(n);
                }
              }
            }
          },
        );
    const writePictures = rowWriter(pictures);
    const writeMaps = rowWriter(maps);
    lowering.addFamily(direct ? "" : "partials", {
      codelet,
      count: boxes.count,
      inputs: {
        in: boxes.column(
          pictures.variable,
          (_m, c, k, n) => size(n) * size(c) * pairs(k).rows.count,
          (into, at, _m, c, k, n) => writePictures(into, at, n, c, pairs(k).rows),
        ),
        delta: boxes.column(
          maps.variable,
          (m, _c, k, n) => size(n) * size(m) * pairs(k).mapRows.count,
          (into, at, m, _c, k, n) => writeMaps(into, at, n, m, pairs(k).mapRows),
        ),
      },
      outputs: { out: written },
      states: {
        samples: boxes.state(3, size),
        channelGroups: boxes.state(1, size),
        mapGroups: boxes.state(0, size),
        ...rowStates(boxes, 2, "row", (piece) => pairs(piece).rows),
        ...rowStates(boxes, 2, "mapRow", (piece) => pairs(piece).mapRows),
        kernelRow: boxes.state(2, ({ start }) => start),
        kernelRows: boxes.state(2, size),
      },
      tiles: boxTiles(boxes.count, lowering.target),
    });
  }
  if (direct && !lowering.fused.has(w.id)) return;
  const inner = sides.geometry.kernel[1];
  finishPartials(lowering, w, result, { variable: made, each: parts, parts: kernelRows, inner });
}
