import { type FloatType, matmulBlocks, sharedCodelet } from "../../codelets/index.ts";
import {
  BlockLayout,
  type BlockVariable,
  type Codelet,
  type ColumnOptions,
  elementBytes,
  type PlacedTensor,
} from "../../graph/index.ts";
import type { Operation, Value } from "../../ir/index.ts";
import { Boxes, type Piece } from "../columns.ts";
import type { Work } from "../grain.ts";
import type { Lowering } from "../lowering.ts";
import { finishPartials } from "./reduce.ts";
import { wholeRule } from "./whole.ts";
import { arrivingShare, boxTiles, byPlace, isIdentity, reductionCost, size, tilesOfReaders, workKey } from "./work.ts";

type MatmulSettings = Required<Parameters<typeof matmulBlocks>>;

function codeletOf(...settings: MatmulSettings): ReturnType<typeof matmulBlocks> {
  return sharedCodelet(`matmul ${settings.join()}`, () => matmulBlocks(...settings));
}

/** Writes the blocks of matrices, pair after pair, at some places along both axes, or along them transposed. */
function blockWriter({ variable, layout }: PlacedTensor, transposed: boolean) {
  const [rows, columns] = layout.grid.slice(-2);
  return (into: Uint32Array, at: number, pairs: Piece, first: Piece, second: Piece): void => {
    for (let pair = pairs.start; pair < pairs.end; pair++) {
      const begin = variable.firstBlock + pair * rows * columns;
      for (let i = first.start; i < first.end; i++) {
        for (let j = second.start; j < second.end; j++) {
          into[at++] = begin + (transposed ? j * columns + i : i * columns + j);
        }
      }
    }
  };
}

/** Layouts of both operands and of the result of a product: their last two axes are matrices. */
interface Operands {
  readonly left: PlacedTensor;
  readonly right: PlacedTensor;
  readonly result: BlockLayout;
}

/** Operands of which blocks go together: those of the left one as they lie, where they are matrices. */
function operandsOf(lowering: Lowering, { inputs, outputs, attributes }: Operation): Operands {
  const [leftValue, rightValue] = inputs;
  const { shape } = outputs[0].type;
  const [rowAxis, innerAxis] = attributes.transposeA ? [1, 0] : [0, 1];
  const [rightInner, rightColumn] = attributes.transposeB ? [1, 0] : [0, 1];
  const { group, samples } = lowering.grain;
  const several = shape.length === 3;
  const first = several ? 1 : 0;
  const inLayout = (value: Value, block: readonly number[]): PlacedTensor =>
    lowering.getIn(value, new BlockLayout(value.type.shape, several ? [1, ...block] : block));
  const left = several ? inLayout(leftValue, [samples, group]) : lowering.asMatrix(leftValue);
  const rightBlock = several ? [group, group] : [...lowering.asMatrix(rightValue).layout.block];
  rightBlock[rightInner] = left.layout.block[first + innerAxis];
  const right = inLayout(rightValue, rightBlock);
  const block = [left.layout.block[first + rowAxis], right.layout.block[first + rightColumn]];
  return { left, right, result: new BlockLayout(shape, several ? [1, ...block] : block) };
}

/**
 * Products of blocks; what vertices that share a block of the result have left is added up by others. Products of several
 * pairs of matrices are one work, with the pairs as an axis that is cut as others are.
 */
