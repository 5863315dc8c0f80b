import { defineOperator, type Value } from "../ir/index.ts";
import { bytesOf, elementCount, formatType, isFloat } from "../tensor/index.ts";

/** Probabilities along the last axis. */
export const softmax = defineOperator({
  name: "softmax",
  summary: "probabilities along the last axis: e to the power x, divided by its sum",
  constraints: {
    C1: { rule: "there must be one input of a float dtype and rank ≥ 1", remedy: "cast or reshape it first" },
  },
  attributes: {},
  inferTypes(inputs, _, require) {
    const [x] = inputs;
    require(inputs.length === 1 && isFloat(x.dtype) && x.shape.length >= 1, "C1", () =>
      inputs.map(formatType).join(", ") || "none");
    return [x];
  },
  compute([x], [y]) {
    forEachRow(x.shape, (start, length) => {
      softmaxRow(x.data, y.data, start, length);
    });
  },
  gradient({ builder, outputs: [y], outputGradients }) {
    return [builder.apply("softmaxGradient", [outputGradients[0] as Value, y])];
  },
  cost: ([x], [y]) => ({ flops: 5 * elementCount(x.shape), bytes: bytesOf(x) + bytesOf(y) }),
  inPlace: [],
});

/** Logarithms of the probabilities along the last axis, which stay exact where the probabilities are tiny. */
export const logSoftmax = defineOperator({
  name: "logSoftmax",
  summary: "the logarithm of softmax along the last axis: x less the logarithm of the sum of exponentials",
  constraints: {
    C1: { rule: "there must be one input of a float dtype and rank ≥ 1", remedy: "cast or reshape it first" },
  },
  attributes: {},
  inferTypes(inputs, _, require) {
    const [x] = inputs;
    require(inputs.length === 1 && isFloat(x.dtype) && x.shape.length >= 1, "C1", () =>
      inputs.map(formatType).join(", ") || "none");
    return [x];
  },
  compute([x], [y]) {
    forEachRow(x.shape, (start, length) => {
      const logSum = logOfSum(x.data, start, length);
      for (let i = start; i < start + length; i++) y.data[i] = x.data[i] - logSum;
    });
  },
  gradient({ builder, outputs: [y], outputGradients }) {
    // g − softmax(x) · Σ g, from operators that have gradients themselves.
    const gradient = outputGradients[0] as Value;
    const { shape } = y.type;
    const last = shape.length - 1;
    const total = builder.apply("sum", [gradient], { axes: [last] });
    const axes = shape.map((_, axis) => axis).slice(0, last);
    const spread = builder.apply("broadcast", [total], { shape, axes });
    const share = builder.apply("multiply", [builder.apply("exp", [y]), spread]);
    return [builder.apply("subtract", [gradient, share])];
  },
  cost: ([x], [y]) => ({ flops: 5 * elementCount(x.shape), bytes: bytesOf(x) + bytesOf(y) }),
  inPlace: [],
});

/** The gradient through softmax: y · (g − Σ g·y) along the last axis. */
export const softmaxGradient = defineOperator({
  name: "softmaxGradient",
  summary: "the gradient through softmax: y · (g − Σ g·y) along the last axis, for its output y",
  constraints: {
    C1: { rule: "there must be two operands of one type and a float dtype", remedy: "give gradient and output" },
  },
  attributes: {},
  inferTypes(inputs, _, require) {
    const [g, y] = inputs;
    require(inputs.length === 2 && isFloat(g.dtype) && formatType(g) === formatType(y), "C1", () =>
      inputs.map(formatType).join(" and ") || "none");
    return [g];
  },
  compute([g, y], [x]) {
    forEachRow(g.shape, (start, length) => {
      let dot = 0;
      for (let i = start; i < start + length; i++) dot += g.data[i] * y.data[i];
      for (let i = start; i < start + length; i++) x.data[i] = y.data[i] * (g.data[i] - dot);
    });
  },
  gradient: null,
  cost: ([g], [y]) => ({ flops: 4 * elementCount(g.shape), bytes: 2 * bytesOf(g) + bytesOf(y) }),
  inPlace: [],
});

