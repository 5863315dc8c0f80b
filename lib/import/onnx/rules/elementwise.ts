import type { Value } from "../../../ir/index.ts";
import { elementCount, formatShape, sameShape } from "../../../tensor/index.ts";
import type { Constant } from "../constant.ts";
import { broadcastShape, type NodeContext } from "../node-context.ts";
import type { Operand } from "../operand.ts";
import { asFloats } from "./as-floats.ts";
import { power } from "./power.ts";
import { givesValue, type Rule } from "./rule.ts";

/** An operator of ours that does the same to one input. */
const same = (operator: string): Rule => givesValue((node) => node.apply(operator, [node.value(0)]));

/** A vector's axis within a shape: the one in which it is not 1 long, if the whole has that extent there. */
function vectorAxis(vector: Value, whole: readonly number[]): number | null {
  const shape = vector.type.shape;
  const offset = whole.length - shape.length;
  const long = shape.map((_, axis) => axis).filter((axis) => shape[axis] !== 1);
  if (offset < 0 || long.length !== 1 || shape[long[0]] !== whole[long[0] + offset]) return null;
  return long[0] + offset;
}

/** Two operands of shapes that ONNX repeats to one; a vector along one axis is not repeated in memory. */
export function combine(node: NodeContext, operator: string, a: Value, b: Value): Value {
  if (a.type.dtype === "int32" && b.type.dtype === "int32") {
    // There is no arithmetic of whole numbers: in floats it is exact up to 2²⁴, and casting cuts toward 0 as division does.
    const result = combine(node, operator, asFloats(node, a), asFloats(node, b));
    return node.apply("cast", [result], { dtype: "int32" });
  }
  if (sameShape(a.type.shape, b.type.shape)) return node.apply(operator, [a, b]);
  const shape = broadcastShape([a.type.shape, b.type.shape]);
  if (shape === null) {
    return node.fail(
      "shapes must be alike, or 1 where they differ",
      `${formatShape(a.type.shape)} and ${formatShape(b.type.shape)}`,
    );
  }
  const alongAxis = operator === "add" ? "addBias" : operator === "multiply" ? "scaleAlong" : null;
  if (alongAxis !== null) {
    for (const [whole, vector] of [
      [a, b],
      [b, a],
    ]) {
      const axis = sameShape(whole.type.shape, shape) ? vectorAxis(vector, shape) : null;
      if (axis === null) continue;
      return node.apply(alongAxis, [whole, node.reshape(vector, [shape[axis]])], { axis });
    }
  }
  const side = (value: Value): Value =>
    elementCount(value.type.shape) === 1 && !sameShape(value.type.shape, shape)
      ? node.reshape(value, [])
      : node.expand(value, shape);
  const [left, right] = [side(a), side(b)];
  const result = node.apply(operator, [left, right]);
  return node.reshape(result, shape);
}

/** Arithmetic on what is known already, such as extents. */
function combineKnown(
  node: NodeContext,
  a: Constant,
  b: Constant,
  compute: (a: number, b: number) => number,
): Constant | null {
  const shape = broadcastShape([a.shape, b.shape]);
  const small = [a, b].every(({ data }) => data.length === 1 || data.length === elementCount(shape ?? []));
  if (shape === null || !small) return null;
  const real = a.real || b.real;
  const data = new Float64Array(elementCount(shape));
  for (let i = 0; i < data.length; i++) {
    const result = compute(a.data[a.data.length === 1 ? 0 : i], b.data[b.data.length === 1 ? 0 : i]);
    data[i] = real ? result : Math.trunc(result);
    if (!real && !Number.isFinite(result)) node.fail("whole numbers must not be divided by 0", String(result));
  }
  return { shape, real, data };
}

/** Whether an operand is known and no weight: a shape, an axis, a mask. */
export function isPlain(operand: Operand): operand is Operand & { readonly kind: "constant" } {
  return operand.kind === "constant" && (operand.initializer === null || !operand.constant.real);
}

function arithmetic(operator: string, compute: (a: number, b: number) => number): Rule {
  return (node) => {
    const [a, b] = [node.operand(0), node.operand(1)];
    if (isPlain(a) && isPlain(b)) {
      const known = combineKnown(node, a.constant, b.constant, compute);
      if (known !== null) return node.known(known);
    }
    return [{ kind: "value", value: combine(node, operator, node.value(0), node.value(1)) }];
  };
}

