import {
  type AttributesOf,
  type Cost,
  defineOperator,
  type GradientContext,
  type Operator,
  type Value,
} from "../ir/index.ts";
import { bytesOf, elementCount, errorFunction, formatTypes, isFloat, type TensorType } from "../tensor/index.ts";

const none = {} as const;

/** Cost of an operator that reads its inputs once, writes its outputs once, and does `flops` per output element. */
export function elementwiseCost(inputs: readonly TensorType[], outputs: readonly TensorType[], flops: number): Cost {
  const bytes = [...inputs, ...outputs].reduce((sum, type) => sum + bytesOf(type), 0);
  return { flops: flops * elementCount(outputs[0].shape), bytes };
}

interface UnaryRule<Name extends string> {
  readonly name: Name;
  readonly summary: string;
  /** The function of one element. */
  readonly apply: (x: number) => number;
  /** The gradient with respect to the input, given x, y = f(x) and the output's gradient. */
  readonly gradient: ((context: GradientContext, x: Value, y: Value, gradient: Value) => Value) | null;
  /** Arithmetic operations per element; transcendental functions count as one, as is usual. */
  readonly flops: number;
}

function unary<const Name extends string>(rule: UnaryRule<Name>): Operator<Name, AttributesOf<typeof none>> {
  const { gradient } = rule;
  return defineOperator({
    name: rule.name,
    summary: rule.summary,
    constraints: {
      C1: { rule: "there must be one input of a float dtype", remedy: "cast it to float32 first" },
    },
    attributes: none,
    inferTypes(inputs, _, require) {
      require(inputs.length === 1 && isFloat(inputs[0].dtype), "C1", () => formatTypes(inputs));
      return [inputs[0]];
    },
    compute([x], [y]) {
      for (let i = 0; i < y.data.length; i++) y.data[i] = rule.apply(x.data[i]);
    },
    gradient:
      gradient === null
        ? null
        : (context) => [gradient(context, context.inputs[0], context.outputs[0], context.outputGradients[0] as Value)],
    cost: (inputs, outputs) => elementwiseCost(inputs, outputs, rule.flops),
    inPlace: [0],
  });
}

export const negate = unary({
  name: "negate",
  summary: "−x",
  apply: (x) => -x,
  gradient: ({ builder }, _x, _y, gradient) => builder.apply("negate", [gradient]),
  flops: 1,
});

export const exp = unary({
  name: "exp",
  summary: "e to the power x",
  apply: Math.exp,
  gradient: ({ builder }, _x, y, gradient) => builder.apply("multiply", [gradient, y]),
  flops: 1,
});

export const log = unary({
  name: "log",
  summary: "the natural logarithm of x",
  apply: Math.log,
  gradient: ({ builder }, x, _y, gradient) => builder.apply("divide", [gradient, x]),
  flops: 1,
});

export const sqrt = unary({
  name: "sqrt",
  summary: "the square root of x",
  apply: Math.sqrt,
  gradient: ({ builder }, _x, y, gradient) =>
    builder.apply("scale", [builder.apply("divide", [gradient, y])], { factor: 0.5 }),
  flops: 1,
});

export const square = unary({
  name: "square",
  summary: "x times x",
  apply: (x) => x * x,
  gradient: ({ builder }, x, _y, gradient) =>
    builder.apply("scale", [builder.apply("multiply", [gradient, x])], { factor: 2 }),
  flops: 1,
});

export const abs = unary({
  name: "abs",
  summary: "the magnitude of x; its gradient at 0 is taken as 0",
  apply: Math.abs,
  gradient: ({ builder }, x, _y, gradient) => builder.apply("multiply", [gradient, builder.apply("sign", [x])]),
  flops: 1,
});

export const sign = unary({
  name: "sign",
  summary: "−1, 0 or 1 as x is negative, zero or positive",
  apply: Math.sign,
  gradient: null,
  flops: 1,
});

