import { matmulBlocks } from "../../codelets/index.ts";
import { BlockLayout, type Codelet, elementBytes, type PlacedTensor } from "../../graph/index.ts";
import type { Operation } from "../../ir/index.ts";
import { Boxes, type Piece } from "../columns.ts";
import type { Work } from "../grain.ts";
import type { Lowering } from "../lowering.ts";
import { finishPartials } from "./reduce.ts";
import { wholeRule } from "./whole.ts";
import { boxTiles, byPlace, isIdentity, reductionCost, size, tilesOfReaders, workKey } from "./work.ts";

const codelets = new Map<string, ReturnType<typeof matmulBlocks>>();

function codeletOf(transposeA: boolean, transposeB: boolean): ReturnType<typeof matmulBlocks> {
  const key = `${transposeA} ${transposeB}`;
  let found = codelets.get(key);
  if (found === undefined) codelets.set(key, (found = matmulBlocks(transposeA, transposeB)));
  return found;
}

/** Writes the blocks of a matrix at some places along both axes, or along them transposed. */
function blockWriter({ variable, layout }: PlacedTensor, transposed: boolean) {
  const [, columns] = layout.grid;
  return (into: Uint32Array, at: number, first: Piece, second: Piece): void => {
    for (let i = first.start; i < first.end; i++) {
      for (let j = second.start; j < second.end; j++) {
        into[at++] = variable.firstBlock + (transposed ? j * columns + i : i * columns + j);
      }
    }
  };
}

/** Products of blocks; what vertices that share a block of the result have left is added up by others. */
export function matmulRule(lowering: Lowering, operation: Operation): void {
  const { inputs, outputs, attributes } = operation;
  const [leftValue, rightValue] = inputs;
  const [y] = outputs;
  if (y.type.dtype !== "float32") {
    wholeRule(lowering, operation);
    return;
  }
  const transposeA = attributes.transposeA as boolean;
  const transposeB = attributes.transposeB as boolean;
  const left = lowering.asMatrix(leftValue);
  const [rowAxis, innerAxis] = transposeA ? [1, 0] : [0, 1];
  const [rightInner, rightColumn] = transposeB ? [1, 0] : [0, 1];
  const rightBlock = [...lowering.asMatrix(rightValue).layout.block];
  rightBlock[rightInner] = left.layout.block[innerAxis];
  const right = lowering.getIn(rightValue, new BlockLayout(rightValue.type.shape, rightBlock));
  const result = new BlockLayout(y.type.shape, [left.layout.block[rowAxis], right.layout.block[rightColumn]]);
  const codelet = codeletOf(transposeA, transposeB);
  const items = [...result.grid, left.layout.grid[innerAxis]];
  const innerBlock = left.layout.block[innerAxis];
  const work: Work = {
    name: lowering.path(""),
    key: workKey(operation),
    axes: ["rows", "columns", "inner"],
    items,
    cost([m, n, k], pieces) {
      const rows = Math.min(m * result.block[0], result.shape[0]);
      const columns = Math.min(n * result.block[1], result.shape[1]);
      const inner = Math.min(k * innerBlock, left.layout.shape[innerAxis]);
      const sizes = {
        left: { length: m * k, elements: rows * inner },
        right: { length: k * n, elements: inner * columns },
        out: { length: m * n, elements: rows * columns },
        rowBlocks: m,
        innerBlocks: k,
        columnBlocks: n,
      };
      return {
        computeCycles: codelet.cycles(sizes as Parameters<Codelet["cycles"]>[0] & typeof sizes, lowering.target),
        inputBytes: (rows * inner + inner * columns) * elementBytes.float,
        ...reductionCost(rows * columns, pieces[2], lowering.target),
      };
    },
  };
  const cut = lowering.grain.cut(work, lowering.target);
  const parts = cut.pieces[2];
  const fused = lowering.fused.has(y.id);
  const partial = new BlockLayout([...result.shape, parts], [...result.block, 1]);
  const made = parts === 1 && !fused ? lowering.addResult(y, result) : lowering.addTemporary("partials", partial);
  const identity = isIdentity(cut, items);
  for (const boxes of Boxes.of(items, cut)) {
    const place = byPlace(boxes.pieces[2]);
    const writeLeft = blockWriter(left, transposeA);
    const writeRight = blockWriter(right, transposeB);
    const weights = boxes.column(
      right.variable,
      (_m, n, k) => size(k) * size(n),
      (into, at, _m, n, k) => writeRight(into, at, k, n),
    );
    const tiles = boxTiles(boxes.count, lowering.target);
    lowering.place(right, tilesOfReaders(weights, tiles));
    lowering.addFamily(parts === 1 ? "" : "partials", {
      codelet,
      count: boxes.count,
      inputs: {
        left: boxes.column(
          left.variable,
          (m, _n, k) => size(m) * size(k),
          (into, at, m, _n, k) => writeLeft(into, at, m, k),
        ),
        right: weights,
      },
      outputs: {
        out: identity
          ? { variable: made }
          : boxes.column(
              made,
              (m, n) => size(m) * size(n),
              (into, at, m, n, k) => {
                for (let i = m.start; i < m.end; i++) {
                  for (let j = n.start; j < n.end; j++) {
                    into[at++] = made.firstBlock + (i * items[1] + j) * parts + place(k);
                  }
                }
              },
            ),
      },
      states: {
        rowBlocks: boxes.state(0, size),
        columnBlocks: boxes.state(1, size),
        innerBlocks: boxes.state(2, size),
      },
      tiles,
    });
  }
  if (parts > 1 || fused) finishPartials(lowering, y, result, { variable: made, each: parts, parts: 1, inner: 1 });
}
