import {
  type AttributesOf,
  type Constraint,
  defineOperator,
  type GradientContext,
  type Operator,
  type Require,
  type Value,
} from "../ir/index.ts";
import {
  bytesOf,
  elementCount,
  formatShape,
  formatType,
  formatTypes,
  isFloat,
  rowMajorStrides,
  type Shape,
  type TensorType,
} from "../tensor/index.ts";
import { checkRows, rowsConstraint } from "./rows.ts";

/** For every element of a tensor, the position of the element of the reduced tensor to which it belongs. */
function forEachReduced(
  shape: Shape,
  axes: readonly number[],
  visit: (position: number, target: number) => void,
): void {
  const kept = keptAxes(shape, axes);
  const keptStrides = rowMajorStrides(kept.map((axis) => shape[axis]));
  const steps = shape.map((_, axis) => (axes.includes(axis) ? 0 : keptStrides[kept.indexOf(axis)]));
  const strides = rowMajorStrides(shape);
  for (let position = 0, count = elementCount(shape); position < count; position++) {
    let target = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      target += (Math.floor(position / strides[axis]) % shape[axis]) * steps[axis];
    }
    visit(position, target);
  }
}

const axesConstraints = {
  C1: { rule: "there must be one input of a float dtype", remedy: "cast it to float32 first" },
  C2: { rule: "axes must be different axes of the input", remedy: "count axes from 0" },
};

function checkAxes(inputs: readonly TensorType[], axes: readonly number[], require: Require): void {
  require(inputs.length === 1 && isFloat(inputs[0].dtype), "C1", () => formatTypes(inputs));
  const rank = inputs[0].shape.length;
  const inside = axes.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < rank);
  require(inside && new Set(axes).size === axes.length, "C2", () =>
    `axes ${formatShape(axes)} of ${formatType(inputs[0])}`);
}

const attributes = { axes: { kind: "numbers" } } as const;

/** Axes that a reduction keeps. */
const keptAxes = (shape: Shape, axes: readonly number[]): readonly number[] =>
  shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));

interface ReductionRule<Name extends string> {
  readonly name: Name;
  readonly summary: string;
  /** What there is before anything is put together. */
  readonly initial: number;
  readonly combine: (before: number, element: number) => number;
  /** What becomes of all of it in the end, for so many elements. */
  readonly finish?: (total: number, count: number) => number;
  /** A constraint beyond those of all reductions, C3. */
  readonly check?: Constraint & { holds(count: number): boolean };
  /** The gradient with respect to x, of its shape; `repeat` makes of a reduced tensor one of x's shape. */
  gradient(
    context: GradientContext<{ readonly axes: readonly number[] }>,
    gradient: Value,
    repeat: (reduced: Value) => Value,
  ): Value;
}

function reduction<const Name extends string>(
  rule: ReductionRule<Name>,
): Operator<Name, AttributesOf<typeof attributes>> {
  const { check, finish } = rule;
  return defineOperator({
    name: rule.name,
    summary: rule.summary,
    constraints: check === undefined ? axesConstraints : { ...axesConstraints, C3: check },
    attributes,
    inferTypes(inputs, { axes }, require) {
      checkAxes(inputs, axes, require);
      const [{ dtype, shape }] = inputs;
      const got = (): string => `axes ${formatShape(axes)} of ${formatType(inputs[0])}`;
      if (check !== undefined) require(check.holds(countOver(shape, axes)), "C3", got);
      return [{ dtype, shape: keptAxes(shape, axes).map((axis) => shape[axis]) }];
    },
    compute([x], [y], { axes }) {
      // Kept in double precision: the oracle should be the more exact side of a comparison.
      const totals = new Float64Array(y.data.length).fill(rule.initial);
      forEachReduced(x.shape, axes, (position, target) => {
        totals[target] = rule.combine(totals[target], x.data[position]);
      });
      const count = countOver(x.shape, axes);
      y.data.set(finish === undefined ? totals : totals.map((total) => finish(total, count)));
    },
    gradient(context) {
      const { builder, attributes, inputs } = context;
      const { shape } = inputs[0].type;
      const repeat = (reduced: Value): Value =>
        builder.apply("broadcast", [reduced], { shape, axes: keptAxes(shape, attributes.axes) });
      return [rule.gradient(context, context.outputGradients[0] as Value, repeat)];
    },
    cost: ([x], [y]) => ({
      flops: elementCount(x.shape) + (finish === undefined ? 0 : elementCount(y.shape)),
      bytes: bytesOf(x) + bytesOf(y),
    }),
    inPlace: [],
  });
}

/** How many elements are put together for each element of the result. */
const countOver = (shape: Shape, axes: readonly number[]): number => elementCount(axes.map((axis) => shape[axis]));

/** Sums over some axes, which then are gone. */
export const sum = reduction({
  name: "sum",
  summary: "the sum over `axes`, which are dropped",
  initial: 0,
  combine: (total, element) => total + element,
  gradient: (_, gradient, repeat) => repeat(gradient),
});

/** Averages over some axes, which then are gone. */
export const mean = reduction({
  name: "mean",
  summary: "the mean over `axes`, which are dropped",
  initial: 0,
  combine: (total, element) => total + element,
  finish: (total, count) => total / count,
  check: {
    rule: "there must be something to average",
    remedy: "give axes whose extents are at least 1",
    holds: (count) => count > 0,
  },
  gradient({ builder, inputs: [x], attributes: { axes } }, gradient, repeat) {
    return repeat(builder.apply("scale", [gradient], { factor: 1 / countOver(x.type.shape, axes) }));
  },
});

/** The largest element over some axes, which then are gone. */
export const max = reduction({
  name: "max",
  summary: "the largest element over `axes`, which are dropped; its gradient is shared evenly where several are equal",
  initial: Number.NEGATIVE_INFINITY,
  combine: Math.max,
  gradient({ builder, inputs: [x], outputs: [y], attributes: { axes } }, gradient, repeat) {
    const largest = builder.apply("greaterOrEqual", [x, repeat(y)]);
    const share = builder.apply("divide", [gradient, builder.apply("sum", [largest], { axes })]);
    return builder.apply("multiply", [largest, repeat(share)]);
  },
});

/** The index of the largest element along the last axis; the first one where several are equal. */
export const argmax = defineOperator({
  name: "argmax",
  summary: "the index of the largest element along the last axis, the first where several are equal",
  constraints: {
    C1: rowsConstraint,
    C2: { rule: "the last axis must not be empty", remedy: "give at least one class" },
  },
  attributes: {},
  inferTypes(inputs, _, require) {
    const x = checkRows(inputs, require);
    require(x.shape[x.shape.length - 1] > 0, "C2", () => formatType(x));
    return [{ dtype: "int32", shape: x.shape.slice(0, -1) }];
  },
  compute([x], [y]) {
    const length = x.shape[x.shape.length - 1];
    for (let row = 0; row < y.data.length; row++) {
      let best = 0;
      for (let i = 1; i < length; i++) if (x.data[row * length + i] > x.data[row * length + best]) best = i;
      y.data[row] = best;
    }
  },
  gradient: null,
  cost: ([x], [y]) => ({ flops: elementCount(x.shape), bytes: bytesOf(x) + bytesOf(y) }),
  inPlace: [],
});
