import { type Cost, defineOperator, type OperationWriter, type Value } from "../ir/index.ts";
import { bytesOf, elementCount, formatType, formatTypes, isFloat, type TensorType } from "../tensor/index.ts";
import { checkRows, forEachRow, logOfSum, rowsConstraint, softmaxRow } from "./rows.ts";

const cost = ([x]: readonly TensorType[], [y]: readonly TensorType[]): Cost => ({
  flops: 5 * elementCount(x.shape),
  bytes: bytesOf(x) + bytesOf(y),
});

/** The sum of each row, repeated along it. */
function sumsOfRows(builder: OperationWriter, x: Value): Value {
  const { shape } = x.type;
  const last = shape.length - 1;
  const total = builder.apply("sum", [x], { axes: [last] });
  return builder.apply("broadcast", [total], { shape, axes: shape.map((_, axis) => axis).slice(0, last) });
}

/** Probabilities along the last axis. */
export const softmax = defineOperator({
  name: "softmax",
  summary: "probabilities along the last axis: e to the power x, divided by its sum",
  constraints: { C1: rowsConstraint },
  attributes: {},
  inferTypes: (inputs, _, require) => [checkRows(inputs, require)],
  compute([x], [y]) {
    forEachRow(x.shape, (start, length) => {
      softmaxRow(x.data, y.data, start, length);
    });
  },
  gradient: ({ builder, outputs: [y], outputGradients }) => [
    builder.apply("softmaxGradient", [outputGradients[0] as Value, y]),
  ],
  cost,
  inPlace: [],
});

/** Logarithms of the probabilities along the last axis, which stay exact where the probabilities are tiny. */
export const logSoftmax = defineOperator({
  name: "logSoftmax",
  summary: "the logarithm of softmax along the last axis: x less the logarithm of the sum of exponentials",
  constraints: { C1: rowsConstraint },
  attributes: {},
  inferTypes: (inputs, _, require) => [checkRows(inputs, require)],
  compute([x], [y]) {
    forEachRow(x.shape, (start, length) => {
      const logSum = logOfSum(x.data, start, length);
      for (let i = start; i < start + length; i++) y.data[i] = x.data[i] - logSum;
    });
  },
  gradient({ builder, outputs: [y], outputGradients }) {
    // g − softmax(x) · Σ g.
    const gradient = outputGradients[0] as Value;
    const share = builder.apply("multiply", [builder.apply("exp", [y]), sumsOfRows(builder, gradient)]);
    return [builder.apply("subtract", [gradient, share])];
  },
  cost,
  inPlace: [],
});

/** The gradient through softmax: y · (g − Σ g·y) along the last axis. */
export const softmaxGradient = defineOperator({
  name: "softmaxGradient",
  summary: "the gradient through softmax: y · (g − Σ g·y) along the last axis, for its output y",
  constraints: {
    C1: {
      rule: "there must be two operands of one type, a float dtype and rank ≥ 1",
      remedy: "give gradient and output",
    },
  },
  attributes: {},
  inferTypes(inputs, _, require) {
    const [g, y] = inputs;
    const same = inputs.length === 2 && formatType(g) === formatType(y);
    require(same && isFloat(g.dtype) && g.shape.length >= 1, "C1", () => formatTypes(inputs));
    return [g];
  },
  compute([g, y], [x]) {
    forEachRow(g.shape, (start, length) => {
      let dot = 0;
      for (let i = start; i < start + length; i++) dot += g.data[i] * y.data[i];
      for (let i = start; i < start + length; i++) x.data[i] = y.data[i] * (g.data[i] - dot);
    });
  },
  gradient({ builder, inputs: [g, y], outputGradients, wanted }) {
    const u = outputGradients[0] as Value;
    const times = (a: Value, b: Value): Value => builder.apply("multiply", [a, b]);
    const toY = (): Value => {
      // u · (g − Σ g·y) − g · Σ u·y.
      const first = times(u, builder.apply("subtract", [g, sumsOfRows(builder, times(g, y))]));
      return builder.apply("subtract", [first, times(g, sumsOfRows(builder, times(u, y)))]);
    };
    return [wanted[0] ? builder.apply("softmaxGradient", [u, y]) : null, wanted[1] ? toY() : null];
  },
  cost: ([g], [y]) => ({ flops: 4 * elementCount(g.shape), bytes: 2 * bytesOf(g) + bytesOf(y) }),
  inPlace: [],
});
