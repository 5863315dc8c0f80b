import { type Constraint, defineOperator, type Value } from "../ir/index.ts";
import { bytesOf, elementCount, formatTypes, isFloat, type TensorType } from "../tensor/index.ts";
import { forEachRow, softmaxRow } from "./rows.ts";

const labelsConstraint: Constraint = { rule: "labels must be int32 [n]", remedy: "give one class number per sample" };

const isVector = ({ shape }: TensorType, length = shape[0]): boolean => shape.length === 1 && shape[0] === length;
const isLabels = (type: TensorType, count?: number): boolean => type.dtype === "int32" && isVector(type, count);
const isRowsOfFloats = ({ dtype, shape }: TensorType): boolean => isFloat(dtype) && shape.length === 2;
/** The cost of every sample's prediction, with softmax inside, where its gradient is simplest and most exact. */
export const crossEntropy = defineOperator({
  name: "crossEntropy",
  summary: "for logits [n,c] and labels [n]: losses [n], −log of the label's softmax, and the probabilities [n,c]",
  constraints: {
    C1: { rule: "logits must be [n,c] of a float dtype with c ≥ 1", remedy: "end the model with one output per class" },
    C2: labelsConstraint,
  },
  attributes: {},
  inferTypes(inputs, _, require) {
    const [logits, labels] = inputs;
    const got = (): string => formatTypes(inputs);
    require(inputs.length === 2 && isRowsOfFloats(logits) && logits.shape[1] >= 1, "C1", got);
    require(isLabels(labels, logits.shape[0]), "C2", got);
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
    C2: labelsConstraint,
  },
  attributes: {},
  inferTypes(inputs, _, require) {
    const [g, probabilities, labels] = inputs;
    const got = (): string => formatTypes(inputs);
    const fits = inputs.length === 3 && isRowsOfFloats(probabilities) && g.dtype === probabilities.dtype;
    require(fits && isVector(g, probabilities.shape[0]), "C1", got);
    require(isLabels(labels, g.shape[0]), "C2", got);
    return [probabilities];
  },
  compute([g, probabilities, labels], [logits]) {
    forEachRow(probabilities.shape, (start, length, row) => {
      for (let i = 0; i < length; i++) {
        logits.data[start + i] = g.data[row] * (probabilities.data[start + i] - (labels.data[row] === i ? 1 : 0));
      }
    });
  },
  gradient({ builder, inputs: [g, probabilities, labels], outputGradients, wanted }) {
    const u = outputGradients[0] as Value;
    const { shape, dtype } = probabilities.type;
    const times = (a: Value, b: Value): Value => builder.apply("multiply", [a, b]);
    const toG = (): Value => {
      const right = builder.apply("oneHot", [labels], { classes: shape[1], dtype });
      return builder.apply("sum", [times(u, builder.apply("subtract", [probabilities, right]))], { axes: [1] });
    };
    const toProbabilities = (): Value => times(u, builder.apply("broadcast", [g], { shape, axes: [0] }));
    return [wanted[0] ? toG() : null, wanted[1] ? toProbabilities() : null, null];
  },
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
    C1: labelsConstraint,
    C2: { rule: "classes must be a whole number ≥ 1", remedy: "give the number of classes" },
  },
  attributes: {
    classes: { kind: "number" },
    dtype: { kind: "choice", choices: ["float64", "float32"], default: "float32" },
  },
  inferTypes(inputs, { classes, dtype }, require) {
    const [labels] = inputs;
    require(inputs.length === 1 && isLabels(labels), "C1", () => formatTypes(inputs));
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
