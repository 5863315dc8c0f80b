import { defineOperator, type Value } from "../ir/index.ts";
import { bytesOf, formatShape, formatTypes, isFloat } from "../tensor/index.ts";

/** The product of two matrices, either of them transposed first. */
export const matmul = defineOperator({
  name: "matmul",
  summary: "the matrix product of a [m,k] and b [k,n]: [m,n]",
  constraints: {
    C1: { rule: "there must be two operands of one float dtype and rank 2", remedy: "flatten or reshape them first" },
    C2: { rule: "inner dimensions must match", remedy: "transpose an operand or change a layer's width" },
  },
  attributes: {
    transposeA: { kind: "boolean", default: false },
    transposeB: { kind: "boolean", default: false },
  },
  inferTypes(inputs, { transposeA, transposeB }, require) {
    const [a, b] = inputs;
    require(inputs.length === 2 &&
      isFloat(a.dtype) &&
      a.dtype === b.dtype &&
      a.shape.length === 2 &&
      b.shape.length === 2, "C1", () => formatTypes(inputs));
    const [m, k] = transposeA ? [a.shape[1], a.shape[0]] : a.shape;
    const [inner, n] = transposeB ? [b.shape[1], b.shape[0]] : b.shape;
    require(k === inner, "C2", () => `${formatShape([m, k])} and ${formatShape([inner, n])}`);
    return [{ dtype: a.dtype, shape: [m, n] }];
  },
  compute([a, b], [y], { transposeA, transposeB }) {
    const [m, n] = y.shape;
    const k = transposeA ? a.shape[0] : a.shape[1];
    const [stepM, stepK] = transposeA ? [1, m] : [k, 1];
    const [stepInner, stepN] = transposeB ? [1, k] : [n, 1];
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++) {
        let sum = 0;
        for (let inner = 0; inner < k; inner++) {
          sum += a.data[row * stepM + inner * stepK] * b.data[inner * stepInner + column * stepN];
        }
        y.data[row * n + column] = sum;
      }
    }
  },
  gradient({ builder, inputs: [a, b], attributes: { transposeA, transposeB }, outputGradients, wanted }) {
    const g = outputGradients[0] as Value;
    const product = (x: Value, y: Value, transposeX: boolean, transposeY: boolean): Value =>
      builder.apply("matmul", [x, y], { transposeA: transposeX, transposeB: transposeY });
    // For y = A·B: dA = g·Bᵀ and dB = Aᵀ·g; an operand stored transposed has its gradient transposed.
    const toA = (): Value => (transposeA ? product(b, g, transposeB, true) : product(g, b, false, !transposeB));
    const toB = (): Value => (transposeB ? product(g, a, true, transposeA) : product(a, g, !transposeA, false));
    return [wanted[0] ? toA() : null, wanted[1] ? toB() : null];
  },
  cost([a, b], [y], { transposeA }) {
    const k = transposeA ? a.shape[0] : a.shape[1];
    return { flops: 2 * k * y.shape[0] * y.shape[1], bytes: bytesOf(a) + bytesOf(b) + bytesOf(y) };
  },
  inPlace: [],
});
