import type { Operation, Value } from "../../../ir/index.ts";
import type { OperatorName } from "../../../ops/index.ts";
import { isOpen, type OpenShape } from "./extents.ts";
import { dataTypes, type GraphWriter, type WrittenAttribute } from "./graph-writer.ts";

/** What a rule works with: an operation of the graph, its names in the file, and where nodes go. */
export interface WriteContext {
  readonly writer: GraphWriter;
  readonly operation: Operation;
  /** Names of the operation's inputs. */
  readonly inputs: readonly string[];
  /** Names that its outputs are to have. */
  readonly outputs: readonly string[];
  /** The shape of a value of the graph, for any batch. */
  shapeOf(value: Value): OpenShape;
}

type WriteRule = (context: WriteContext) => void;

/** One node with the operation's own inputs and first output. */
const direct =
  (
    operator: string,
    attributes: (operation: Operation) => Readonly<Record<string, WrittenAttribute>> = () => ({}),
  ): WriteRule =>
  ({ writer, operation, inputs, outputs }) => {
    writer.node(operator, inputs, attributes(operation), outputs[0]);
  };

const number = ({ attributes }: Operation, name: string): number => attributes[name] as number;
const numbers = ({ attributes }: Operation, name: string): readonly number[] => attributes[name] as readonly number[];
const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);
const rankOf = (value: Value): number => value.type.shape.length;

/** A second operand that is a number. */
const withNumber =
  (operator: string, attribute: string): WriteRule =>
  ({ writer, operation, inputs, outputs }) => {
    writer.node(operator, [inputs[0], writer.number(number(operation, attribute))], {}, outputs[0]);
  };

/** A vector along an axis, with a shape that ONNX repeats to the whole. */
const alongAxis =
  (operator: string): WriteRule =>
  ({ writer, operation, inputs: [x, vector], outputs, shapeOf }) => {
    const behind = rankOf(operation.inputs[0]) - 1 - number(operation, "axis");
    const extents = [...shapeOf(operation.inputs[1]), ...range(behind).map(() => 1)];
    writer.node(operator, [x, behind === 0 ? vector : writer.reshaped(vector, extents)], {}, outputs[0]);
  };

const matmul: WriteRule = ({ writer, operation, inputs, outputs }) => {
  const { transposeA, transposeB } = operation.attributes;
  const attributes = { transA: { whole: Number(transposeA) }, transB: { whole: Number(transposeB) } };
  if (transposeA || transposeB) writer.node("Gemm", inputs, attributes, outputs[0]);
  else writer.node("MatMul", inputs, {}, outputs[0]);
};

const batchMatmul: WriteRule = ({ writer, operation: { attributes }, inputs, outputs }) => {
  const flip = { perm: { wholes: [0, 2, 1] } };
  const side = (name: string, flipped: unknown): string => (flipped ? writer.node("Transpose", [name], flip) : name);
  writer.node(
    "MatMul",
    [side(inputs[0], attributes.transposeA), side(inputs[1], attributes.transposeB)],
    {},
    outputs[0],
  );
};

/** Strides, margins and the like; a margin is the same on both sides. */
function windowAttributes(operation: Operation): Readonly<Record<string, WrittenAttribute>> {
  const padding = numbers(operation, "padding");
  return { strides: { wholes: numbers(operation, "stride") }, pads: { wholes: [...padding, ...padding] } };
}

function convolutionAttributes(operation: Operation): Readonly<Record<string, WrittenAttribute>> {
  return {
    ...windowAttributes(operation),
    kernel_shape: { wholes: operation.inputs[1].type.shape.slice(2) },
    dilations: { wholes: numbers(operation, "dilation") },
    group: { whole: number(operation, "groups") },
  };
}

/** The extents that a transposed convolution would not reach by itself. */
function transposedAttributes(operation: Operation): Readonly<Record<string, WrittenAttribute>> {
  const [maps, filters] = operation.inputs.map(({ type }) => type.shape.slice(2));
  const [stride, dilation, padding] = ["stride", "dilation", "padding"].map((name) => numbers(operation, name));
  const missing = numbers(operation, "size").map((size, axis) => {
    const reach = (maps[axis] - 1) * stride[axis] + (filters[axis] - 1) * dilation[axis] + 1 - 2 * padding[axis];
    return size - reach;
  });
  return { ...convolutionAttributes(operation), output_padding: { wholes: missing } };
}

