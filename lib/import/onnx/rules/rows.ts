import type { Value } from "../../../ir/index.ts";
import { batchNorm, dropout } from "../../../nn/index.ts";
import { elementCount, formatShape, type Shape } from "../../../tensor/index.ts";
import { broadcastShape, type NodeContext } from "../node-context.ts";
import { type Operand, valueOperand } from "../operand.ts";
import { reversed } from "./along-axis.ts";
import { asFloats } from "./as-floats.ts";
import { combine } from "./elementwise.ts";
import { axesOf, givesValue, type Rule } from "./rule.ts";

/** a · b for operands of any rank: matrices, batches of them, and vectors, as numpy's matmul. */
function product(node: NodeContext): Value {
  const [a, b] = [node.value(0), node.value(1)];
  const left = a.type.shape.length === 1 ? node.reshape(a, [1, ...a.type.shape]) : a;
  const right = b.type.shape.length === 1 ? node.reshape(b, [...b.type.shape, 1]) : b;
  const m = left.type.shape.at(-2) as number;
  const n = right.type.shape.at(-1) as number;
  const k = left.type.shape.at(-1) as number;
  const batch = broadcastShape([left.type.shape.slice(0, -2), right.type.shape.slice(0, -2)]);
  if (batch === null || right.type.shape.at(-2) !== k) {
    return node.fail("matrices must fit", `${formatShape(a.type.shape)} and ${formatShape(b.type.shape)}`);
  }
  const shape = [...batch, ...(a.type.shape.length === 1 ? [] : [m]), ...(b.type.shape.length === 1 ? [] : [n])];
  if (right.type.shape.length === 2) {
    const rows = elementCount(left.type.shape.slice(0, -1));
    return node.reshape(node.apply("matmul", [node.reshape(left, [rows, k]), right]), shape);
  }
  const matrices = (value: Value, extents: Shape): Value =>
    node.reshape(node.expand(value, [...batch, ...extents]), [elementCount(batch), ...extents]);
  return node.reshape(node.apply("batchMatmul", [matrices(left, [m, k]), matrices(right, [k, n])]), shape);
}

/** alpha · a · b + beta · c, either matrix transposed first. */
function generalProduct(node: NodeContext): Value {
  const transposed = { transposeA: node.whole("transA", 0) !== 0, transposeB: node.whole("transB", 0) !== 0 };
  const scaled = (value: Value, factor: number): Value =>
    factor === 1 ? value : node.apply("scale", [value], { factor });
  const result = scaled(node.apply("matmul", [node.value(0), node.value(1)], transposed), node.float("alpha", 1));
  return node.has(2) ? combine(node, "add", result, scaled(node.value(2), node.float("beta", 1))) : result;
}

/** An operator that works along the last axis, along another one. */
function alongLast(operator: string): Rule {
  return givesValue((node) => {
    const x = node.value(0);
    const rank = x.type.shape.length;
    const axis = node.axis(node.whole("axis", -1), rank);
    const order = axesOf(rank).map((other) => (other === axis ? rank - 1 : other === rank - 1 ? axis : other));
    return node.transpose(node.apply(operator, [node.transpose(x, order)]), order);
  });
}

/** As the library's layer: by the batch's statistics while training, by the running ones when the model answers. */
function batchNormalisation(node: NodeContext): readonly Operand[] {
  const own = ["gain", "shift", "mean", "variance"];
  const momentum = node.float("momentum", 0.9);
  const layer = batchNorm({ momentum: 1 - momentum, epsilon: node.float("epsilon", 1e-5) });
  const x = node.value(0);
  const y = node.layer(layer, x, (name) =>
    name === "mean" || name === "variance" ? node.state(own.indexOf(name) + 1) : node.value(own.indexOf(name) + 1),
  );
  if (!node.wanted(1) && !node.wanted(2)) return [valueOperand(y)];
  if (node.mode === "inference") {
    return node.fail(
      "running statistics come out while training only",
      "a model that answers",
      "export it without them",
    );
  }
  // The operator's own, of the biased variance; the layer's states follow the unbiased one, as torch's do.
  const axes = axesOf(x.type.shape.length).filter((axis) => axis !== 1);
  const mean = node.apply("mean", [x], { axes });
  const centred = node.apply("addBias", [x, node.apply("negate", [mean])], { axis: 1 });
  const variance = node.apply("mean", [node.apply("square", [centred])], { axes });
  const running = [mean, variance].map((fresh, index) =>
    node.apply("add", [
      node.apply("scale", [node.state(index + 3)], { factor: momentum }),
      node.apply("scale", [fresh], { factor: 1 - momentum }),
    ]),
  );
  return [y, ...running].map(valueOperand);
}

