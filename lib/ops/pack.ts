import { defineOperator } from "../ir/index.ts";
import { bytesOf, decodeHalf, elementCount, encodeHalf, formatType, formatTypes } from "../tensor/index.ts";

const formats = ["float16", "bfloat16"] as const;

/**
 * Numbers rounded to 16 bits, two of them in each word: what storing in half precision does to values and to bytes. Word
 * i holds element i in its lower half and element i + n / 2 in its upper one, so that both are read in order.
 */
export const pack = defineOperator({
  name: "pack",
  summary:
    "the n numbers of x rounded to `format`, ties to even, two in each of n / 2 words: the i-th and the (i + n / 2)-th",
  constraints: {
    C1: { rule: "there must be a float32 or float64 vector", remedy: "reshape it to [n]" },
    C2: { rule: "the count must be even", remedy: "store odd vectors as they are" },
  },
  attributes: { format: { kind: "choice", choices: formats } },
  inferTypes(inputs, _, require) {
    const [x] = inputs;
    const vector = inputs.length === 1 && x.shape.length === 1 && (x.dtype === "float32" || x.dtype === "float64");
    require(vector, "C1", () => formatTypes(inputs));
    require(x.shape[0] % 2 === 0, "C2", () => formatType(x));
    return [{ dtype: "int32", shape: [x.shape[0] / 2] }];
  },
  compute([x], [y], { format }) {
    const half = y.data.length;
    for (let i = 0; i < half; i++) {
      y.data[i] = encodeHalf(format, x.data[i]) | (encodeHalf(format, x.data[i + half]) << 16);
    }
  },
  gradient: null,
  cost: ([x], [y]) => ({ flops: elementCount(x.shape), bytes: bytesOf(x) + bytesOf(y) }),
  inPlace: [],
});

/** What `pack` has rounded, as numbers again. */
export const unpack = defineOperator({
  name: "unpack",
  summary: "the 2 · n numbers of `format` that `pack` has put into n words, as `dtype`",
  constraints: { C1: { rule: "there must be an int32 vector", remedy: "give what pack makes" } },
  attributes: {
    format: { kind: "choice", choices: formats },
    dtype: { kind: "choice", choices: ["float32", "float64"], default: "float32" },
  },
  inferTypes(inputs, { dtype }, require) {
    const [x] = inputs;
    const vector = inputs.length === 1 && x.shape.length === 1 && x.dtype === "int32";
    require(vector, "C1", () => formatTypes(inputs));
    return [{ dtype, shape: [2 * x.shape[0]] }];
  },
  compute([x], [y], { format }) {
    const half = x.data.length;
    for (let i = 0; i < half; i++) {
      y.data[i] = decodeHalf(format, x.data[i] & 0xffff);
      y.data[i + half] = decodeHalf(format, x.data[i] >>> 16);
    }
  },
  gradient: null,
  cost: ([x], [y]) => ({ flops: elementCount(y.shape), bytes: bytesOf(x) + bytesOf(y) }),
  inPlace: [],
});
