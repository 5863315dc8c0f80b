import { convolutionWeightGradient, type FloatType } from "../../codelets/index.ts";
import { BlockLayout, type Codelet, elementBytes, type StateColumn } from "../../graph/index.ts";
import type { Operation } from "../../ir/index.ts";
import { Boxes, type Piece, type Rows } from "../columns.ts";
import type { Work } from "../grain.ts";
import type { Lowering } from "../lowering.ts";
import { partsOf } from "../planner.ts";
import {
  byPiece,
  estimated,
  inRows,
  isFloat,
  layoutsOf,
  pairsFor,
  rowWriter,
  sidesOf,
  withParallel,
  workItems,
} from "./convolution-parts.ts";
import { addUp, finishPartials } from "./reduce.ts";
import { wholeRule } from "./whole.ts";
import { boxTiles, byPlace, isIdentity, reductionCost, size, workKey } from "./work.ts";

/** The gradient of filters: sums over samples and rows, or over those of a vertex. */
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
  const pictures = inRows(lowering, x, layouts.pictures);
  const maps = inRows(lowering, delta, layouts.maps);
  const type = lowering.typeOf(x) as FloatType;
  const geometry = { ...sides.geometry, block: pictures.layout.block[3], mapBlock: maps.layout.block[3] };
  const [across, mapAcross] = [pictures.layout.grid[3], maps.layout.grid[3]];
  const codeletFor = (result: FloatType): Codelet => convolutionWeightGradient(geometry, { type, result });
  const kernelRows = sides.geometry.kernel[0];
  // At the fine grain a vertex has all rows.
  const { byTile } = lowering.grain;
  const rowItems = byTile ? sides.mapHeight : 1;
  const items = [result.grid[0] / parallel, parallel, result.grid[1], kernelRows, rowItems, pictures.layout.grid[0]];
  const ownRows = (piece: Piece): Piece => (byTile ? piece : { start: 0, end: sides.mapHeight });
  const rowsAt = new Map<string, ReturnType<typeof pairsFor>>();
  /** Rows that so many kernel rows and rows of maps in the middle need, which are as many as any need. */
  const middleRows = (kernelCount: number, rowCount: number): ReturnType<typeof pairsFor> => {
    const key = `${kernelCount} ${rowCount}`;
    const middle = (count: number, of: number): Piece => {
      const start = Math.floor((of - count) / 2);
      return { start, end: start + count };
    };
    let found = rowsAt.get(key);
    if (found === undefined) {
      found = pairsFor(sides, middle(kernelCount, kernelRows), ownRows(middle(rowCount, rowItems)));
      rowsAt.set(key, found);
    }
    return found;
  };
  const work: Work = {
    name: lowering.path(""),
    key: `${workKey(operation)} ${pictures.layout} ${maps.layout}`,
    axes: workItems(parallel, ["maps", "convolutions", "channels", "kernel rows", "rows", "samples"]),
    items: workItems(parallel, items),
    summed: 2,
    cost(extents, pieces) {
      const [m, own, c, k, h, n] = withParallel(parallel, extents);
      const channels = own * Math.min(c * result.block[1], result.shape[1]);
      const filters = own * Math.min(m * result.block[0], result.shape[0] / parallel);
      const { rows, mapRows } = middleRows(k, h);
      const xElements = n * channels * rows.count * geometry.width;
      const deltaElements = n * filters * mapRows.count * geometry.mapWidth;
      const outElements = ((channels * filters) / own) * k * geometry.kernel[1];
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
        in: { length: n * own * c * rows.count * across, elements: xElements },
        delta: { length: n * own * m * mapRows.count * mapAcross, elements: deltaElements },
        out: { length: own * m * c * k, elements: outElements },
      });
      const inputBytes = (xElements + deltaElements) * elementBytes[type];
      const parts = partsOf(pieces, 2);
      const blocks = own * m * c * k;
      return {
        computeCycles,
        inputBytes,
        ...reductionCost({ elements: outElements, blocks }, parts, lowering.target, type),
      };
    },
  };
  const planned = lowering.grain.cut(work, lowering.target);
  const cut = { ...planned, pieces: withParallel(parallel, planned.pieces) };
  const parts = cut.pieces[4] * cut.pieces[5];
  const direct = parts === 1 && kernelRows === 1;
  const fused = lowering.fused.has(w.id);
  // Kernel rows apart from each other, each with its parts.
  const rowByRow = (each: number): BlockLayout =>
    new BlockLayout(
      [...result.shape.slice(0, 3), each, result.shape[3]],
      [...result.block.slice(0, 2), 1, 1, result.block[3]],
    );
  const made = direct && !fused ? lowering.addResult(w, result) : lowering.addTemporary("partials", rowByRow(parts));
  const codelet = codeletFor(made.type as FloatType);
  // Boxes of several convolutions in parallel are not in the order of their blocks.
  const identity = parallel === 1 && isIdentity(cut, items);
  for (const boxes of Boxes.of(items, cut)) {
    const pairs = byPiece(boxes.pieces[3], (kernel) =>
      byPiece(boxes.pieces[4], (rows) => pairsFor(sides, kernel, ownRows(rows))),
    );
    const placeOfRows = byPlace(boxes.pieces[4]);
    const place = byPlace(boxes.pieces[5]);
    const written = identity
      ? { variable: made }
      : boxes.column(
          made,
          (m, p, c, k) => size(m) * size(p) * size(c) * size(k),
          (into, at, m, p, c, k, h, n) => {
            const part = placeOfRows(h) * cut.pieces[5] + place(n);
            for (let own = p.start; own < p.end; own++) {
              for (let map = m.start; map < m.end; map++) {
                for (let channel = c.start; channel < c.end; channel++) {
                  const filter = ((own * items[0] + map) * items[2] + channel) * kernelRows;
                  for (let row = k.start; row < k.end; row++)
                    into[at++] = made.firstBlock + (filter + row) * parts + part;
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
          (_m, p, c, k, h, n) => size(n) * size(p) * size(c) * pairs(k)(h).rows.count * across,
          (into, at, _m, p, c, k, h, n) => writePictures(into, at, n, p, c, pairs(k)(h).rows),
        ),
        delta: boxes.column(
          maps.variable,
          (m, p, _c, k, h, n) => size(n) * size(p) * size(m) * pairs(k)(h).mapRows.count * mapAcross,
          (into, at, m, p, _c, k, h, n) => writeMaps(into, at, n, p, m, pairs(k)(h).mapRows),
        ),
      },
      outputs: { out: written },
      states: {
        samples: boxes.state(5, size),
        channelGroups: boxes.state(2, size),
        mapGroups: boxes.state(0, size),
        ...pairStates(boxes, "row", (kernel, rows) => pairs(kernel)(rows).rows),
        ...pairStates(boxes, "mapRow", (kernel, rows) => pairs(kernel)(rows).mapRows),
        ...(across > 1 || mapAcross > 1
          ? { column: 0, columns: geometry.width, mapColumn: 0, mapColumns: geometry.mapWidth }
          : {}),
        kernelRow: boxes.state(3, ({ start }) => start),
        kernelRows: boxes.state(3, size),
      },
      tiles: boxTiles(boxes.count, lowering.target),
    });
  }
  if (direct && !fused) return;
  const inner = sides.geometry.kernel[1];
  if (parts === 1 || !byTile) {
    finishPartials(lowering, w, result, { variable: made, each: parts, parts: kernelRows, inner });
    return;
  }
  // An update would add up all parts of a block on one tile; kernel row by kernel row they are spread over many.
  const summed = addUp(lowering, made, rowByRow(1), parts);
  finishPartials(lowering, w, result, { variable: summed, each: 1, parts: kernelRows, inner });
}

/** States that say which rows a vertex has, by its kernel rows and its rows of maps. */
function pairStates(
  boxes: Boxes,
  prefix: "row" | "mapRow",
  rows: (kernel: Piece, rows: Piece) => Rows,
): Record<string, StateColumn> {
  return {
    [prefix]: boxes.stateOfTwo(3, 4, (kernel, own) => rows(kernel, own).first),
    [`${prefix}Step`]: boxes.stateOfTwo(3, 4, (kernel, own) => rows(kernel, own).step),
    [`${prefix}s`]: boxes.stateOfTwo(3, 4, (kernel, own) => rows(kernel, own).count),
  };
}
