import type { Value } from "../../../ir/index.ts";
import { formatShape } from "../../../tensor/index.ts";
import { broadcastShape, type NodeContext } from "../node-context.ts";
import { asFloats } from "./as-floats.ts";

/** x to the power y; x² is what networks mostly ask for. Powers of whole numbers are whole. */
export function power(node: NodeContext): Value {
  const base = node.value(0);
  const x = asFloats(node, base);
  const exponent = node.operand(1);
  const one = exponent.kind === "constant" && exponent.constant.data.length === 1;
  const y = one ? constantPower(node, x, exponent.constant.data[0]) : powerOfData(node, x);
  if (x === base) return y;
  // Where exponents are data the power is only nearly whole.
  const half = node.apply("scale", [node.apply("sign", [y])], { factor: 0.5 });
  return node.apply("cast", [one ? y : node.apply("add", [y, half])], { dtype: "int32" });
}

function constantPower(node: NodeContext, x: Value, exponent: number): Value {
  return exponent === 2 ? node.apply("square", [x]) : node.apply("power", [x], { exponent });
}

/**
 * e to the power y · log |x|, with the sign of an odd power of a negative number; NaN where a negative number is raised
 * to what is not whole. Its error grows with the logarithm: a few 10⁻⁷ of small powers, 10⁻⁵ of those near 10³⁸.
 */
function powerOfData(node: NodeContext, base: Value): Value {
  const exponent = asFloats(node, node.value(1));
  const shape = broadcastShape([base.type.shape, exponent.type.shape]);
  if (shape === null) {
    return node.fail(
      "shapes must be alike, or 1 where they differ",
      `${formatShape(base.type.shape)} and ${formatShape(exponent.type.shape)}`,
    );
  }
  const [x, y] = [node.expand(base, shape), node.expand(exponent, shape)];
  const apply = (operator: string, ...values: readonly Value[]): Value => node.apply(operator, values);
  const zero = node.number(0);
  const one = node.number(1);
  const magnitude = apply("abs", x);
  // A finite number far below every logarithm stands for that of 0, so that 0 to the power 0 is 1, and slopes are not NaN.
  const isZero = apply("subtract", one, apply("sign", magnitude));
  const logarithm = apply(
    "subtract",
    apply("log", apply("maximum", magnitude, node.number(1e-38))),
    apply("multiply", isZero, node.number(1e38)),
  );
  const size = apply("exp", apply("multiply", y, logarithm));
  // From 2²⁴ on every float is even and whole.
  const bounded = node.apply("clip", [y], { low: -(2 ** 24), high: 2 ** 24 });
  const whole = (value: Value): Value => asFloats(node, node.apply("cast", [value], { dtype: "int32" }));
  const pairs = whole(node.apply("scale", [bounded], { factor: 0.5 }));
  const odd = apply("abs", apply("subtract", whole(bounded), node.apply("scale", [pairs], { factor: 2 })));
  const negative = apply("subtract", one, apply("greaterOrEqual", x, zero));
  const broken = apply("sign", apply("abs", apply("subtract", bounded, whole(bounded))));
  const allowed = apply("subtract", one, apply("multiply", negative, broken));
  // 0 / 0 where it is not allowed, 1 elsewhere.
  const defined = apply("divide", allowed, allowed);
  const sign = apply("subtract", one, node.apply("scale", [apply("multiply", negative, odd)], { factor: 2 }));
  return apply("multiply", size, apply("multiply", sign, defined));
}
