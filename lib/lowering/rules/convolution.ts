import {
  convolutionInputGradient,
  convolutionPartial,
  convolutionWeightGradient,
  type FloatType,
} from "../../codelets/index.ts";
import { BlockLayout, type Codelet, elementBytes, type PlacedTensor, type StateColumn } from "../../graph/index.ts";
import type { Operation } from "../../ir/index.ts";
import { Boxes, type Piece, type Rows } from "../columns.ts";
import type { Work } from "../grain.ts";
import type { Lowering } from "../lowering.ts";
import {
  byPiece,
  filterWriter,
  layoutsOf,
  mapsFor,
  pairsFor,
  picturesFor,
  rowWriter,
  type Sides,
  sidesOf,
  withParallel,
  workItems,
} from "./convolution-parts.ts";
import { finishPartials } from "./reduce.ts";
import { wholeRule } from "./whole.ts";
import { arrivingShare, boxTiles, byPlace, isIdentity, reductionCost, size, tilesOfReaders, workKey } from "./work.ts";

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

const isFloat = ({ inputs }: Operation): boolean => inputs.every(({ type }) => type.dtype === "float32");

/** Where results of parts of the last axis lie between computing and adding up: result by result, part after part. */
function partialLayout(result: BlockLayout, axis: number, pieces: number): BlockLayout {
  return new BlockLayout(result.shape.toSpliced(axis, 0, pieces), result.block.toSpliced(axis, 0, 1));
}

/** What is the same of a convolution and of its gradient with respect to pictures: rows are made from rows and filters. */
interface RowsFromRows {
  readonly parallel: number;
  readonly from: PlacedTensor;
  readonly filters: PlacedTensor;
  readonly result: BlockLayout;
  /** The codelet that leaves results of a type. */
  readonly codeletFor: (result: FloatType) => Codelet;
  readonly fromField: "in" | "delta";
  readonly rowsFor: (piece: Piece) => Rows;
}

function rowsFromRows(lowering: Lowering, operation: Operation, sides: Sides, given: RowsFromRows): void {
  const { parallel, from, filters, result, codeletFor, fromField, rowsFor } = given;
  const type = from.variable.type as FloatType;
  const [y] = operation.outputs;
  const [samples, groups, height] = result.grid;
  const forward = fromField === "in";
  const items = [samples, parallel, groups / parallel, height, from.layout.grid[1] / parallel];
  const states = (all: { samples: unknown; made: unknown; read: unknown }) => ({
    samples: all.samples,
    channelGroups: forward ? all.read : all.made,
    mapGroups: forward ? all.made : all.read,
  });
  const [madeRow, readRow] = forward ? (["mapRow", "row"] as const) : (["row", "mapRow"] as const);
  const placedAlready = lowering.isPlaced(filters);
  const work: Work = {
    name: lowering.path(""),
    key: workKey(operation, placedAlready),
    axes: workItems(parallel, [
      "samples",
      "convolutions",
      forward ? "maps" : "channels",
      "rows",
      forward ? "channels" : "maps",
    ]),
    items: workItems(parallel, items),
    cost(extents, pieces) {
      const [n, own, made, rows, read] = withParallel(parallel, extents);
      const [samplePieces, , , rowPieces, parts] = withParallel(parallel, pieces);
      const arriving = arrivingShare(placedAlready, samplePieces * rowPieces);
      const middle = Math.floor((height - rows) / 2);
      const needed = rowsFor({ start: middle, end: middle + rows });
      const channels = own * Math.min(read * from.layout.block[1], from.layout.shape[1] / parallel);
      const outputs = own * Math.min(made * result.block[1], result.shape[1] / parallel);
      const inElements = n * needed.count * channels * from.layout.shape[3];
      const outElements = n * rows * outputs * result.shape[3];
      const weights = ((channels * outputs) / own) * sides.geometry.kernel[0] * sides.geometry.kernel[1];
      const computeCycles = estimated(lowering, codeletFor("float"), {
        ...states({ samples: n, made, read }),
        [madeRow]: middle,
        [`${madeRow}Step`]: 1,
        [`${madeRow}s`]: rows,
        [readRow]: needed.first,
        [`${readRow}Step`]: needed.step,
        [`${readRow}s`]: needed.count,
        [fromField]: { length: n * own * read * needed.count, elements: inElements },
        weights: { length: own * made * read, elements: weights },
        out: { length: n * own * made * rows, elements: outElements },
      });
      return {
        computeCycles,
        inputBytes: (inElements + arriving * weights) * elementBytes[type],
        ...reductionCost({ elements: outElements, blocks: n * own * made * rows }, parts, lowering.target, type),
      };
    },
  };
  const planned = lowering.grain.cut(work, lowering.target);
  const cut = { ...planned, pieces: withParallel(parallel, planned.pieces) };
  const parts = cut.pieces[4];
  const partial = partialLayout(result, 3, parts);
  const made = parts === 1 ? lowering.addResult(y, result) : lowering.addTemporary("partials", partial);
  const codelet = codeletFor(made.type as FloatType);
  for (const boxes of Boxes.of(items, cut)) {
    const needed = byPiece(boxes.pieces[3], rowsFor);
    const tiles = boxTiles(boxes.count, lowering.target);
    const writeRows = rowWriter(from, parallel);
    const writeFilters = filterWriter(filters, parallel);
    const place = byPlace(boxes.pieces[4]);
    const identity = isIdentity(cut, items);
    const written = identity
      ? { variable: made }
      : boxes.column(
          made,
          (n, p, g, h) => size(n) * size(p) * size(g) * size(h),
          (into, at, n, p, g, h, read) => {
            for (let sample = n.start; sample < n.end; sample++) {
              for (let own = p.start; own < p.end; own++) {
                for (let group = g.start; group < g.end; group++) {
                  const plane = (sample * groups + own * items[2] + group) * height;
                  for (let row = h.start; row < h.end; row++) {
                    into[at++] = made.firstBlock + (plane + row) * parts + place(read);
                  }
                }
              }
            }
          },
        );
    const read = boxes.column(
      from.variable,
      (n, p, _g, h, r) => size(n) * size(p) * size(r) * needed(h).count,
      (into, at, n, p, _g, h, r) => writeRows(into, at, n, p, r, needed(h)),
    );
    const weights = boxes.column(
      filters.variable,
      (_n, p, g, _h, r) => size(p) * size(g) * size(r),
      (into, at, _n, p, g, _h, r) => (forward ? writeFilters(into, at, p, g, r) : writeFilters(into, at, p, r, g)),
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
          made: boxes.state(2, size),
          read: boxes.state(4, size),
        }) as unknown as ListStates),
        ...rowStates(boxes, 3, madeRow, plainRows),
        ...rowStates(boxes, 3, readRow, needed),
      },
      tiles,
    });
  }
  if (parts > 1) finishPartials(lowering, y, result, { variable: made, each: parts, parts: 1, inner: 1 });
}

