import {
  type FloatType,
  gradientDescent,
  type Reduction,
  reduceAxes,
  reducePartials,
  sharedCodelet,
} from "../../codelets/index.ts";
import { BlockLayout, type BlockVariable, type Codelet, type PlacedTensor } from "../../graph/index.ts";
import type { Operation, Value } from "../../ir/index.ts";
import { elementCount } from "../../tensor/index.ts";
import type { Lowering, Partials } from "../lowering.ts";
import { wholeRule } from "./whole.ts";

const combining = (reduction: Reduction, from: BlockVariable, to: BlockVariable): Codelet => {
  const types = [from.type as FloatType, to.type as FloatType] as const;
  return sharedCodelet(`combine ${reduction} ${types.join()}`, () => reducePartials(reduction, ...types));
};
const reducing = (reduction: Reduction, from: BlockVariable, to: BlockVariable): Codelet => {
  const types = [from.type as FloatType, to.type as FloatType] as const;
  return sharedCodelet(`reduce ${reduction} ${types.join()}`, () => reduceAxes(reduction, ...types));
};

/** Adds up partial results, or leaves that to the update that wants their sum and nothing else. */
export function finishPartials(lowering: Lowering, result: Value, layout: BlockLayout, partials: Partials): void {
  if (lowering.fused.has(result.id)) {
    lowering.partials.set(result.id, partials);
    lowering.define(result, { variable: partials.variable, layout });
    return;
  }
  const { variable, each, parts, inner } = partials;
  const made = lowering.addResult(result, layout);
  lowering.addBlockWork({
    step: "reduce",
    codelet: combining("sum", variable, made),
    out: "out",
    operands: { in: { variable, each: each * parts } },
    states: { parts, inner, factor: 1 },
    result: made,
    tiles: reductionTiles(layout, variable.tiles, each * parts),
    list: true,
  });
}

/** The sums of `each` partial results for each block of a layout, on the tiles of these in turn. */
export function addUp(lowering: Lowering, partials: BlockVariable, layout: BlockLayout, each: number): BlockVariable {
  const made = lowering.addTemporary("reduce", layout);
  lowering.addBlockWork({
    step: "reduce",
    codelet: combining("sum", partials, made),
    out: "out",
    operands: { in: { variable: partials, each } },
    states: { parts: 1, inner: 1, factor: 1 },
    result: made,
    tiles: reductionTiles(layout, partials.tiles, each),
    list: true,
  });
  return made;
}

/** Blocks whose partial results lie on several tiles are added up on these in turn, so that each has its share. */
function reductionTiles(layout: BlockLayout, partials: Uint16Array, each: number): Uint16Array {
  const turns = new Map<number, number>();
  return Uint16Array.from({ length: layout.count }, (_, block) => {
    const first = partials[block * each];
    const turn = turns.get(first) ?? 0;
    turns.set(first, turn + 1);
    return partials[block * each + (turn % each)];
  });
}

/** One step of gradient descent, from the partial results of the gradient. */
export function gradientDescentRule(
  lowering: Lowering,
  result: Value,
  weights: Value,
  gradient: Value,
  rate: Value,
): void {
  const whole = lowering.get(gradient);
  const placed = lowering.getIn(weights, whole.layout);
  // What a rule has summed itself is the only partial result.
  const { variable, each, parts, inner } = lowering.partials.get(gradient.id) ?? {
    variable: whole.variable,
    each: 1,
    parts: 1,
    inner: 1,
  };
  const types = [placed.variable.type as FloatType, variable.type as FloatType] as const;
  lowering.addBlockWork({
    step: "gradient descent",
    codelet: sharedCodelet(`gradient descent ${types.join()}`, () => gradientDescent(...types)),
    out: "out",
    operands: { weights: { variable: placed.variable }, partials: { variable, each: each * parts } },
    scalars: { rate: lowering.get(rate).variable },
    states: { parts, inner },
    result: lowering.addResult(result, placed.layout, [weights]),
    tiles: placed.variable.tiles,
    list: true,
  });
}