const pooled = (operator: string, more: Readonly<Record<string, WrittenAttribute>> = {}): WriteRule =>
  direct(operator, (operation) => ({
    ...windowAttributes(operation),
    kernel_shape: { wholes: numbers(operation, "kernel") },
    ...more,
  }));

const reduction =
  (operator: string): WriteRule =>
  ({ writer, operation, inputs: [x], outputs }) => {
    const axes = numbers(operation, "axes");
    // Without axes ONNX would reduce over all of them.
    if (axes.length === 0) writer.node("Identity", [x], {}, outputs[0]);
    else writer.node(operator, [x, writer.wholes(axes)], { keepdims: { whole: 0 } }, outputs[0]);
  };

const argmax: WriteRule = ({ writer, inputs, outputs }) => {
  const found = writer.node("ArgMax", inputs, { axis: { whole: -1 }, keepdims: { whole: 0 } });
  writer.node("Cast", [found], { to: { whole: dataTypes.int32 } }, outputs[0]);
};

const reshape: WriteRule = ({ writer, operation, inputs: [x], outputs, shapeOf }) => {
  writer.reshaped(x, shapeOf(operation.outputs[0]), outputs[0]);
};

const broadcast: WriteRule = ({ writer, operation, inputs: [x], outputs, shapeOf }) => {
  const [value] = operation.inputs;
  const target = shapeOf(operation.outputs[0]);
  const axes = numbers(operation, "axes");
  const own = shapeOf(value);
  const spread = target.map((_, axis) => (axes.includes(axis) ? own[axes.indexOf(axis)] : 1));
  const same = axes.every((axis, index) => axis === target.length - axes.length + index);
  const aligned = same ? x : writer.reshaped(x, spread);
  // Where the input has the extent already, 1 leaves it: so that the batch need not be asked for.
  const wanted = target.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  writer.node("Expand", [aligned, writer.shape(wanted)], {}, outputs[0]);
};

const slice: WriteRule = ({ writer, operation, inputs: [x], outputs, shapeOf }) => {
  const whole = operation.inputs[0].type.shape;
  const sizes = shapeOf(operation.outputs[0]);
  const starts = numbers(operation, "starts");
  const cut = range(whole.length).filter(
    (axis) => starts[axis] > 0 || operation.outputs[0].type.shape[axis] < whole[axis],
  );
  if (cut.length === 0) {
    writer.node("Identity", [x], {}, outputs[0]);
    return;
  }
  const ends = cut.map((axis) => {
    const size = sizes[axis];
    if (isOpen(size)) throw new Error("a part of the batch must not be cut out, got a slice of it");
    return starts[axis] + size;
  });
  const places = [cut.map((axis) => starts[axis]), ends, cut].map((values) => writer.wholes(values));
  writer.node("Slice", [x, ...places], {}, outputs[0]);
};

const pad: WriteRule = ({ writer, operation, inputs: [x], outputs }) => {
  const pads = writer.wholes([...numbers(operation, "before"), ...numbers(operation, "after")]);
  writer.node("Pad", [x, pads, writer.number(number(operation, "value"))], {}, outputs[0]);
};

const split: WriteRule = ({ writer, operation, inputs, outputs }) => {
  const attributes = { axis: { whole: number(operation, "axis") }, num_outputs: { whole: number(operation, "parts") } };
  writer.nodeOf("Split", inputs, attributes, outputs);
};

const cast = (type: (operation: Operation) => number): WriteRule =>
  direct("Cast", (operation) => ({ to: { whole: type(operation) } }));

const roundTo: WriteRule = ({ writer, operation, inputs, outputs }) => {
  const format = operation.attributes.format as "float16" | "bfloat16";
  const narrow = writer.node("Cast", inputs, { to: { whole: dataTypes[format] } });
  writer.node("Cast", [narrow], { to: { whole: dataTypes.float32 } }, outputs[0]);
};

const full: WriteRule = ({ writer, operation, outputs, shapeOf }) => {
  const shape = shapeOf(operation.outputs[0]);
  const { dtype } = operation.outputs[0].type;
  const value = writer.number(number(operation, "value"));
  const one =
    dtype === "float32" ? value : writer.node("Cast", [value], { to: { whole: dataTypes[dtype as "int32"] } });
  if (shape.length === 0) writer.node("Identity", [one], {}, outputs[0]);
  else writer.node("Expand", [one, writer.shape(shape)], {}, outputs[0]);
};

