import { defineOperator, type Value } from "../ir/index.ts";
import { bytesOf, decodeHalf, elementCount, encodeHalf, formatTypes, isFloat } from "../tensor/index.ts";
import { elementwiseCost } from "./elementwise-unary.ts";

const largestInt = 2 ** 31 - 1;

/** Numbers as another dtype holds them. */
export const cast = defineOperator({
  name: "cast",
  summary: "x as `dtype`: rounded to the nearest where a float dtype has fewer bits, cut toward 0 to a whole number",
  constraints: {
    C1: {
      rule: "there must be one input of dtype float64, float32 or int32",
      remedy: "round to shorter floats with roundTo, which keeps the dtype",
    },
  },
  attributes: { dtype: { kind: "choice", choices: ["float64", "float32", "int32"] } },
  inferTypes(inputs, { dtype }, require) {
    const known = inputs.length === 1 && ["float64", "float32", "int32"].includes(inputs[0].dtype);
    require(known, "C1", () => formatTypes(inputs));
    return [{ dtype, shape: inputs[0].shape }];
  },
  compute([x], [y], { dtype }) {
    const whole = dtype === "int32" && x.dtype !== "int32";
    for (let i = 0; i < y.data.length; i++) {
      const value = x.data[i];
      // What is beyond the largest whole number becomes the largest, and NaN becomes 0.
      y.data[i] = whole ? Math.min(Math.max(Math.trunc(value) || 0, -largestInt - 1), largestInt) : value;
    }
  },
  gradient: ({ builder, inputs: [x], attributes: { dtype }, outputGradients }) =>
    isFloat(x.type.dtype) && dtype !== "int32"
      ? [builder.apply("cast", [outputGradients[0] as Value], { dtype: x.type.dtype })]
      : [null],
  cost: ([x], [y]) => ({ flops: elementCount(x.shape), bytes: bytesOf(x) + bytesOf(y) }),
  inPlace: [],
});

/**
 * The nearest numbers that a shorter float has, kept in the dtype that they come in: what mixed precision does to values,
 * without what it does to bytes. Its gradient is rounded in the same way, as it would be if it were kept in that format;
 * so small gradients vanish, which is what loss scaling is for (Micikevicius et al. 2018).
 */
export const roundTo = defineOperator({
  name: "roundTo",
  summary: "the float16 or bfloat16 nearest to x, ties to even, in x's dtype; its gradient is rounded likewise",
  constraints: {
    C1: { rule: "there must be one input of dtype float64 or float32", remedy: "cast it to float32 first" },
  },
  attributes: { format: { kind: "choice", choices: ["float16", "bfloat16"] } },
  inferTypes(inputs, _, require) {
    const wide = inputs.length === 1 && (inputs[0].dtype === "float64" || inputs[0].dtype === "float32");
    require(wide, "C1", () => formatTypes(inputs));
    return [inputs[0]];
  },
  compute([x], [y], { format }) {
    for (let i = 0; i < y.data.length; i++) y.data[i] = decodeHalf(format, encodeHalf(format, x.data[i]));
  },
  gradient: ({ builder, attributes: { format }, outputGradients }) => [
    builder.apply("roundTo", [outputGradients[0] as Value], { format }),
  ],
  cost: (inputs, outputs) => elementwiseCost(inputs, outputs, 1),
  inPlace: [0],
});