function variadic(operator: string, compute: (a: number, b: number) => number): Rule {
  const pair = arithmetic(operator, compute);
  return (node) => {
    if (node.inputCount === 2) return pair(node);
    let result = node.value(0);
    for (let index = 1; index < node.inputCount; index++) result = combine(node, operator, result, node.value(index));
    return [{ kind: "value", value: result }];
  };
}

/** One input, computed at once where it is known. */
export function mapped(compute: (x: number) => number, data: (node: NodeContext) => Value): Rule {
  return (node) => {
    const operand = node.operand(0);
    if (!isPlain(operand)) return [{ kind: "value", value: data(node) }];
    return node.known({ ...operand.constant, data: Float64Array.from(operand.constant.data, compute) });
  };
}

/** An operator of ours on one input, which may be of whole numbers. */
function ofAnyKind(operator: string): (node: NodeContext) => Value {
  return (node) => {
    const given = node.value(0);
    const x = asFloats(node, given);
    const result = node.apply(operator, [x]);
    return x === given ? result : node.apply("cast", [result], { dtype: "int32" });
  };
}

const plus = (node: NodeContext, a: Value, b: Value): Value => node.apply("add", [a, b]);
const times = (node: NodeContext, x: Value, factor: number): Value => node.apply("scale", [x], { factor });

/** x where it is positive, otherwise alpha · (e to the power x − 1). */
function elu(node: NodeContext, x: Value, alpha: number): Value {
  const below = node.apply("exp", [node.apply("minimum", [x, node.number(0)])]);
  return plus(node, node.apply("relu", [x]), times(node, plus(node, below, node.number(-1)), alpha));
}

function hardSigmoid(node: NodeContext, x: Value, alpha: number, beta: number): Value {
  return node.apply("clip", [plus(node, times(node, x, alpha), node.number(beta))], { low: 0, high: 1 });
}

/** The larger of x and 0, plus slope times the smaller. */
function parametricRelu(node: NodeContext): Value {
  const x = node.value(0);
  const below = node.apply("minimum", [x, node.number(0)]);
  return plus(node, node.apply("relu", [x]), combine(node, "multiply", below, node.value(1)));
}

/** x times the normal distribution function, or what is close to it. */
function gelu(node: NodeContext): Value {
  const x = node.value(0);
  const approximate = node.text("approximate", "none");
  if (approximate === "tanh") return node.apply("gelu", [x]);
  if (approximate !== "none") node.fail('approximate must be "none" or "tanh"', `"${approximate}"`);
  const curve = node.apply("erf", [times(node, x, Math.SQRT1_2)]);
  return node.apply("multiply", [times(node, x, 0.5), plus(node, curve, node.number(1))]);
}

/** (e to the power x ± e to the power −x) / 2. */
function hyperbolic(node: NodeContext, operator: "add" | "subtract"): Value {
  const x = node.value(0);
  const [up, down] = [x, node.apply("negate", [x])].map((side) => node.apply("exp", [side]));
  return times(node, node.apply(operator, [up, down]), 0.5);
}

/** log(|x| + √(x² + offset)), of which the area functions are made. */
function area(node: NodeContext, x: Value, offset: number): Value {
  const root = node.apply("sqrt", [plus(node, node.apply("square", [x]), node.number(offset))]);
  return node.apply("log", [plus(node, node.apply("abs", [x]), root)]);
}

/** 1 where x lies above a bound, otherwise 0. */
const above = (node: NodeContext, x: Value, bound: number): Value =>
  node.apply("subtract", [node.number(1), node.apply("greaterOrEqual", [node.number(bound), x])]);

/** x moved towards 0 by `bias`, and 0 where it is at most `lambd` from it. */
function shrink(node: NodeContext): Value {
  const given = node.value(0);
  const x = asFloats(node, given);
  const [bound, bias] = [node.float("lambd", 0.5), node.float("bias", 0)];
  const side = (value: Value): Value =>
    node.apply("multiply", [plus(node, value, node.number(-bias)), above(node, value, bound)]);
  const shrunk = node.apply("subtract", [side(x), side(node.apply("negate", [x]))]);
  return x === given ? shrunk : node.apply("cast", [shrunk], { dtype: "int32" });
}

