import { defineOperator, type Value } from "../ir/index.ts";
import { formatTypes, isFloat, type TensorType } from "../tensor/index.ts";
import { elementwiseCost } from "./elementwise-unary.ts";

const oneFloat = { rule: "there must be one input of a float dtype", remedy: "cast it to float32 first" };

const isOneFloat = (inputs: readonly TensorType[]): boolean => inputs.length === 1 && isFloat(inputs[0].dtype);
/** x to a power known when the graph is built. */
export const power = defineOperator({
  name: "power",
  summary: "x to the power `exponent`; NaN for negative x where that is not a whole number",
  constraints: { C1: oneFloat, C2: { rule: "the exponent must be finite", remedy: "give a number such as 0.5" } },
  attributes: { exponent: { kind: "number" } },
  inferTypes(inputs, { exponent }, require) {
    require(isOneFloat(inputs), "C1", () => formatTypes(inputs));
    require(Number.isFinite(exponent), "C2", () => String(exponent));
    return [inputs[0]];
  },
  compute([x], [y], { exponent }) {
    for (let i = 0; i < y.data.length; i++) y.data[i] = x.data[i] ** exponent;
  },
  gradient({ builder, inputs: [x], attributes: { exponent }, outputGradients }) {
    const gradient = outputGradients[0] as Value;
    // Without this, 0 times 0 to the power −1 would be NaN.
    if (exponent === 0) return [builder.apply("scale", [gradient], { factor: 0 })];
    const slope = builder.apply("scale", [builder.apply("power", [x], { exponent: exponent - 1 })], {
      factor: exponent,
    });
    return [builder.apply("multiply", [gradient, slope])];
  },
  cost: (inputs, outputs) => elementwiseCost(inputs, outputs, 1),
  inPlace: [0],
});

/**
 * x, but 0 where x is almost 0. What decays, as a velocity without gradients does, ends in subnormal numbers, with which
 * processors calculate many times more slowly.
 */
export const flush = defineOperator({
  name: "flush",
  summary: "x where its magnitude is at least `below`, otherwise 0",
  constraints: { C1: oneFloat, C2: { rule: "below must be > 0", remedy: "give a small number such as 1e-30" } },
  attributes: { below: { kind: "number" } },
  inferTypes(inputs, { below }, require) {
    require(isOneFloat(inputs), "C1", () => formatTypes(inputs));
    require(below > 0, "C2", () => String(below));
    return [inputs[0]];
  },
  compute([x], [y], { below }) {
    for (let i = 0; i < y.data.length; i++) y.data[i] = Math.abs(x.data[i]) < below ? 0 : x.data[i];
  },
  gradient: null,
  cost: (inputs, outputs) => elementwiseCost(inputs, outputs, 1),
  inPlace: [0],
});

/** x, but nothing below or above two bounds. */
export const clip = defineOperator({
  name: "clip",
  summary: "x where it is from `low` to `high`, otherwise the nearer bound; its gradient is 0 beyond the bounds",
  constraints: { C1: oneFloat, C2: { rule: "low must not be above high", remedy: "give bounds such as -1 and 1" } },
  attributes: { low: { kind: "number" }, high: { kind: "number" } },
  inferTypes(inputs, { low, high }, require) {
    require(isOneFloat(inputs), "C1", () => formatTypes(inputs));
    require(low <= high, "C2", () => `${low} and ${high}`);
    return [inputs[0]];
  },
  compute([x], [y], { low, high }) {
    for (let i = 0; i < y.data.length; i++) y.data[i] = Math.min(Math.max(x.data[i], low), high);
  },
  gradient({ builder, inputs: [x], attributes: { low, high }, outputGradients }) {
    const bound = (value: number): Value => builder.apply("full", [], { shape: [], dtype: x.type.dtype, value });
    const above = builder.apply("greaterOrEqual", [x, bound(low)]);
    const below = builder.apply("greaterOrEqual", [bound(high), x]);
    const inside = builder.apply("multiply", [above, below]);
    return [builder.apply("multiply", [outputGradients[0] as Value, inside])];
  },
  cost: (inputs, outputs) => elementwiseCost(inputs, outputs, 2),
  inPlace: [0],
});

/** Relu that lets a little through below 0 (Maas, Hannun, Ng 2013). */
export const leakyRelu = defineOperator({
  name: "leakyRelu",
  summary: "x where it is positive, otherwise x times `slope`; its gradient at 0 is taken as 0",
  constraints: { C1: oneFloat },
  attributes: { slope: { kind: "number", default: 0.01 } },
  inferTypes(inputs, _, require) {
    require(isOneFloat(inputs), "C1", () => formatTypes(inputs));
    return [inputs[0]];
  },
  compute([x], [y], { slope }) {
    for (let i = 0; i < y.data.length; i++) y.data[i] = x.data[i] > 0 ? x.data[i] : x.data[i] * slope;
  },
  gradient({ builder, inputs: [x], attributes: { slope }, outputGradients }) {
    const gradient = outputGradients[0] as Value;
    const positive = builder.apply("reluGradient", [gradient, x]);
    const negative = builder.apply("reluGradient", [gradient, builder.apply("negate", [x])]);
    return [builder.apply("add", [positive, builder.apply("scale", [negative], { factor: slope })])];
  },
  cost: (inputs, outputs) => elementwiseCost(inputs, outputs, 1),
  inPlace: [0],
});
