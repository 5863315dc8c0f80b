import { defineOperator, type Value } from "../ir/index.ts";
import { bytesOf, formatType, rowMajorStrides, type Shape } from "../tensor/index.ts";

/** Equal pieces of a tensor. */
export const split = defineOperator({
  name: "split",
  summary: "the input cut along `axis` into `parts` equal pieces, an output each",
  constraints: {
    C1: { rule: "there must be one input", remedy: "give the tensor to cut" },
    C2: { rule: "axis must be one of the input's axes", remedy: "count axes from 0" },
    C3: {
      rule: "parts must be a whole number ≥ 1 that divides the axis",
      remedy: "use slice for pieces of other extents",
    },
  },
  attributes: { axis: { kind: "number" }, parts: { kind: "number" } },
  inferTypes(inputs, { axis, parts }, require) {
    require(inputs.length === 1, "C1", () => String(inputs.length));
    const [{ shape, dtype }] = inputs;
    const inside = Number.isInteger(axis) && axis >= 0 && axis < shape.length;
    require(inside, "C2", () => `${axis} for ${formatType(inputs[0])}`);
    const whole = Number.isInteger(parts) && parts >= 1 && shape[axis] % parts === 0;
    require(whole, "C3", () => `${parts} for axis ${axis} of ${formatType(inputs[0])}`);
    return Array.from({ length: parts }, () => ({ dtype, shape: pieceShape(shape, axis, parts) }));
  },
  compute([x], outputs, { axis }) {
    // What lies together in a piece: all of its part of the axis, with everything inside it.
    const run = outputs[0].shape[axis] * rowMajorStrides(x.shape)[axis];
    for (const [part, { data }] of outputs.entries()) {
      for (let i = 0; i < data.length; i++) {
        data[i] = x.data[(Math.floor(i / run) * outputs.length + part) * run + (i % run)];
      }
    }
  },
  gradient({ builder, inputs: [x], attributes: { axis, parts }, outputGradients }) {
    const { shape, dtype } = x.type;
    const nothing = (): Value => builder.apply("full", [], { shape: pieceShape(shape, axis, parts), dtype, value: 0 });
    return [
      builder.apply(
        "concat",
        outputGradients.map((gradient) => gradient ?? nothing()),
        { axis },
      ),
    ];
  },
  cost: ([x]) => ({ flops: 0, bytes: 2 * bytesOf(x) }),
  inPlace: [],
});

function pieceShape(shape: Shape, axis: number, parts: number): Shape {
  return shape.map((extent, other) => (other === axis ? extent / parts : extent));
}