export function matmulRule(lowering: Lowering, operation: Operation): void {
  const { outputs, attributes } = operation;
  const [y] = outputs;
  if (y.type.dtype !== "float32") {
    wholeRule(lowering, operation);
    return;
  }
  const transposeA = attributes.transposeA as boolean;
  const transposeB = attributes.transposeB as boolean;
  const { left, right, result } = operandsOf(lowering, operation);
  const several = result.shape.length === 3;
  const type = left.variable.type as FloatType;
  const innerAxis = left.layout.shape.length - (transposeA ? 2 : 1);
  const [rowBlock, columnBlock] = result.block.slice(-2);
  const [allRows, allColumns] = result.shape.slice(-2);
  const innerBlock = left.layout.block[innerAxis];
  const allInner = left.layout.shape[innerAxis];
  const items = [several ? result.grid[0] : 1, ...result.grid.slice(-2), left.layout.grid[innerAxis]];
  /** Extents with the axis of pairs, which the planner is told of only if there are several. */
  const complete = (extents: readonly number[]): readonly number[] => (several ? extents : [1, ...extents]);
  const placedAlready = lowering.isPlaced(right);
  const work: Work = {
    name: lowering.path(""),
    key: workKey(operation, placedAlready),
    axes: several ? ["pairs", "rows", "columns", "inner"] : ["rows", "columns", "inner"],
    items: several ? items : items.slice(1),
    cost(extents, pieces) {
      const [pairs, m, n, k] = complete(extents);
      const arriving = arrivingShare(placedAlready, complete(pieces)[1], pairs * n * k);
      const rows = Math.min(m * rowBlock, allRows);
      const columns = Math.min(n * columnBlock, allColumns);
      const inner = Math.min(k * innerBlock, allInner);
      const sizes = {
        left: { length: pairs * m * k, elements: pairs * rows * inner },
        right: { length: pairs * k * n, elements: pairs * inner * columns },
        out: { length: pairs * m * n, elements: pairs * rows * columns },
        rowBlocks: m,
        innerBlocks: k,
        columnBlocks: n,
      };
      return {
        computeCycles: codeletOf(transposeA, transposeB, type, "float").cycles(
          sizes as Parameters<Codelet["cycles"]>[0] & typeof sizes,
          lowering.target,
        ),
        inputBytes: (sizes.left.elements + arriving * sizes.right.elements) * elementBytes[type],
        ...reductionCost(
          { elements: sizes.out.elements, blocks: sizes.out.length },
          pieces[pieces.length - 1],
          lowering.target,
          type,
        ),
      };
    },
  };
  const cut = lowering.grain.cut(work, lowering.target);
  const parts = cut.pieces[cut.pieces.length - 1];
  const fused = lowering.fused.has(y.id);
  const partial = new BlockLayout([...result.shape, parts], [...result.block, 1]);
  const made = parts === 1 && !fused ? lowering.addResult(y, result) : lowering.addTemporary("partials", partial);
  const codelet = codeletOf(transposeA, transposeB, type, made.type as FloatType);
  const identity = isIdentity(cut, work.items);
  const first = several ? 1 : 0;
  /** Pieces of a box: of pairs, rows, columns and inner blocks. */
  const named = (a: Piece, b: Piece, c: Piece, d: Piece): readonly [Piece, Piece, Piece, Piece] =>
    several ? [a, b, c, d] : [onePair, a, b, c];
  for (const boxes of Boxes.of(work.items, cut)) {
    const place = byPlace(boxes.pieces[first + 2]);
    const writeLeft = blockWriter(left, transposeA);
    const writeRight = blockWriter(right, transposeB);
    const column = (
      variable: BlockVariable,
      length: (p: Piece, m: Piece, n: Piece, k: Piece) => number,
      write: (into: Uint32Array, at: number, p: Piece, m: Piece, n: Piece, k: Piece) => void,
    ): ColumnOptions =>
      boxes.column(
        variable,
        (a, b, c, d) => length(...named(a, b, c, d)),
        (into, at, a, b, c, d) => write(into, at, ...named(a, b, c, d)),
      );
    const weights = column(
      right.variable,
      (p, _m, n, k) => size(p) * size(k) * size(n),
      (into, at, p, _m, n, k) => writeRight(into, at, p, k, n),
    );
    const tiles = boxTiles(boxes.count, lowering.target);
    lowering.place(right, tilesOfReaders(weights, tiles));
    lowering.addFamily(parts === 1 ? "" : "partials", {
      codelet,
      count: boxes.count,
      inputs: {
        left: column(
          left.variable,
          (p, m, _n, k) => size(p) * size(m) * size(k),
          (into, at, p, m, _n, k) => writeLeft(into, at, p, m, k),
        ),
        right: weights,
      },
      outputs: {
        out: identity
          ? { variable: made }
          : column(
              made,
              (p, m, n) => size(p) * size(m) * size(n),
              (into, at, p, m, n, k) => {
                for (let pair = p.start; pair < p.end; pair++) {
                  for (let i = m.start; i < m.end; i++) {
                    for (let j = n.start; j < n.end; j++) {
                      into[at++] = made.firstBlock + ((pair * items[1] + i) * items[2] + j) * parts + place(k);
                    }
                  }
                }
              },
            ),
      },
      states: {
        rowBlocks: boxes.state(first, size),
        columnBlocks: boxes.state(first + 1, size),
        innerBlocks: boxes.state(first + 2, size),
      },
      tiles,
    });
  }
  if (parts > 1 || fused) finishPartials(lowering, y, result, { variable: made, each: parts, parts: 1, inner: 1 });
}

const onePair: Piece = { start: 0, end: 1 };
