import { elementCount, formatShape } from "../../../tensor/index.ts";
import { type Constant, isReal, wholeConstant } from "../constant.ts";
import type { NodeContext } from "../node-context.ts";
import { constantOperand, type Operand, valueOperand } from "../operand.ts";
import { pieceOf } from "./along-axis.ts";
import { asFloats } from "./as-floats.ts";
import { isPlain } from "./elementwise.ts";
import { mostElements, type Rule } from "./rule.ts";

function cast(node: NodeContext): readonly Operand[] {
  const to = node.whole("to", 0);
  const real = isReal(to) ?? node.fail("the type must be one of numbers", `type ${to}`);
  const result = converted(node, node.operand(0), real, to === truthValues);
  const format = narrowTypes.get(to);
  if (format === undefined || result.kind === "constant") return [result];
  return [valueOperand(node.apply("roundTo", [result.value], { format }))];
}

function castLike(node: NodeContext): readonly Operand[] {
  const like = node.operand(1);
  const real = like.kind === "value" ? like.value.type.dtype !== "int32" : like.constant.real;
  return [converted(node, node.operand(0), real, false)];
}

/** TensorProto.DataType's numbers of formats with fewer bits than the graph's floats, to which data is rounded. */
const narrowTypes: ReadonlyMap<number, string> = new Map([
  [10, "float16"],
  [16, "bfloat16"],
]);

/** TensorProto.DataType's number for BOOL. */
const truthValues = 9;

/** An operand as real or whole numbers; what is narrower than the graph's floats, or wider, is computed in these. */
function converted(node: NodeContext, operand: Operand, real: boolean, truth: boolean): Operand {
  if (isPlain(operand)) {
    const { shape, data } = operand.constant;
    const convert = (element: number): number => (truth ? Number(element !== 0) : real ? element : Math.trunc(element));
    return constantOperand({ shape, real, data: Float64Array.from(data, convert) });
  }
  const value = node.asValue(operand);
  if (truth) {
    const x = asFloats(node, value);
    const zero = node.number(0);
    const isZero = node.apply("multiply", [
      node.apply("greaterOrEqual", [x, zero]),
      node.apply("greaterOrEqual", [zero, x]),
    ]);
    return valueOperand(node.apply("subtract", [node.number(1), isZero]));
  }
  if (real !== (value.type.dtype === "int32")) return valueOperand(value);
  return valueOperand(node.apply("cast", [value], { dtype: real ? node.dtype : "int32" }));
}

function shape(node: NodeContext): readonly Operand[] {
  const extents = node.shape(0);
  const start = node.whole("start", 0);
  const { start: from, size } = pieceOf(extents.length, start, node.whole("end", extents.length), 1);
  return node.known(wholeConstant([size], extents.slice(from, from + size)));
}

function constant(node: NodeContext): readonly Operand[] {
  const { attributes } = node.node;
  const tensor = node.tensor("value");
  if (tensor !== undefined) return node.known(tensor);
  const floats = attributes.get("value_floats")?.floats ?? [attributes.get("value_float")?.float];
  if (floats[0] !== undefined) {
    const flat = attributes.has("value_floats");
    return node.known({ shape: flat ? [floats.length] : [], real: true, data: Float64Array.from(floats as number[]) });
  }
  if (attributes.has("value_ints")) {
    const values = node.wholeList("value_ints", []);
    return node.known(wholeConstant([values.length], values));
  }
  if (attributes.has("value_int")) return node.known(wholeConstant([], [node.whole("value_int", 0)]));
  return node.fail("a constant must be of numbers", [...attributes.keys()].join(", ") || "none");
}

function constantOfShape(node: NodeContext): readonly Operand[] {
  const extents = node.wholes(0, []);
  const count = elementCount(extents);
  if (!(count <= mostElements)) node.fail(`there must be at most ${mostElements} elements`, formatShape(extents));
  const value = node.tensor("value") ?? { shape: [1], real: true, data: Float64Array.of(0) };
  const made: Constant = { shape: extents, real: value.real, data: new Float64Array(count).fill(value.data[0]) };
  return node.known(made);
}

function range(node: NodeContext): readonly Operand[] {
  const [start, limit, step] = [node.scalar(0, 0), node.scalar(1, 0), node.scalar(2, 1)];
  const count = Math.max(0, Math.ceil((limit - start) / step));
  if (!(count <= mostElements)) node.fail(`there must be at most ${mostElements} elements`, String(count));
  const data = Float64Array.from({ length: count }, (_, index) => start + index * step);
  return node.known({ shape: [count], real: node.constant(0).real, data });
}

const size: Rule = (node) => node.known(wholeConstant([], [elementCount(node.shape(0))]));

/** Torch writes weights that begin alike once, and an identity for each of the others, which is a weight of its own. */
function identity(node: NodeContext): readonly Operand[] {
  const operand = node.operand(0);
  if (operand.kind === "value" || operand.initializer === null) return [operand];
  return [constantOperand(operand.constant, node.node.outputs[0])];
}
/** Rules of operators that say what is known before data is, and in which type. */
export const knownRules: Readonly<Record<string, Rule>> = {
  Cast: cast,
  CastLike: castLike,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Identity: identity,
  Range: range,
  Shape: shape,
  Size: size,
};