/** What is dropped while training, the mode decides; the mask is known only where nothing is. */
function dropOut(node: NodeContext): readonly Operand[] {
  const x = node.value(0);
  // An attribute before version 12 of the operators.
  const rate = node.scalar(1, node.float("ratio", 0.5));
  const nothing = rate === 0 || node.mode === "inference";
  const y = rate === 0 ? x : node.layer(dropout(rate), x, (name) => node.fail("dropout must have no weights", name));
  const mask = nothing && node.node.outputs.length > 1 ? [node.number(1, x.type.shape)] : [];
  return [y, ...mask].map(valueOperand);
}

/** Rows less their mean, over their deviation, [rows, columns], with what they were made of: [rows] each. */
function standardised(node: NodeContext, x: Value, rows: number, epsilon: number) {
  const { shape } = x.type;
  const cut = node.reshape(x, [rows, elementCount(shape) / rows]);
  const mean = node.apply("mean", [cut], { axes: [1] });
  const centred = node.apply("addBias", [cut, node.apply("negate", [mean])], { axis: 0 });
  const variance = node.apply("mean", [node.apply("square", [centred])], { axes: [1] });
  const deviation = node.apply("sqrt", [node.apply("add", [variance, node.number(epsilon)])]);
  const inverse = node.apply("divide", [node.number(1), deviation]);
  return { normal: node.apply("scaleAlong", [centred, inverse], { axis: 0 }), mean, inverse };
}

const normalised = (node: NodeContext, x: Value, rows: number, epsilon: number): Value =>
  standardised(node, x, rows, epsilon).normal;

function layerNormalisation(node: NodeContext): readonly Operand[] {
  const x = node.value(0);
  const { shape } = x.type;
  const axis = node.axis(node.whole("axis", -1), shape.length);
  const outer = shape.slice(0, axis);
  const { normal, mean, inverse } = standardised(node, x, elementCount(outer), node.float("epsilon", 1e-5));
  const scaled = combine(node, "multiply", node.reshape(normal, shape), node.value(1));
  const result = node.has(2) ? combine(node, "add", scaled, node.value(2)) : scaled;
  const more = node.node.outputs.length > 1 ? [mean, inverse] : [];
  const kept = shape.map((extent, other) => (other < axis ? extent : 1));
  return [result, ...more.map((value) => node.reshape(value, kept))].map(valueOperand);
}

/** Rows over the root of the mean of their squares. */
function rootMeanSquare(node: NodeContext): Value {
  const x = node.value(0);
  const { shape } = x.type;
  const axis = node.axis(node.whole("axis", -1), shape.length);
  const rows = elementCount(shape.slice(0, axis));
  const cut = node.reshape(x, [rows, elementCount(shape) / rows]);
  const square = node.apply("mean", [node.apply("square", [cut])], { axes: [1] });
  const root = node.apply("sqrt", [node.apply("add", [square, node.number(node.float("epsilon", 1e-5))])]);
  const normal = node.apply("scaleAlong", [cut, node.apply("divide", [node.number(1), root])], { axis: 0 });
  return combine(node, "multiply", node.reshape(normal, shape), node.value(1));
}

function channelwise(node: NodeContext, normal: Value, shape: Shape): Value {
  const scaled = node.apply("scaleAlong", [node.reshape(normal, shape), node.value(1)], { axis: 1 });
  return node.apply("addBias", [scaled, node.value(2)], { axis: 1 });
}

function groupNormalisation(node: NodeContext): Value {
  const x = node.value(0);
  const { shape } = x.type;
  const groups = node.whole("num_groups", 1);
  return channelwise(node, normalised(node, x, shape[0] * groups, node.float("epsilon", 1e-5)), shape);
}

function instanceNormalisation(node: NodeContext): Value {
  const x = node.value(0);
  const { shape } = x.type;
  return channelwise(node, normalised(node, x, shape[0] * shape[1], node.float("epsilon", 1e-5)), shape);
}

/** A reduction over axes that are attributes or a constant input, kept as extents of 1 unless told otherwise. */
function reduction(reduce: (node: NodeContext, x: Value, axes: readonly number[]) => Value): Rule {
  return givesValue((node) => {
    const x = node.value(0);
    const { shape } = x.type;
    const given = node.wholeList("axes", null) ?? node.wholes(1, null);
    const none = given === null || given.length === 0;
    if (none && node.whole("noop_with_empty_axes", 0) !== 0) return reduce(node, x, []);
    const axes = none ? axesOf(shape.length) : node.axes(given, shape.length);
    const reduced = reduce(node, x, axes);
    if (node.whole("keepdims", 1) === 0) return reduced;
    return node.reshape(
      reduced,
      shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent)),
    );
  });
}

/** The largest or the smallest element; of whole numbers and truth values a whole number. */
function extreme(side: "largest" | "smallest"): Rule {
  return reduction((node, given, axes) => {
    const x = asFloats(node, given);
    const turned = (value: Value): Value => (side === "largest" ? value : node.apply("negate", [value]));
    const found = turned(node.apply("max", [turned(x)], { axes }));
    if (given === x) return found;
    if (elementCount(x.type.shape) === 0) {
      node.fail("there must be an element, since no whole number is −∞", formatShape(x.type.shape), "reduce floats");
    }
    return node.apply("cast", [found], { dtype: "int32" });
  });
}