/** Where the bounds cross, everything is the upper one. */
function clip(node: NodeContext): Value {
  const x = node.value(0);
  const high = node.scalar(2, largest);
  const clipped = node.apply("clip", [asFloats(node, x)], { low: Math.min(node.scalar(1, -largest), high), high });
  return x.type.dtype === "int32" ? node.apply("cast", [clipped], { dtype: "int32" }) : clipped;
}

const largest = 3.4028234663852886e38;

/** Rules of operators that work element by element. */
export const elementwiseRules: Readonly<Record<string, Rule>> = {
  Abs: mapped(Math.abs, ofAnyKind("abs")),
  Acosh: givesValue((node) => area(node, node.value(0), -1)),
  Add: arithmetic("add", (a, b) => a + b),
  Asinh: givesValue((node) => {
    const x = node.value(0);
    return node.apply("multiply", [node.apply("sign", [x]), area(node, x, 1)]);
  }),
  Atanh: givesValue((node) => {
    const x = node.value(0);
    const [more, less] = [x, node.apply("negate", [x])].map((side) => plus(node, side, node.number(1)));
    return times(node, node.apply("log", [node.apply("divide", [more, less])]), 0.5);
  }),
  Celu: givesValue((node) => {
    const alpha = node.float("alpha", 1);
    const x = node.value(0);
    const below = node.apply("exp", [node.apply("minimum", [times(node, x, 1 / alpha), node.number(0)])]);
    return plus(node, node.apply("relu", [x]), times(node, plus(node, below, node.number(-1)), alpha));
  }),
  Clip: givesValue(clip),
  Cosh: givesValue((node) => hyperbolic(node, "add")),
  Div: arithmetic("divide", (a, b) => a / b),
  Elu: givesValue((node) => elu(node, node.value(0), node.float("alpha", 1))),
  Erf: same("erf"),
  Exp: same("exp"),
  Gelu: givesValue(gelu),
  HardSigmoid: givesValue((node) =>
    hardSigmoid(node, node.value(0), node.float("alpha", 0.2), node.float("beta", 0.5)),
  ),
  HardSwish: givesValue((node) => {
    const x = node.value(0);
    return node.apply("multiply", [x, hardSigmoid(node, x, 1 / 6, 0.5)]);
  }),
  LeakyRelu: givesValue((node) => node.apply("leakyRelu", [node.value(0)], { slope: node.float("alpha", 0.01) })),
  Log: same("log"),
  Max: variadic("maximum", Math.max),
  Mean: givesValue((node) => {
    let sum = node.value(0);
    for (let index = 1; index < node.inputCount; index++) sum = combine(node, "add", sum, node.value(index));
    return times(node, sum, 1 / node.inputCount);
  }),
  Min: variadic("minimum", Math.min),
  Mish: givesValue((node) => {
    const x = node.value(0);
    return node.apply("multiply", [x, node.apply("tanh", [node.apply("softplus", [x])])]);
  }),
  Mul: arithmetic("multiply", (a, b) => a * b),
  Neg: mapped((x) => -x, ofAnyKind("negate")),
  PRelu: givesValue(parametricRelu),
  Pow: givesValue(power),
  Reciprocal: givesValue((node) => node.apply("divide", [node.number(1), node.value(0)])),
  Relu: same("relu"),
  Selu: givesValue((node) =>
    times(
      node,
      elu(node, node.value(0), node.float("alpha", 1.6732632423543772)),
      node.float("gamma", 1.0507009873554805),
    ),
  ),
  Sigmoid: same("sigmoid"),
  Shrink: givesValue(shrink),
  Sign: mapped(Math.sign, ofAnyKind("sign")),
  Sinh: givesValue((node) => hyperbolic(node, "subtract")),
  Softplus: same("softplus"),
  Softsign: givesValue((node) => {
    const x = node.value(0);
    return node.apply("divide", [x, plus(node, node.apply("abs", [x]), node.number(1))]);
  }),
  Sqrt: same("sqrt"),
  Sub: arithmetic("subtract", (a, b) => a - b),
  Sum: variadic("add", (a, b) => a + b),
  Swish: givesValue((node) => {
    const x = node.value(0);
    return node.apply("multiply", [x, node.apply("sigmoid", [times(node, x, node.float("alpha", 1))])]);
  }),
  Tanh: same("tanh"),
  ThresholdedRelu: givesValue((node) => {
    const x = node.value(0);
    return node.apply("multiply", [x, above(node, x, node.float("alpha", 1))]);
  }),
};
