import { convolutionInputGradient, convolutionPartial, type FloatType } from "../../codelets/index.ts";
import { BlockLayout, type Codelet, elementBytes, type PlacedTensor, type StateColumn } from "../../graph/index.ts";
import type { Operation } from "../../ir/index.ts";
import { alignedPieces, Boxes, type Piece, type Rows } from "../columns.ts";
import type { Work } from "../grain.ts";
import type { Lowering } from "../lowering.ts";
import {
  byPiece,
  type ColumnBlocks,
  columnBlocks,
  estimated,
  filterWriter,
  inRows,
  isFloat,
  layoutsOf,
  mapColumnsFor,
  mapsFor,
  pictureColumnsFor,
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

/** States that say which columns a vertex has, of pictures or of maps. */
function columnStates(
  boxes: Boxes,
  axis: number,
  prefix: "column" | "mapColumn",
  columns: (piece: Piece) => Pick<ColumnBlocks, "column" | "columns">,
): Record<string, StateColumn> {
  return {
    [prefix]: boxes.state(axis, (piece) => columns(piece).column),
    [`${prefix}s`]: boxes.state(axis, (piece) => columns(piece).columns),
  };
}

/** Where results of parts of the last axis lie between computing and adding up: result by result, part after part. */
function partialLayout(result: BlockLayout, pieces: number): BlockLayout {
  return new BlockLayout([...result.shape, pieces], [...result.block, 1]);
}

/** What is the same of a convolution and of its gradient with respect to pictures: rows are made from rows and filters. */
interface RowsFromRows {
  readonly parallel: number;
  readonly from: PlacedTensor;
  readonly filters: PlacedTensor;
  /** The result in whole rows. */
  readonly rows: BlockLayout;
  /** The codelet that leaves results of a type, for vertices that read and write so many columns in a vector. */
  readonly codeletFor: (result: FloatType, read: number, made: number) => Codelet;
  readonly fromField: "in" | "delta";
  readonly rowsFor: (piece: Piece) => Rows;
  readonly columnsFor: (piece: Piece) => Piece;
}

function rowsFromRows(lowering: Lowering, operation: Operation, sides: Sides, given: RowsFromRows): void {
  const { parallel, from, filters, rows: whole, codeletFor, fromField, rowsFor, columnsFor } = given;
  const type = from.variable.type as FloatType;
  const [y] = operation.outputs;
  const [samples, groups, height] = whole.grid;
  const width = whole.shape[3];
  const forward = fromField === "in";
  // At the fine grain rows stay whole.
  const columnItems = lowering.grain.byTile ? width : 1;
  const items = [samples, parallel, groups / parallel, height, columnItems, from.layout.grid[1] / parallel];
  const states = (all: { samples: unknown; made: unknown; read: unknown }) => ({
    samples: all.samples,
    channelGroups: forward ? all.read : all.made,
    mapGroups: forward ? all.made : all.read,
  });
  const [madeRow, readRow] = forward ? (["mapRow", "row"] as const) : (["row", "mapRow"] as const);
  const [madeColumn, readColumn] = forward ? (["mapColumn", "column"] as const) : (["column", "mapColumn"] as const);
  const placedAlready = lowering.isPlaced(filters);
  const all = { start: 0, end: from.layout.shape[3] };
  const neededBlocks = (columns: Piece): ColumnBlocks =>
    columnBlocks(from.layout, size(columns) === width ? all : columnsFor(columns));
  /** Of blocks of so many columns of the result, the first that needs most columns. */
  const widest = new Map<number, ColumnBlocks>();
  const widestOf = (columns: number): ColumnBlocks => {
    let found = widest.get(columns);
    if (found === undefined) {
      const each = alignedPieces(width, Math.ceil(width / columns)).map(neededBlocks);
      found = each.reduce((most, own) => (own.columns > most.columns ? own : most));
      widest.set(columns, found);
    }
    return found;
  };
  const work: Work = {
    name: lowering.path(""),
    key: `${workKey(operation, placedAlready)} ${from.layout}`,
    axes: workItems(parallel, [
      "samples",
      "convolutions",
      forward ? "maps" : "channels",
      "rows",
      "columns",
      forward ? "channels" : "maps",
    ]),
    items: workItems(parallel, items),
    cost(extents, pieces) {
      const [n, own, made, rows, columnExtent, read] = withParallel(parallel, extents);
      const [samplePieces, , , rowPieces, columnPieces, parts] = withParallel(parallel, pieces);
      const arriving = arrivingShare(placedAlready, samplePieces * rowPieces * columnPieces, own * made * read);
      const middle = Math.floor((height - rows) / 2);
      const needed = rowsFor({ start: middle, end: middle + rows });
      const columns = columnItems === 1 ? width : columnExtent;
      const { blocks, column, columns: neededColumns } = widestOf(columns);
      const channels = own * Math.min(read * from.layout.block[1], from.layout.shape[1] / parallel);
      const outputs = own * Math.min(made * whole.block[1], whole.shape[1] / parallel);
      const inElements = n * needed.count * channels * neededColumns;
      const outElements = n * rows * outputs * columns;
      const weights = ((channels * outputs) / own) * sides.geometry.kernel[0] * sides.geometry.kernel[1];
      const computeCycles = estimated(lowering, codeletFor("float", from.layout.block[3], columns), {
        ...states({ samples: n, made, read }),
        [madeRow]: middle,
        [`${madeRow}Step`]: 1,
        [`${madeRow}s`]: rows,
        [readRow]: needed.first,
        [`${readRow}Step`]: needed.step,
        [`${readRow}s`]: needed.count,
        [madeColumn]: 0,
        [`${madeColumn}s`]: columns,
        [readColumn]: column,
        [`${readColumn}s`]: neededColumns,
        [fromField]: { length: n * own * read * needed.count * size(blocks), elements: inElements },
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
  const columns = columnItems === 1 ? width : Math.ceil(width / cut.pieces[4]);
  const result = new BlockLayout(whole.shape, whole.block.with(3, columns));
  const across = result.grid[3];
  const parts = cut.pieces[5];
  const made =
    parts === 1 ? lowering.addResult(y, result) : lowering.addTemporary("partials", partialLayout(result, parts));
  const codelet = codeletFor(made.type as FloatType, from.layout.block[3], columns);
  const cutRows = across > 1 || from.layout.grid[3] > 1;
  const ownColumns = ({ start, end }: Piece): Piece => (columnItems === 1 ? { start: 0, end: width } : { start, end });
  for (const boxes of Boxes.of(items, cut, 4)) {
    const needed = byPiece(boxes.pieces[3], rowsFor);
    const neededColumns = byPiece(boxes.pieces[4], (piece) => neededBlocks(ownColumns(piece)));
    const tiles = boxTiles(boxes.count, lowering.target);
    const writeRows = rowWriter(from, parallel);
    const writeFilters = filterWriter(filters, parallel);
    const placeOfColumns = byPlace(boxes.pieces[4]);
    const place = byPlace(boxes.pieces[5]);
    const identity = isIdentity(cut, items);
    const written = identity
      ? { variable: made }
      : boxes.column(
          made,
          (n, p, g, h) => size(n) * size(p) * size(g) * size(h),
          (into, at, n, p, g, h, w, read) => {
            for (let sample = n.start; sample < n.end; sample++) {
              for (let own = p.start; own < p.end; own++) {
                for (let group = g.start; group < g.end; group++) {
                  const plane = (sample * groups + own * items[2] + group) * height;
                  for (let row = h.start; row < h.end; row++) {
                    const block = (plane + row) * across + placeOfColumns(w);
                    into[at++] = made.firstBlock + block * parts + place(read);
                  }
                }
              }
            }
          },
        );
    const read = boxes.column(
      from.variable,
      (n, p, _g, h, w, r) => size(n) * size(p) * size(r) * needed(h).count * size(neededColumns(w).blocks),
      (into, at, n, p, _g, h, w, r) => writeRows(into, at, n, p, r, needed(h), neededColumns(w).blocks),
    );
    const weights = boxes.column(
      filters.variable,
      (_n, p, g, _h, _w, r) => size(p) * size(g) * size(r),
      (into, at, _n, p, g, _h, _w, r) => (forward ? writeFilters(into, at, p, g, r) : writeFilters(into, at, p, r, g)),
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
          read: boxes.state(5, size),
        }) as unknown as ListStates),
        ...rowStates(boxes, 3, madeRow, plainRows),
        ...rowStates(boxes, 3, readRow, needed),
        ...(cutRows
          ? {
              ...columnStates(boxes, 4, madeColumn, (piece) => {
                const { start, end } = ownColumns(piece);
                return { column: start, columns: end - start };
              }),
              ...columnStates(boxes, 4, readColumn, neededColumns),
            }
          : {}),
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
    from: inRows(lowering, x, pictures),
    filters: lowering.getIn(w, filters),
    rows: maps,
    codeletFor: (result, block, mapBlock) =>
      convolutionPartial({ ...sides.geometry, block, mapBlock }, { type, result }),
    fromField: "in",
    rowsFor: (piece) => picturesFor(sides, piece),
    columnsFor: (piece) => pictureColumnsFor(sides, piece),
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
    from: inRows(lowering, delta, maps),
    filters: lowering.getIn(w, filters),
    rows: pictures,
    codeletFor: (result, mapBlock, block) =>
      convolutionInputGradient({ ...sides.geometry, block, mapBlock }, { type, result }),
    fromField: "delta",
    rowsFor: (piece) => mapsFor(sides, piece),
    columnsFor: (piece) => mapColumnsFor(sides, piece),
  });
}
