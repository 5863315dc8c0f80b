import { defineOperator, type Value } from "../ir/index.ts";
import { bytesOf, elementCount, formatTypes, isFloat } from "../tensor/index.ts";

/** The products of matrices side by side, either of each pair transposed first. */
export const batchMatmul = defineOperator({
  name: "batchMatmul",
  summary: "the matrix products of a [b,m,k] and b [b,k,n], one for each b: [b,m,n]",
  constraints: {
    C1: { rule: "there must be two operands of one float dtype and rank 3", remedy: "reshape or cast them first" },
    C2: { rule: "there must be as many matrices on both sides", remedy: "broadcast the side that has one" },
    C3: { rule: "inner dimensions must match", remedy: "transpose an operand" },
  },
  attributes: {
    transposeA: { kind: "boolean", default: false },
    transposeB: { kind: "boolean", default: false },
  },
  inferTypes(inputs, { transposeA, transposeB }, require) {
    const [a, b] = inputs;
    const got = (): string => formatTypes(inputs);
    const matrices = inputs.length === 2 && inputs.every(({ shape }) => shape.length === 3);
    require(matrices && isFloat(a.dtype) && a.dtype === b.dtype, "C1", got);
    require(a.shape[0] === b.shape[0], "C2", got);
    const [m, k] = transposeA ? [a.shape[2], a.shape[1]] : a.shape.slice(1);
    const [inner, n] = transposeB ? [b.shape[2], b.shape[1]] : b.shape.slice(1);
    require(k === inner, "C3", got);
    return [{ dtype: a.dtype, shape: [a.shape[0], m, n] }];
  },
  compute([a, b], [y], { transposeA, transposeB }) {
    const [count, m, n] = y.shape;
    const k = a.shape[transposeA ? 1 : 2];
    const [stepM, stepK] = transposeA ? [1, m] : [k, 1];
    const [stepInner, stepN] = transposeB ? [1, k] : [n, 1];
    for (let i = 0; i < count * m * n; i++) {
      const pair = Math.floor(i / (m * n));
      const fromA = pair * m * k + (Math.floor(i / n) % m) * stepM;
      const fromB = pair * k * n + (i % n) * stepN;
      let sum = 0;
      for (let inner = 0; inner < k; inner++) {
        sum += a.data[fromA + inner * stepK] * b.data[fromB + inner * stepInner];
      }
      y.data[i] = sum;
    }
  },
  gradient({ builder, inputs: [a, b], attributes: { transposeA, transposeB }, outputGradients, wanted }) {
    const g = outputGradients[0] as Value;
    const product = (x: Value, y: Value, transposeX: boolean, transposeY: boolean): Value =>
      builder.apply("batchMatmul", [x, y], { transposeA: transposeX, transposeB: transposeY });
    // As for matmul: dA = g·Bᵀ and dB = Aᵀ·g, transposed where the operand is stored so.
    const toA = (): Value => (transposeA ? product(b, g, transposeB, true) : product(g, b, false, !transposeB));
    const toB = (): Value => (transposeB ? product(g, a, true, transposeA) : product(a, g, !transposeA, false));
    return [wanted[0] ? toA() : null, wanted[1] ? toB() : null];
  },
  cost: ([a, b], [y], { transposeA }) => ({
    flops: 2 * elementCount(y.shape) * a.shape[transposeA ? 1 : 2],
    bytes: bytesOf(a) + bytesOf(b) + bytesOf(y),
  }),
  inPlace: [],
});
