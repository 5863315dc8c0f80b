import { defineOperator, type GradientContext, type Operator, type Value } from "../ir/index.ts";
import { formatTypes, isFloat, sameShape } from "../tensor/index.ts";
import { elementwiseCost } from "./elementwise-unary.ts";

interface BinaryRule<Name extends string> {
  readonly name: Name;
  readonly summary: string;
  readonly apply: (a: number, b: number) => number;
  /** Gradients with respect to a and b before they are summed down to a scalar operand; null where it is zero. */
  readonly gradient: ((context: GradientContext, gradient: Value) => readonly [Value | null, Value | null]) | null;
  readonly flops: number;
}

function binary<const Name extends string>(rule: BinaryRule<Name>): Operator<Name> {
  const { gradient } = rule;
  return defineOperator({
    name: rule.name,
    summary: rule.summary,
    constraints: {
      C1: { rule: "there must be two operands of one float dtype", remedy: "cast one of them" },
      C2: {
        rule: "the operands must have one shape, or one of them must be a scalar",
        remedy: "repeat the smaller one with broadcast, or add a bias with addBias",
      },
    },
    attributes: {},
    inferTypes(inputs, _, require) {
      const got = (): string => formatTypes(inputs);
      require(inputs.length === 2 && isFloat(inputs[0].dtype) && inputs[0].dtype === inputs[1].dtype, "C1", got);
      const [a, b] = inputs;
      const scalar = a.shape.length === 0 || b.shape.length === 0;
      require(scalar || sameShape(a.shape, b.shape), "C2", got);
      return [a.shape.length === 0 ? b : a];
    },
    compute([a, b], [y]) {
      const stepA = a.shape.length === 0 ? 0 : 1;
      const stepB = b.shape.length === 0 ? 0 : 1;
      for (let i = 0; i < y.data.length; i++) y.data[i] = rule.apply(a.data[i * stepA], b.data[i * stepB]);
    },
    gradient:
      gradient === null
        ? null
        : (context) => {
            const upstream = context.outputGradients[0] as Value;
            return gradient(context, upstream).map((value, index) =>
              value === null || !context.wanted[index] ? null : reduceToScalar(context, value, context.inputs[index]),
            );
          },
    cost: (inputs, outputs) => elementwiseCost(inputs, outputs, rule.flops),
    inPlace: [0, 1],
  });
}

/** A scalar operand was repeated everywhere, so its gradient is the sum over everywhere. */
function reduceToScalar({ builder }: GradientContext, gradient: Value, operand: Value): Value {
  const rank = gradient.type.shape.length;
  if (operand.type.shape.length > 0 || rank === 0) return gradient;
  return builder.apply("sum", [gradient], { axes: Array.from({ length: rank }, (_, axis) => axis) });
}

export const add = binary({
  name: "add",
  summary: "a + b",
  apply: (a, b) => a + b,
  gradient: (_, gradient) => [gradient, gradient],
  flops: 1,
});

export const subtract = binary({
  name: "subtract",
  summary: "a − b",
  apply: (a, b) => a - b,
  gradient: ({ builder, wanted }, gradient) => [gradient, wanted[1] ? builder.apply("negate", [gradient]) : null],
  flops: 1,
});

export const multiply = binary({
  name: "multiply",
  summary: "a times b",
  apply: (a, b) => a * b,
  gradient: ({ builder, inputs: [a, b], wanted }, gradient) => [
    wanted[0] ? builder.apply("multiply", [gradient, b]) : null,
    wanted[1] ? builder.apply("multiply", [gradient, a]) : null,
  ],
  flops: 1,
});

export const divide = binary({
  name: "divide",
  summary: "a / b",
  apply: (a, b) => a / b,
  gradient: ({ builder, inputs: [, b], outputs: [y], wanted }, gradient) => {
    const toA = builder.apply("divide", [gradient, b]);
    return [toA, wanted[1] ? builder.apply("negate", [builder.apply("multiply", [toA, y])]) : null];
  },
  flops: 1,
});

export const maximum = binary({
  name: "maximum",
  summary: "the larger of a and b; where they are equal the gradient goes to a",
  apply: Math.max,
  gradient: ({ builder, inputs: [a, b] }, gradient) => {
    const fromA = builder.apply("greaterOrEqual", [a, b]);
    const toA = builder.apply("multiply", [gradient, fromA]);
    return [toA, builder.apply("subtract", [gradient, toA])];
  },
  flops: 1,
});

export const minimum = binary({
  name: "minimum",
  summary: "the smaller of a and b; where they are equal the gradient goes to a",
  apply: Math.min,
  gradient: ({ builder, inputs: [a, b] }, gradient) => {
    const fromA = builder.apply("greaterOrEqual", [b, a]);
    const toA = builder.apply("multiply", [gradient, fromA]);
    return [toA, builder.apply("subtract", [gradient, toA])];
  },
  flops: 1,
});

export const greaterOrEqual = binary({
  name: "greaterOrEqual",
  summary: "1 where a ≥ b, otherwise 0",
  apply: (a, b) => (a >= b ? 1 : 0),
  gradient: null,
  flops: 1,
});

export const reluGradient = binary({
  name: "reluGradient",
  summary: "the gradient through relu: the first operand where relu's output, the second, is positive, otherwise 0",
  apply: (gradient, y) => (y > 0 ? gradient : 0),
  gradient: ({ builder, inputs: [, y], wanted }, gradient) => [
    wanted[0] ? builder.apply("reluGradient", [gradient, y]) : null,
    null,
  ],
  flops: 1,
});

export const sigmoidGradient = binary({
  name: "sigmoidGradient",
  summary: "the gradient through sigmoid: g · y · (1 − y) for its output y",
  apply: (gradient, y) => gradient * y * (1 - y),
  gradient: ({ builder, inputs: [g, y], wanted }, gradient) => {
    const slope = (): Value =>
      // The derivative of y (1 − y) with respect to y is 1 − 2y.
      builder.apply("subtract", [one(builder, y), builder.apply("scale", [y], { factor: 2 })]);
    return [
      wanted[0] ? builder.apply("sigmoidGradient", [gradient, y]) : null,
      wanted[1] ? builder.apply("multiply", [builder.apply("multiply", [gradient, g]), slope()]) : null,
    ];
  },
  flops: 3,
});

export const tanhGradient = binary({
  name: "tanhGradient",
  summary: "the gradient through tanh: g · (1 − y²) for its output y",
  apply: (gradient, y) => gradient * (1 - y * y),
  gradient: ({ builder, inputs: [g, y], wanted }, gradient) => [
    wanted[0] ? builder.apply("tanhGradient", [gradient, y]) : null,
    wanted[1]
      ? builder.apply("scale", [builder.apply("multiply", [builder.apply("multiply", [gradient, g]), y])], {
          factor: -2,
        })
      : null,
  ],
  flops: 3,
});

function one(builder: GradientContext["builder"], like: Value): Value {
  return builder.apply("full", [], { shape: [], dtype: like.type.dtype, value: 1 });
}