export const relu = unary({
  name: "relu",
  summary: "the larger of x and 0",
  apply: (x) => Math.max(x, 0),
  gradient: ({ builder }, _x, y, gradient) => builder.apply("reluGradient", [gradient, y]),
  flops: 1,
});

export const sigmoid = unary({
  name: "sigmoid",
  summary: "1 / (1 + e to the power −x)",
  apply: (x) => 1 / (1 + Math.exp(-x)),
  gradient: ({ builder }, _x, y, gradient) => builder.apply("sigmoidGradient", [gradient, y]),
  flops: 4,
});

export const tanh = unary({
  name: "tanh",
  summary: "the hyperbolic tangent of x",
  apply: Math.tanh,
  gradient: ({ builder }, _x, y, gradient) => builder.apply("tanhGradient", [gradient, y]),
  flops: 1,
});

export const softplus = unary({
  name: "softplus",
  summary: "the logarithm of 1 + e to the power x",
  // The exponential of what is at most 0 cannot overflow.
  apply: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  gradient: ({ builder }, x, _y, gradient) => builder.apply("multiply", [gradient, builder.apply("sigmoid", [x])]),
  flops: 5,
});

export const erf = unary({
  name: "erf",
  summary: "the error function: 2/√π times the integral of e to the power −t² from 0 to x",
  apply: errorFunction,
  gradient({ builder }, x, _y, gradient) {
    const bell = builder.apply("exp", [builder.apply("negate", [builder.apply("square", [x])])]);
    const slope = builder.apply("scale", [bell], { factor: 2 / Math.sqrt(Math.PI) });
    return builder.apply("multiply", [gradient, slope]);
  },
  flops: 1,
});

/** √(2/π) and the factor of the cube: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016, section 2. */
export const geluFactors = { outer: Math.sqrt(2 / Math.PI), cube: 0.044715 } as const;

export const gelu = unary({
  name: "gelu",
  summary: "x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))), which is close to x times the normal distribution function",
  apply: (x) => 0.5 * x * (1 + Math.tanh(geluFactors.outer * (x + geluFactors.cube * x * x * x))),
  gradient({ builder }, x, _y, gradient) {
    const { outer, cube } = geluFactors;
    const times = (a: Value, b: Value): Value => builder.apply("multiply", [a, b]);
    const plus = (a: Value, b: Value): Value => builder.apply("add", [a, b]);
    const scaled = (a: Value, factor: number): Value => builder.apply("scale", [a], { factor });
    const one = builder.apply("full", [], { shape: [], dtype: x.type.dtype, value: 1 });
    const squared = builder.apply("square", [x]);
    const curve = builder.apply("tanh", [times(scaled(x, outer), plus(one, scaled(squared, cube)))]);
    const inner = scaled(plus(one, scaled(squared, 3 * cube)), outer);
    const bend = times(times(x, inner), builder.apply("subtract", [one, builder.apply("square", [curve])]));
    return times(gradient, scaled(plus(plus(one, curve), bend), 0.5));
  },
  flops: 9,
});

/** x times a number known when the graph is built. */
export const scale = defineOperator({
  name: "scale",
  summary: "x times the number `factor`",
  constraints: {
    C1: { rule: "there must be one input of a float dtype", remedy: "cast it to float32 first" },
  },
  attributes: { factor: { kind: "number" } },
  inferTypes(inputs, _, require) {
    require(inputs.length === 1 && isFloat(inputs[0].dtype), "C1", () => formatTypes(inputs));
    return [inputs[0]];
  },
  compute([x], [y], { factor }) {
    for (let i = 0; i < y.data.length; i++) y.data[i] = x.data[i] * factor;
  },
  gradient: ({ builder, attributes, outputGradients }) => [
    builder.apply("scale", [outputGradients[0] as Value], attributes),
  ],
  cost: (inputs, outputs) => elementwiseCost(inputs, outputs, 1),
  inPlace: [0],
});
