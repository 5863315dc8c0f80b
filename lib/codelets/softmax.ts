import { codelet, input, output, type ReadonlyVector } from "../graph/index.ts";
import { type FloatType, oneWorker, type Vector, vectorWidth } from "./support.ts";

// One worker takes a row: it looks for the largest element, sums exponentials and scales. No estimate of PopLibs' is
// known to us; as an assumption a pass costs what its loops cost elsewhere for two elements, or four halves: 2 to find the largest,
// 6 for exponentials and 3 to scale, besides 30 for the vertex.
const vertexCycles = 30;

function cycles(count: number, loop: number, type: FloatType): number {
  return vertexCycles + loop * Math.ceil(count / vectorWidth[type]);
}

function largestOf(values: ReadonlyVector): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]);
  return largest;
}

/** Fills a row with its softmax and returns the logarithm of the sum of its exponentials. */
function softmaxRow(values: ReadonlyVector, out: Vector): number {
  const largest = largestOf(values);
  let sum = 0;
  for (let i = 0; i < out.length; i++) sum += Math.exp(values[i] - largest);
  for (let i = 0; i < out.length; i++) out[i] = Math.exp(values[i] - largest) / sum;
  return largest + Math.log(sum);
}

/** Probabilities of a row. Cycles: 30 + 11 for every two elements, as an assumption. */
export function softmax(type: FloatType = "float") {
  return codelet(
    `Softmax<${type}>`,
    { in: input.vector(type), out: output.vector(type) },
    ({ in: values, out }) => {
      softmaxRow(values, out);
    },
    ({ out }) => cycles(out.length, 11, type),
    oneWorker,
  );
}

/** Logarithms of the probabilities of a row. Cycles: 30 + 11 for every two elements, as an assumption. */
export function logSoftmax(type: FloatType = "float") {
  return codelet(
    `LogSoftmax<${type}>`,
    { in: input.vector(type), out: output.vector(type) },
    ({ in: values, out }) => {
      const largest = largestOf(values);
      let sum = 0;
      for (let i = 0; i < values.length; i++) sum += Math.exp(values[i] - largest);
      const logSum = largest + Math.log(sum);
      for (let i = 0; i < out.length; i++) out[i] = values[i] - logSum;
    },
    ({ out }) => cycles(out.length, 11, type),
    oneWorker,
  );
}

/** The gradient through softmax, `y · (g − Σ g·y)`. Cycles: 30 + 6 for every two elements, as an assumption. */
export function softmaxGradient(type: FloatType = "float") {
  return codelet(
    `SoftmaxGradient<${type}>`,
    { delta: input.vector(type), probabilities: input.vector(type), out: output.vector(type) },
    ({ delta, probabilities, out }) => {
      let dot = 0;
      for (let i = 0; i < out.length; i++) dot += delta[i] * probabilities[i];
      for (let i = 0; i < out.length; i++) out[i] = probabilities[i] * (delta[i] - dot);
    },
    ({ out }) => cycles(out.length, 6, type),
    oneWorker,
  );
}

/**
 * A sample's cross-entropy, with softmax inside, and its probabilities; NaN for a label outside the classes.
 * Cycles: 30 + 11 for every two elements, as an assumption.
 */
export function crossEntropy(type: FloatType = "float") {
  return codelet(
    `CrossEntropy<${type}>`,
    {
      logits: input.vector(type),
      label: input("int"),
      loss: output(type),
      probabilities: output.vector(type),
    },
    ({ logits, label, loss, probabilities }) => {
      const logSum = softmaxRow(logits, probabilities);
      loss.value = label >= 0 && label < logits.length ? logSum - logits[label] : Number.NaN;
    },
    ({ logits }) => cycles(logits.length, 11, type),
    oneWorker,
  );
}

/** The gradient of a sample's cross-entropy, `g · (p − 1 at the label)`. Cycles: 30 + 3 for every two elements, as an assumption. */
export function crossEntropyGradient(type: FloatType = "float") {
  return codelet(
    `CrossEntropyGradient<${type}>`,
    {
      delta: input(type),
      probabilities: input.vector(type),
      label: input("int"),
      out: output.vector(type),
    },
    ({ delta, probabilities, label, out }) => {
      for (let i = 0; i < out.length; i++) out[i] = delta * (probabilities[i] - (label === i ? 1 : 0));
    },
    ({ out }) => cycles(out.length, 3, type),
    oneWorker,
  );
}

/** The place of the largest element of a row, the first of several. Cycles: 30 + 2 for every two elements, as an assumption. */
export function argmax(type: FloatType = "float") {
  return codelet(
    `ArgMax<${type}>`,
    { in: input.vector(type), out: output("int") },
    ({ in: values, out }) => {
      let best = 0;
      for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
      out.value = best;
    },
    ({ in: values }) => cycles(values.length, 2, type),
    oneWorker,
  );
}

/** A row of zeros with a one at the label. Cycles: 30 + 1 for every two elements, as an assumption. */
export function oneHot(type: FloatType = "float") {
  return codelet(
    `OneHot<${type}>`,
    { label: input("int"), out: output.vector(type) },
    ({ label, out }) => {
      for (let i = 0; i < out.length; i++) out[i] = label === i ? 1 : 0;
    },
    ({ out }) => cycles(out.length, 1, type),
    oneWorker,
  );
}