/** Convolution: groups of channels are summed by the vertex, and what several vertices have left by others. */
export function convolutionRule(lowering: Lowering, operation: Operation): void {
  if (!isFloat(operation)) {
    wholeRule(lowering, operation);
    return;
  }
  const [x, w] = operation.inputs;
  const [y] = operation.outputs;
  const sides = sidesOf(operation, x.type.shape, w.type.shape, y.type.shape);
  const type = lowering.typeOf(x) as FloatType;
  const { parallel, pictures, filters, maps } = layoutsOf(
    lowering,
    operation,
    x.type.shape,
    w.type.shape,
    y.type.shape,
  );
  rowsFromRows(lowering, operation, sides, {
    parallel,
    from: lowering.getIn(x, pictures),
    filters: lowering.getIn(w, filters),
    result: maps,
    codeletFor: (result) => convolutionPartial(sides.geometry, { type, result }),
    fromField: "in",
    rowsFor: (piece) => picturesFor(sides, piece),
  });
}

export function convolutionInputGradientRule(lowering: Lowering, operation: Operation): void {
  if (!isFloat(operation)) {
    wholeRule(lowering, operation);
    return;
  }
  const [delta, w] = operation.inputs;
  const [x] = operation.outputs;
  const sides = sidesOf(operation, x.type.shape, w.type.shape, delta.type.shape);
  const type = lowering.typeOf(delta) as FloatType;
  const shapes = [x.type.shape, w.type.shape, delta.type.shape] as const;
  const { parallel, pictures, filters, maps } = layoutsOf(lowering, operation, ...shapes);
  rowsFromRows(lowering, operation, sides, {
    parallel,
    from: lowering.getIn(delta, maps),
    filters: lowering.getIn(w, filters),
    result: pictures,
    codeletFor: (result) => convolutionInputGradient(sides.geometry, { type, result }),
    fromField: "delta",
    rowsFor: (piece) => mapsFor(sides, piece),
  });
}