/** A rule for sums, means and largest elements over axes: each block for itself, then what blocks have left together. */
function reductionRule(
  reduction: Reduction,
  factorOf: (operation: Operation) => number,
): (lowering: Lowering, operation: Operation) => void {
  return (lowering, operation) => {
    const { inputs, outputs, attributes } = operation;
    const [x] = inputs;
    const [y] = outputs;
    const axes = attributes.axes as readonly number[];
    const { variable, layout } = lowering.asMatrix(x);
    const kept = layout.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
    const long = kept.filter((axis) => layout.block[axis] > 1);
    const [first, last] = [long[0] ?? -1, long.at(-1) ?? -1];
    const together = axes.every((axis) => axis < first || axis > last || layout.block[axis] === 1);
    if (!together || x.type.dtype !== "float32") {
      wholeRule(lowering, operation);
      return;
    }
    const result = new BlockLayout(
      y.type.shape,
      kept.map((axis) => layout.block[axis]),
    );
    const each = elementCount(axes.map((axis) => layout.grid[axis]));
    const factor = factorOf(operation);
    reduceWithin(
      lowering,
      reduction,
      { variable, layout },
      {
        result,
        value: y,
        kept,
        axes,
        each,
        innerAxes: axes.filter((axis) => axis > last),
        factor,
      },
    );
  };
}

interface ReductionPlan {
  readonly result: BlockLayout;
  readonly value: Value;
  readonly kept: readonly number[];
  readonly axes: readonly number[];
  /** Blocks that end in one block of the result. */
  readonly each: number;
  readonly innerAxes: readonly number[];
  readonly factor: number;
}

function reduceWithin(lowering: Lowering, reduction: Reduction, x: PlacedTensor, plan: ReductionPlan): void {
  const { result, value, kept, axes, each, innerAxes, factor } = plan;
  const { layout, variable } = x;
  const reducedGrid = axes.map((axis) => layout.grid[axis]);
  const grid = new BlockLayout(
    reducedGrid,
    reducedGrid.map(() => 1),
  );
  /** The block of x whose partial result has a number: by block of the result, then by place among the reduced axes. */
  const blockOf = (partial: number): number => {
    const places = new Array<number>(layout.shape.length).fill(0);
    for (const [index, axis] of kept.entries()) places[axis] = result.placeOf(Math.floor(partial / each), index);
    for (const [index, axis] of axes.entries()) places[axis] = grid.placeOf(partial % each, index);
    return layout.at(...places);
  };
  const inner = (block: number): number =>
    innerAxes.reduce((product, axis) => {
      const [start, end] = layout.intervalOf(block, axis);
      return product * (end - start);
    }, 1);
  const uniform = innerAxes.every((axis) => layout.shape[axis] % layout.block[axis] === 0);
  const single = each === 1;
  // Blocks of single elements along the reduced axes are partial results already, if they stand in that order.
  const nothingWithin = !single && axes.every((axis) => layout.block[axis] === 1 && axis >= kept.length);
  if (nothingWithin) {
    combineBlocks(lowering, reduction, variable, plan);
    return;
  }
  const partialLayout = new BlockLayout([...result.shape, each], [...result.block, 1]);
  const made =
    single && !lowering.fused.has(value.id)
      ? lowering.addResult(value, result)
      : lowering.addTemporary("partials", partialLayout);
  const count = result.count * each;
  lowering.addBlockWork({
    step: single ? "" : "partials",
    codelet: reducing(reduction, variable, made),
    out: "out",
    operands: { in: { variable, block: blockOf } },
    states: {
      inner: uniform
        ? inner(0)
        : { every: 1, values: Float64Array.from({ length: count }, (_, p) => inner(blockOf(p))) },
      factor: single ? factor : 1,
    },
    result: made,
    tiles: Uint16Array.from({ length: count }, (_, partial) => variable.tiles[blockOf(partial)]),
    list: true,
  });
  if (single && lowering.fused.has(value.id)) {
    finishPartials(lowering, value, result, { variable: made, each, parts: 1, inner: 1 });
  } else if (!single) combineBlocks(lowering, reduction, made, plan);
}

/** Takes `each` blocks at a time together. */
function combineBlocks(lowering: Lowering, reduction: Reduction, partials: BlockVariable, plan: ReductionPlan): void {
  const { result, value, each, factor } = plan;
  if (lowering.fused.has(value.id)) {
    finishPartials(lowering, value, result, { variable: partials, each, parts: 1, inner: 1 });
    return;
  }
  const made = lowering.addResult(value, result);
  lowering.addBlockWork({
    step: "reduce",
    codelet: combining(reduction, partials, made),
    out: "out",
    operands: { in: { variable: partials, each } },
    states: { parts: 1, inner: 1, factor },
    result: made,
    tiles: reductionTiles(result, partials.tiles, each),
    list: true,
  });
}

export const sumRule = reductionRule("sum", () => 1);
export const maxRule = reductionRule("max", () => 1);
export const meanRule = reductionRule(
  "sum",
  ({ inputs: [{ type }], attributes }) =>
    1 / elementCount((attributes.axes as readonly number[]).map((axis) => type.shape[axis])),
);