const over = (operator: string) => (node: NodeContext, x: Value, axes: readonly number[]) =>
  node.apply(operator, [x], { axes });

/** The index of the largest element, or of the smallest: the first of equal ones, or the last. */
function indexOf(side: "largest" | "smallest"): Rule {
  return givesValue((node) => {
    const given = node.value(0);
    const { shape } = given.type;
    const axis = node.axis(node.whole("axis", 0), shape.length);
    const order = [...axesOf(shape.length).filter((other) => other !== axis), axis];
    const x = node.transpose(side === "largest" ? given : node.apply("negate", [given]), order);
    const last = node.whole("select_last_index", 0) !== 0;
    const found = last ? lastIndex(node, x) : node.apply("argmax", [x]);
    if (node.whole("keepdims", 1) === 0) return found;
    return node.reshape(
      found,
      shape.map((extent, other) => (other === axis ? 1 : extent)),
    );
  });
}

/** The last of the largest along the last axis: the first one from behind. */
function lastIndex(node: NodeContext, x: Value): Value {
  const extent = x.type.shape.at(-1) as number;
  const back = reversed(node, x, x.type.shape.length - 1);
  const behind = asFloats(node, node.apply("argmax", [back]));
  return node.apply("cast", [node.apply("subtract", [node.number(extent - 1), behind])], { dtype: "int32" });
}

/** Rows along an axis over the sum of their magnitudes, or over the root of that of their squares. */
function lengthNormalisation(node: NodeContext): Value {
  const x = node.value(0);
  const { shape } = x.type;
  const axis = node.axis(node.whole("axis", -1), shape.length);
  const order = node.whole("p", 2);
  if (order !== 1 && order !== 2) node.fail("p must be 1 or 2", String(order));
  const sum = node.apply("sum", [node.apply(order === 1 ? "abs" : "square", [x])], { axes: [axis] });
  const length = order === 1 ? sum : node.apply("sqrt", [sum]);
  const kept = shape.map((extent, other) => (other === axis ? 1 : extent));
  // Of nothing but zeros nothing but zeros is made.
  const divisor = node.apply("maximum", [length, node.number(1e-30)]);
  return node.apply("divide", [x, node.expand(node.reshape(divisor, kept), shape)]);
}

/** Each element less the mean over some axes, over the deviation over them. */
function meanVarianceNormalisation(node: NodeContext): Value {
  const x = node.value(0);
  const { shape } = x.type;
  const axes = node.axes(node.wholeList("axes", [0, 2, 3]), shape.length);
  const mean = (value: Value): Value => {
    const reduced = node.apply("mean", [value], { axes });
    const kept = shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
    return node.expand(node.reshape(reduced, kept), shape);
  };
  const centred = node.apply("subtract", [x, mean(x)]);
  const deviation = node.apply("sqrt", [mean(node.apply("square", [centred]))]);
  // As the operator is defined: the deviation grows by 10⁻⁹.
  return node.apply("divide", [centred, node.apply("add", [deviation, node.number(1e-9)])]);
}

/** Rules of products, normalisations and reductions. */
export const rowRules: Readonly<Record<string, Rule>> = {
  ArgMax: indexOf("largest"),
  ArgMin: indexOf("smallest"),
  BatchNormalization: batchNormalisation,
  Dropout: dropOut,
  Gemm: givesValue(generalProduct),
  GroupNormalization: givesValue(groupNormalisation),
  InstanceNormalization: givesValue(instanceNormalisation),
  LayerNormalization: layerNormalisation,
  LogSoftmax: alongLast("logSoftmax"),
  LpNormalization: givesValue(lengthNormalisation),
  MatMul: givesValue(product),
  MeanVarianceNormalization: givesValue(meanVarianceNormalisation),
  RMSNormalization: givesValue(rootMeanSquare),
  ReduceL1: reduction((node, x, axes) => over("sum")(node, node.apply("abs", [x]), axes)),
  ReduceL2: reduction((node, x, axes) => node.apply("sqrt", [over("sum")(node, node.apply("square", [x]), axes)])),
  ReduceLogSum: reduction((node, x, axes) => node.apply("log", [over("sum")(node, x, axes)])),
  ReduceLogSumExp: reduction((node, x, axes) => node.apply("log", [over("sum")(node, node.apply("exp", [x]), axes)])),
  ReduceMax: extreme("largest"),
  ReduceMean: reduction(over("mean")),
  ReduceMin: extreme("smallest"),
  ReduceSum: reduction(over("sum")),
  ReduceSumSquare: reduction((node, x, axes) => over("sum")(node, node.apply("square", [x]), axes)),
  Softmax: alongLast("softmax"),
};