/** The gradient of filters: sums over samples, or over those of a vertex, and over all rows. */
export function convolutionWeightGradientRule(lowering: Lowering, operation: Operation): void {
  if (!isFloat(operation)) {
    wholeRule(lowering, operation);
    return;
  }
  const [x, delta] = operation.inputs;
  const [w] = operation.outputs;
  const sides = sidesOf(operation, x.type.shape, w.type.shape, delta.type.shape);
  const layouts = layoutsOf(lowering, operation, x.type.shape, w.type.shape, delta.type.shape);
  const { parallel, filters: result } = layouts;
  const pictures = lowering.getIn(x, layouts.pictures);
  const maps = lowering.getIn(delta, layouts.maps);
  const type = lowering.typeOf(x) as FloatType;
  const codeletFor = (result: FloatType): Codelet => convolutionWeightGradient(sides.geometry, { type, result });
  const kernelRows = sides.geometry.kernel[0];
  const items = [result.grid[0] / parallel, parallel, result.grid[1], kernelRows, pictures.layout.grid[0]];
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
    axes: workItems(parallel, ["maps", "convolutions", "channels", "kernel rows", "samples"]),
    items: workItems(parallel, items),
    cost(extents, pieces) {
      const [m, own, c, k, n] = withParallel(parallel, extents);
      const channels = own * Math.min(c * result.block[1], result.shape[1]);
      const filters = own * Math.min(m * result.block[0], result.shape[0] / parallel);
      const { rows, mapRows } = middleRows(k);
      const xElements = n * channels * rows.count * sides.geometry.width;
      const deltaElements = n * filters * mapRows.count * sides.geometry.mapWidth;
      const outElements = ((channels * filters) / own) * k * sides.geometry.kernel[1];
      const computeCycles = estimated(lowering, codeletFor("float"), {
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
        in: { length: n * own * c * rows.count, elements: xElements },
        delta: { length: n * own * m * mapRows.count, elements: deltaElements },
        out: { length: own * m * c * k, elements: outElements },
      });
      const inputBytes = (xElements + deltaElements) * elementBytes[type];
      return {
        computeCycles,
        inputBytes,
        ...reductionCost(
          { elements: outElements, blocks: own * m * c },
          pieces[pieces.length - 1],
          lowering.target,
          type,
        ),
      };
    },
  };
  const planned = lowering.grain.cut(work, lowering.target);
  const cut = { ...planned, pieces: withParallel(parallel, planned.pieces) };
  const parts = cut.pieces[4];
  const direct = parts === 1 && kernelRows === 1;
  const partial = new BlockLayout(
    [...result.shape.slice(0, 3), parts, result.shape[3]],
    [...result.block.slice(0, 2), 1, 1, result.block[3]],
  );
  const made =
    direct && !lowering.fused.has(w.id) ? lowering.addResult(w, result) : lowering.addTemporary("partials", partial);
  const codelet = codeletFor(made.type as FloatType);
  // Boxes of several convolutions in parallel are not in the order of their blocks.
  const identity = parallel === 1 && isIdentity(cut, items);
  for (const boxes of Boxes.of(items, cut)) {
    const pairs = byPiece(boxes.pieces[3], (piece) => pairsFor(sides, piece));
    const place = byPlace(boxes.pieces[4]);
    const written = identity
      ? { variable: made }
      : boxes.column(
          made,
          (m, p, c, k) => size(m) * size(p) * size(c) * size(k),
          (into, at, m, p, c, k, n) => {
            for (let own = p.start; own < p.end; own++) {
              for (let map = m.start; map < m.end; map++) {
                for (let channel = c.start; channel < c.end; channel++) {
                  const filter = ((own * items[0] + map) * items[2] + channel) * kernelRows;
                  for (let row = k.start; row < k.end; row++) {
                    into[at++] = made.firstBlock + (filter + row) * parts + place(n);
                  }
                }
              }
            }
          },
        );
    const writePictures = rowWriter(pictures, parallel);
    const writeMaps = rowWriter(maps, parallel);
    lowering.addFamily(direct ? "" : "partials", {
      codelet,
      count: boxes.count,
      inputs: {
        in: boxes.column(
          pictures.variable,
          (_m, p, c, k, n) => size(n) * size(p) * size(c) * pairs(k).rows.count,
          (into, at, _m, p, c, k, n) => writePictures(into, at, n, p, c, pairs(k).rows),
        ),
        delta: boxes.column(
          maps.variable,
          (m, p, _c, k, n) => size(n) * size(p) * size(m) * pairs(k).mapRows.count,
          (into, at, m, p, _c, k, n) => writeMaps(into, at, n, p, m, pairs(k).mapRows),
        ),
      },
      outputs: { out: written },
      states: {
        samples: boxes.state(4, size),
        channelGroups: boxes.state(2, size),
        mapGroups: boxes.state(0, size),
        ...rowStates(boxes, 3, "row", (piece) => pairs(piece).rows),
        ...rowStates(boxes, 3, "mapRow", (piece) => pairs(piece).mapRows),
        kernelRow: boxes.state(3, ({ start }) => start),
        kernelRows: boxes.state(3, size),
      },
      tiles: boxTiles(boxes.count, lowering.target),
    });
  }
  if (direct && !lowering.fused.has(w.id)) return;
  const inner = sides.geometry.kernel[1];
  finishPartials(lowering, w, result, { variable: made, each: parts, parts: kernelRows, inner });
}