/** The cost of every sample's prediction, with softmax inside, where its gradient is simplest and most exact. */
export const crossEntropy = defineOperator({
  name: "crossEntropy",
  summary: "for logits [n,c] and labels [n]: losses [n], −log of the label's softmax, and the probabilities [n,c]",
  constraints: {
    C1: { rule: "logits must be [n,c] of a float dtype with c ≥ 1", remedy: "end the model with one output per class" },
    C2: { rule: "labels must be int32 [n]", remedy: "give one class number per sample" },
  },
  attributes: {},
  inferTypes(inputs, _, require) {
    const [logits, labels] = inputs;
    const got = (): string => inputs.map(formatType).join(" and ") || "none";
    require(inputs.length === 2 &&
      isFloat(logits.dtype) &&
      logits.shape.length === 2 &&
      logits.shape[1] >= 1, "C1", got);
    require(labels.dtype === "int32" && labels.shape.length === 1 && labels.shape[0] === logits.shape[0], "C2", got);
    return [{ dtype: logits.dtype, shape: labels.shape }, logits];
  },
  compute([logits, labels], [losses, probabilities]) {
    forEachRow(logits.shape, (start, length, row) => {
      const label = labels.data[row];
      // Outside the classes there is no probability; the wasm engine gives NaN as well.
      const known = label >= 0 && label < length;
      const logit = known ? logits.data[start + label] : Number.NaN;
      losses.data[row] = softmaxRow(logits.data, probabilities.data, start, length) - logit;
    });
  },
  gradient({ builder, inputs: [logits, labels], outputs: [, probabilities], outputGradients }) {
    const [toLosses, toProbabilities] = outputGradients;
    let gradient: Value | null = null;
    if (toLosses !== null) {
      gradient = builder.apply("crossEntropyGradient", [toLosses, probabilities, labels]);
    }
    if (toProbabilities !== null) {
      const through = builder.apply("softmaxGradient", [toProbabilities, probabilities]);
      gradient = gradient === null ? through : builder.apply("add", [gradient, through]);
    }
    if (gradient === null) throw new Error(`internal: crossEntropy has no gradient to pass to ${logits.id}`);
    return [gradient, null];
  },
  cost: ([logits, labels], [losses]) => ({
    flops: 5 * elementCount(logits.shape),
    bytes: 2 * bytesOf(logits) + bytesOf(labels) + bytesOf(losses),
  }),
  inPlace: [],
});

/** The gradient of each sample's cross-entropy with respect to its logits. */
export const crossEntropyGradient = defineOperator({
  name: "crossEntropyGradient",
  summary: "for g [n], probabilities [n,c] and labels [n]: g · (probabilities − 1 at the label)",
  constraints: {
    C1: { rule: "probabilities must be [n,c] and g [n], of one float dtype", remedy: "give crossEntropy's outputs" },
    C2: { rule: "labels must be int32 [n]", remedy: "give one class number per sample" },
  },
  attributes: {},
  inferTypes(inputs, _, require) {
    const [g, probabilities, labels] = inputs;
    const got = (): string => inputs.map(formatType).join(" and ") || "none";
    require(inputs.length === 3 &&
      isFloat(g.dtype) &&
      g.dtype === probabilities.dtype &&
      probabilities.shape.length === 2 &&
      g.shape.length === 1 &&
      g.shape[0] === probabilities.shape[0], "C1", got);
    require(labels.dtype === "int32" && labels.shape.length === 1 && labels.shape[0] === g.shape[0], "C2", got);
    return [probabilities];
  },
  compute([g, probabilities, labels], [logits]) {
    forEachRow(probabilities.shape, (start, length, row) => {
      for (let i = 0; i < length; i++) {
        logits.data[start + i] = g.data[row] * (probabilities.data[start + i] - (labels.data[row] === i ? 1 : 0));
      }
    });
  },
  gradient: null,
  cost: ([g, probabilities, labels], [logits]) => ({
    flops: 2 * elementCount(logits.shape),
    bytes: bytesOf(g) + bytesOf(probabilities) + bytesOf(labels) + bytesOf(logits),
  }),
  inPlace: [],
});

/** Rows of zeros with a one at the label. */
export const oneHot = defineOperator({
  name: "oneHot",
  summary: "for labels [n]: [n, classes], 1 at the label and 0 elsewhere",
  constraints: {
    C1: { rule: "labels must be int32 [n]", remedy: "give one class number per sample" },
    C2: { rule: "classes must be a whole number ≥ 1", remedy: "give the number of classes" },
  },
  attributes: {
    classes: { kind: "number" },
    dtype: { kind: "choice", choices: ["float64", "float32"], default: "float32" },
  },
  inferTypes(inputs, { classes, dtype }, require) {
    const [labels] = inputs;
    require(inputs.length === 1 && labels.dtype === "int32" && labels.shape.length === 1, "C1", () =>
      inputs.map(formatType).join(", ") || "none");
    require(Number.isInteger(classes) && classes >= 1, "C2", () => String(classes));
    return [{ dtype, shape: [labels.shape[0], classes] }];
  },
  compute([labels], [y], { classes }) {
    for (let i = 0; i < y.data.length; i++) y.data[i] = labels.data[Math.floor(i / classes)] === i % classes ? 1 : 0;
  },
  gradient: null,
  cost: ([labels], [y]) => ({ flops: 0, bytes: bytesOf(labels) + bytesOf(y) }),
  inPlace: [],
});

function forEachRow(shape: readonly number[], visit: (start: number, length: number, row: number) => void): void {
  const length = shape[shape.length - 1];
  const rows = elementCount(shape.slice(0, -1));
  for (let row = 0; row < rows; row++) visit(row * length, length, row);
}

/** The logarithm of the sum of a row's exponentials, shifted by the maximum so that nothing overflows. */
function logOfSum(from: ArrayLike<number>, start: number, length: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = start; i < start + length; i++) largest = Math.max(largest, from[i]);
  let total = 0;
  for (let i = start; i < start + length; i++) total += Math.exp(from[i] - largest);
  return largest + Math.log(total);
}

/** Fills a row of probabilities and returns the logarithm of the sum of exponentials. */
function softmaxRow(from: ArrayLike<number>, to: { [index: number]: number }, start: number, length: number): number {
  const logSum = logOfSum(from, start, length);
  for (let i = start; i < start + length; i++) to[i] = Math.exp(from[i] - logSum);
  return logSum;
}
