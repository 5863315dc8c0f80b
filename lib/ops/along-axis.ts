import { type AttributesOf, defineOperator, type GradientContext, type Operator, type Value } from "../ir/index.ts";
import { bytesOf, elementCount, formatType, formatTypes, isFloat } from "../tensor/index.ts";

const attributes = { axis: { kind: "number" } } as const;

interface AxisRule<Name extends string> {
  readonly name: Name;
  readonly summary: string;
  readonly apply: (x: number, along: number) => number;
  /** Gradients with respect to the tensor, and with respect to the vector before it is summed over the other axes. */
  readonly toTensor: (context: GradientContext<{ readonly axis: number }>, gradient: Value) => Value;
  readonly toVector: (context: GradientContext<{ readonly axis: number }>, gradient: Value) => Value;
}

/** A tensor and a vector as long as one of its axes: each element meets the vector's number for its place there. */
function alongAxis<const Name extends string>(rule: AxisRule<Name>): Operator<Name, AttributesOf<typeof attributes>> {
  return defineOperator({
    name: rule.name,
    summary: rule.summary,
    constraints: {
      C1: { rule: "there must be a tensor and a vector of one float dtype", remedy: "cast one of them" },
      C2: { rule: "axis must be one of the tensor's axes", remedy: "count axes from 0" },
      C3: { rule: "the vector must be as long as the axis", remedy: "give one number per place along it" },
    },
    attributes,
    inferTypes(inputs, { axis }, require) {
      const [x, vector] = inputs;
      const got = (): string => formatTypes(inputs);
      const fits = inputs.length === 2 && isFloat(x.dtype) && x.dtype === vector.dtype && vector.shape.length === 1;
      require(fits, "C1", got);
      require(Number.isInteger(axis) && axis >= 0 && axis < x.shape.length, "C2", () => `${axis} for ${formatType(x)}`);
      require(vector.shape[0] === x.shape[axis], "C3", () => `${got()} (axis ${axis})`);
      return [x];
    },
    compute([x, vector], [y], { axis }) {
      const length = x.shape[axis];
      const inner = elementCount(x.shape.slice(axis + 1));
      for (let i = 0; i < y.data.length; i++) {
        y.data[i] = rule.apply(x.data[i], vector.data[Math.floor(i / inner) % length]);
      }
    },
    gradient(context) {
      const { builder, attributes, inputs, outputGradients, wanted } = context;
      const gradient = outputGradients[0] as Value;
      const axes = inputs[0].type.shape.map((_, index) => index).filter((index) => index !== attributes.axis);
      return [
        wanted[0] ? rule.toTensor(context, gradient) : null,
        wanted[1] ? builder.apply("sum", [rule.toVector(context, gradient)], { axes }) : null,
      ];
    },
    cost: ([x, vector], [y]) => ({
      flops: elementCount(y.shape),
      bytes: bytesOf(x) + bytesOf(vector) + bytesOf(y),
    }),
    inPlace: [0],
  });
}

/** Adds a vector along one axis of a tensor. */
export const addBias = alongAxis({
  name: "addBias",
  summary: "x with the vector `bias` added along `axis`",
  apply: (x, bias) => x + bias,
  toTensor: (_, gradient) => gradient,
  toVector: (_, gradient) => gradient,
});

/** Multiplies a tensor by a vector along one of its axes, without the vector being repeated in memory. */
export const scaleAlong = alongAxis({
  name: "scaleAlong",
  summary: "x with each element times the vector's number for its place along `axis`",
  apply: (x, factor) => x * factor,
  toTensor: ({ builder, inputs: [, factors], attributes: { axis } }, gradient) =>
    builder.apply("scaleAlong", [gradient, factors], { axis }),
  toVector: ({ builder, inputs: [x] }, gradient) => builder.apply("multiply", [gradient, x]),
});