/** 1 where the second is not above the first. */
const greaterOrEqual: WriteRule = ({ writer, inputs, outputs }) => {
  const truth = writer.node("GreaterOrEqual", inputs);
  writer.node("Cast", [truth], { to: { whole: dataTypes.float32 } }, outputs[0]);
};

/** The first where the second is positive, otherwise 0. */
const reluGradient: WriteRule = ({ writer, inputs: [x, gate], outputs }) => {
  const open = writer.node("Greater", [gate, writer.number(0)]);
  writer.node("Where", [open, x, writer.number(0)], {}, outputs[0]);
};

const flush: WriteRule = ({ writer, operation, inputs: [x], outputs }) => {
  const small = writer.node("Less", [writer.node("Abs", [x]), writer.number(number(operation, "below"))]);
  writer.node("Where", [small, writer.number(0), x], {}, outputs[0]);
};

const clip: WriteRule = ({ writer, operation, inputs: [x], outputs }) => {
  const bounds = ["low", "high"].map((name) => writer.number(number(operation, name)));
  writer.node("Clip", [x, ...bounds], {}, outputs[0]);
};

const localResponseNorm: WriteRule = ({ writer, operation, inputs, outputs }) => {
  const size = number(operation, "size");
  const attributes = {
    size: { whole: size },
    alpha: { float: number(operation, "alpha") * size },
    beta: { float: number(operation, "beta") },
    bias: { float: number(operation, "bias") },
  };
  writer.node("LRN", inputs, attributes, outputs[0]);
};

const oneHot: WriteRule = ({ writer, operation, inputs: [labels], outputs }) => {
  const depth = writer.constant("int64", [], [number(operation, "classes")]);
  writer.node("OneHot", [labels, depth, writer.constant("float32", [2], [0, 1])], {}, outputs[0]);
};

/**
 * How each operator of a forward graph is written. What is missing belongs to training (gradients, updates, random numbers)
 * or to memory strategies, and stands in no answer.
 */
export const writeRules: Readonly<Partial<Record<OperatorName, WriteRule>>> = {
  negate: direct("Neg"),
  exp: direct("Exp"),
  log: direct("Log"),
  sqrt: direct("Sqrt"),
  square: ({ writer, inputs: [x], outputs }) => void writer.node("Mul", [x, x], {}, outputs[0]),
  abs: direct("Abs"),
  sign: direct("Sign"),
  relu: direct("Relu"),
  sigmoid: direct("Sigmoid"),
  tanh: direct("Tanh"),
  softplus: direct("Softplus"),
  erf: direct("Erf"),
  gelu: direct("Gelu", () => ({ approximate: { text: "tanh" } })),
  scale: withNumber("Mul", "factor"),
  power: withNumber("Pow", "exponent"),
  clip,
  flush,
  leakyRelu: direct("LeakyRelu", (operation) => ({ alpha: { float: number(operation, "slope") } })),
  add: direct("Add"),
  subtract: direct("Sub"),
  multiply: direct("Mul"),
  divide: direct("Div"),
  maximum: direct("Max"),
  minimum: direct("Min"),
  greaterOrEqual,
  reluGradient,
  matmul,
  batchMatmul,
  addBias: alongAxis("Add"),
  scaleAlong: alongAxis("Mul"),
  convolution2d: direct("Conv", convolutionAttributes),
  convolution2dInputGradient: direct("ConvTranspose", transposedAttributes),
  maxPool2d: pooled("MaxPool"),
  averagePool2d: pooled("AveragePool", { count_include_pad: { whole: 1 } }),
  localResponseNorm,
  sum: reduction("ReduceSum"),
  mean: reduction("ReduceMean"),
  max: reduction("ReduceMax"),
  argmax,
  reshape,
  transpose: direct("Transpose", (operation) => ({ perm: { wholes: numbers(operation, "permutation") } })),
  broadcast,
  slice,
  pad,
  concat: direct("Concat", (operation) => ({ axis: { whole: number(operation, "axis") } })),
  split,
  gather: direct("Gather", () => ({ axis: { whole: 0 } })),
  copy: direct("Identity"),
  cast: cast(({ attributes }) => dataTypes[attributes.dtype as "float32" | "int32" | "float64"]),
  roundTo,
  stopGradient: direct("Identity"),
  full,
  softmax: direct("Softmax", () => ({ axis: { whole: -1 } })),
  logSoftmax: direct("LogSoftmax", () => ({ axis: { whole: -1 } })),
  oneHot,
};
