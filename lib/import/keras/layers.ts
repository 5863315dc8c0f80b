import { elementCount } from "../../tensor/index.ts";
import { activate } from "./activations.ts";
import { axes, type Given, type LayerWriter, type Tensor, transposed } from "./layer-writer.ts";
import { recurrentLayers } from "./recurrent.ts";

/** What a layer of Keras is made of. */
export type LayerRule = (writer: LayerWriter, inputs: readonly Tensor[]) => Tensor;

const one =
  (make: (writer: LayerWriter, x: Tensor) => Tensor): LayerRule =>
  (writer, inputs) =>
    inputs.length === 1 ? make(writer, inputs[0]) : writer.fail("there must be one input", String(inputs.length));

const rank =
  (expected: number) =>
  (shape: readonly number[]): boolean =>
    shape.length === expected;

const dense = one((writer, x) => {
  const { name, rank: own } = writer.last(x);
  const units = writer.whole("units");
  let y = writer.node("MatMul", [name, writer.weight("kernel", (shape) => shape.length === 2 && shape[1] === units)]);
  if (writer.truth("use_bias", true)) y = writer.node("Add", [y, writer.weight("bias", ([width]) => width === units)]);
  return activate(writer, { name: y, rank: own, channels: "last" }, writer.setting("activation"));
});

/** Attributes of a window over one or two directions. */
function windowOf(writer: LayerWriter, directions: number, kernel: string): Readonly<Record<string, Given>> {
  writer.expect("data_format", "channels_last");
  const size = writer.wholeList(
    kernel,
    axes(directions).map(() => 2),
  );
  const own = kernel === "pool_size" ? size : axes(directions).map(() => 1);
  const padding = writer.setting("padding", "valid");
  if (padding !== "valid" && padding !== "same")
    writer.fail('padding must be "valid" or "same"', JSON.stringify(padding));
  return {
    kernel_shape: { wholes: size },
    strides: { wholes: writer.wholeList("strides", own) },
    ...(padding === "same" ? { auto_pad: { text: "SAME_UPPER" } } : {}),
  };
}

function convolution(directions: number): LayerRule {
  return one((writer, given) => {
    const x = writer.first(given);
    const window = windowOf(writer, directions, "kernel_size");
    const dilations = writer.wholeList(
      "dilation_rate",
      axes(directions).map(() => 1),
    );
    const group = writer.whole("groups", 1);
    // [… kernel, channels, filters] becomes [filters, channels, … kernel].
    const order = [directions + 1, directions, ...axes(directions)];
    const kernel = writer.weight("kernel", rank(directions + 2), (weight) => transposed(weight, order));
    const bias = writer.truth("use_bias", true) ? [writer.weight("bias", rank(1))] : [];
    const attributes = { ...window, dilations: { wholes: dilations }, group: { whole: group } };
    const name = writer.node("Conv", [x.name, kernel, ...bias], attributes);
    return activate(writer, { ...x, name }, writer.setting("activation"));
  });
}

const depthwiseConvolution = one((writer, given) => {
  const x = writer.first(given);
  const { name } = depthwise(writer, x, writer.truth("use_bias", true));
  return activate(writer, { ...x, name }, writer.setting("activation"));
});

/** Filters for each channel by itself. */
function depthwise(writer: LayerWriter, x: Tensor, bias: boolean): { readonly name: string } {
  const key = writer.weight(
    writer.call.type === "DepthwiseConv2D" ? "kernel" : "depthwise_kernel",
    rank(4),
    (weight) => {
      const filters = transposed(weight, [2, 3, 0, 1]);
      const [own, times, height, width] = filters.shape;
      return { ...filters, shape: [own * times, 1, height, width] };
    },
  );
  const channels = writer.shapeOfWeight(key)[0] / writer.whole("depth_multiplier", 1);
  const more = bias ? [writer.weight("bias", rank(1))] : [];
  const dilations = writer.wholeList("dilation_rate", [1, 1]);
  const attributes = {
    ...windowOf(writer, 2, "kernel_size"),
    dilations: { wholes: dilations },
    group: { whole: channels },
  };
  return { name: writer.node("Conv", [x.name, key, ...more], attributes) };
}

const separableConvolution = one((writer, given) => {
  const x = writer.first(given);
  const { name } = depthwise(writer, x, false);
  const point = writer.weight("pointwise_kernel", rank(4), (weight) => transposed(weight, [3, 2, 0, 1]));
  const bias = writer.truth("use_bias", true) ? [writer.weight("bias", rank(1))] : [];
  return activate(writer, { ...x, name: writer.node("Conv", [name, point, ...bias]) }, writer.setting("activation"));
});

const transposedConvolution = one((writer, given) => {
  const x = writer.first(given);
  writer.expect("output_padding", null);
  writer.expect("dilation_rate", [1, 1]);
  const { auto_pad: same, ...window } = windowOf(writer, 2, "kernel_size");
  const kernel = (window.kernel_shape as { readonly wholes: readonly number[] }).wholes;
  const stride = (window.strides as { readonly wholes: readonly number[] }).wholes;
  // As many windows as keep `same`'s extents at input times stride; TensorFlow cuts the odd one behind.
  const over = kernel.map((extent, axis) => extent - stride[axis]);
  const before = over.map((extra) => Math.floor(Math.max(0, extra) / 2));
  const after = over.map((extra, axis) => Math.max(0, extra) - before[axis]);
  const margins: Readonly<Record<string, Given>> =
    same === undefined
      ? { output_padding: { wholes: over.map((extra) => Math.max(0, -extra)) } }
      : {
          pads: { wholes: [...before, ...after] },
          output_padding: { wholes: over.map((extra) => Math.max(0, -extra)) },
        };
  const weight = writer.weight("kernel", rank(4), (own) => transposed(own, [3, 2, 0, 1]));
  const bias = writer.truth("use_bias", true) ? [writer.weight("bias", rank(1))] : [];
  const name = writer.node("ConvTranspose", [x.name, weight, ...bias], { ...window, ...margins });
  return activate(writer, { ...x, name }, writer.setting("activation"));
});

const pool = (operator: string, directions: number): LayerRule =>
  one((writer, given) => {
    const x = writer.first(given);
    return { ...x, name: writer.node(operator, [x.name], windowOf(writer, directions, "pool_size")) };
  });

const globalPool = (operator: string): LayerRule =>
  one((writer, given) => {
    const x = writer.first(given);
    writer.expect("data_format", "channels_last");
    const name = writer.node(operator, [x.name]);
    if (writer.truth("keepdims", false)) return { ...x, name };
    return { name: writer.node("Flatten", [name], { axis: { whole: 1 } }), rank: 2, channels: "last" };
  });

const batchNormalisation = one((writer, given) => {
  const x = writer.first(given);
  const axis = writer.setting("axis", -1);
  const place = Array.isArray(axis) ? axis[0] : axis;
  if (place !== -1 && place !== given.rank - 1) writer.fail("axis must be the last", JSON.stringify(axis));
  const gamma = writer.truth("scale", true) ? writer.weight("gamma", rank(1)) : null;
  const beta = writer.truth("center", true) ? writer.weight("beta", rank(1)) : null;
  const mean = writer.weight("moving_mean", rank(1));
  const variance = writer.weight("moving_variance", rank(1));
  const width = elementCount(writer.shapeOfWeight(mean));
  const filled = (value: number): string => writer.numbers(Array.from({ length: width }, () => value));
  const inputs = [x.name, gamma ?? filled(1), beta ?? filled(0), mean, variance];
  const attributes = {
    epsilon: { float: writer.number("epsilon", 1e-3) },
    momentum: { float: writer.number("momentum", 0.99) },
  };
  return { ...x, name: writer.node("BatchNormalization", inputs, attributes) };
});

const layerNormalisation = one((writer, given) => {
  const x = writer.last(given);
  const axis = writer.setting("axis", -1);
  const place = Array.isArray(axis) && axis.length === 1 ? axis[0] : axis;
  if (place !== -1 && place !== x.rank - 1) writer.fail("axis must be the last", JSON.stringify(axis));
  if (!writer.truth("scale", true) || !writer.truth("center", true))
    writer.fail("scale and center must be true", "false");
  const inputs = [x.name, writer.weight("gamma", rank(1)), writer.weight("beta", rank(1))];
  return {
    ...x,
    name: writer.node("LayerNormalization", inputs, { epsilon: { float: writer.number("epsilon", 1e-3) } }),
  };
});

const dropout = one((writer, x) => ({
  ...x,
  name: writer.node("Dropout", [x.name, writer.numbers([writer.number("rate", 0)])]),
}));

/** Layers that join tensors element by element. */
const merged =
  (operator: string): LayerRule =>
  (writer, inputs) => {
    const [first] = inputs;
    if (inputs.length < 2) writer.fail("there must be several inputs", String(inputs.length));
    const alike = inputs.every((x) => x.channels === first.channels && x.rank === first.rank);
    const sides = alike ? inputs : inputs.map((x) => writer.last(x));
    return {
      ...sides[0],
      name: writer.node(
        operator,
        sides.map(({ name }) => name),
      ),
      rank: Math.max(...inputs.map((x) => x.rank)),
    };
  };

const concatenated: LayerRule = (writer, inputs) => {
  const [first] = inputs;
  const axis = writer.whole("axis", -1);
  const counted = axis < 0 ? axis + first.rank : axis;
  const pictures = inputs.every((x) => x.channels === "first") && counted === first.rank - 1;
  const sides = pictures ? inputs : inputs.map((x) => writer.last(x));
  const along = { axis: { whole: pictures ? 1 : counted } };
  return {
    ...sides[0],
    name: writer.node(
      "Concat",
      sides.map(({ name }) => name),
      along,
    ),
  };
};

const flatten = one((writer, given) => {
  const x = writer.last(given);
  return { name: writer.node("Flatten", [x.name], { axis: { whole: 1 } }), rank: 2, channels: "last" };
});

const reshape = one((writer, given) => {
  const x = writer.last(given);
  const target = writer.wholeList("target_shape", []);
  return {
    name: writer.node("Reshape", [x.name, writer.wholes([0, ...target])]),
    rank: target.length + 1,
    channels: "last",
  };
});

const permute = one((writer, given) => {
  const x = writer.last(given);
  return { ...x, name: writer.node("Transpose", [x.name], { perm: { wholes: [0, ...writer.wholeList("dims", [])] } }) };
});

const zeroPadding = one((writer, given) => {
  const x = writer.first(given);
  writer.expect("data_format", "channels_last");
  const padding = writer.setting("padding", 1);
  const pairs = [0, 1].map((axis) => {
    const own = Array.isArray(padding) ? padding[axis] : padding;
    return Array.isArray(own) ? own : [own, own];
  });
  if (!pairs.flat().every((margin) => Number.isSafeInteger(margin) && margin >= 0)) {
    writer.fail("padding must be whole numbers", JSON.stringify(padding));
  }
  const [[top, bottom], [left, right]] = pairs;
  return { ...x, name: writer.node("Pad", [x.name, writer.wholes([0, 0, top, left, 0, 0, bottom, right])]) };
});

const upSampling = one((writer, given) => {
  const x = writer.first(given);
  writer.expect("data_format", "channels_last");
  const scales = writer.numbers([1, 1, ...writer.wholeList("size", [2, 2])]);
  const interpolation = writer.setting("interpolation", "nearest");
  if (interpolation !== "nearest" && interpolation !== "bilinear") {
    writer.fail('interpolation must be "nearest" or "bilinear"', JSON.stringify(interpolation));
  }
  const how: Readonly<Record<string, Given>> =
    interpolation === "bilinear"
      ? { mode: { text: "linear" } }
      : { coordinate_transformation_mode: { text: "asymmetric" }, nearest_mode: { text: "floor" } };
  return { ...x, name: writer.node("Resize", [x.name, "", scales], how) };
});

const embedding = one((writer, x) => {
  writer.expect("mask_zero", false);
  const table = writer.weight("embeddings", rank(2));
  return { name: writer.node("Gather", [table, x.name]), rank: x.rank + 1, channels: "last" };
});

const rescaling = one((writer, x) => {
  const scaled = writer.node("Mul", [x.name, writer.numbers([writer.number("scale", 1)])]);
  return { ...x, name: writer.node("Add", [scaled, writer.numbers([writer.number("offset", 0)])]) };
});

/** Activations that are layers of their own. */
const slope = (setting: string, other: string, otherwise: number): LayerRule =>
  one((writer, x) => {
    const alpha = writer.number(setting, writer.number(other, otherwise));
    return { ...x, name: writer.node("LeakyRelu", [x.name], { alpha: { float: alpha } }) };
  });

const rectified = one((writer, x) => {
  const most = writer.setting("max_value", null);
  writer.expect("negative_slope", 0);
  writer.expect("threshold", 0);
  if (most === null) return activate(writer, x, "relu");
  const bounds = [writer.numbers([0]), writer.numbers([writer.number("max_value", 0)])];
  return { ...x, name: writer.node("Clip", [x.name, ...bounds]) };
});

const softmax = one((writer, x) => {
  writer.expect("axis", -1);
  return activate(writer, x, "softmax");
});

const same = one((_, x) => x);

/** The rule of each layer that can be imported, by its class. */
export const layerRules: Readonly<Record<string, LayerRule>> = {
  Activation: one((writer, x) => activate(writer, x, writer.setting("activation"))),
  ActivityRegularization: same,
  Add: merged("Add"),
  Average: merged("Mean"),
  AveragePooling1D: pool("AveragePool", 1),
  AveragePooling2D: pool("AveragePool", 2),
  BatchNormalization: batchNormalisation,
  Concatenate: concatenated,
  Conv1D: convolution(1),
  Conv2D: convolution(2),
  Conv2DTranspose: transposedConvolution,
  Dense: dense,
  DepthwiseConv2D: depthwiseConvolution,
  Dropout: dropout,
  ELU: one((writer, x) => ({
    ...x,
    name: writer.node("Elu", [x.name], { alpha: { float: writer.number("alpha", 1) } }),
  })),
  Embedding: embedding,
  Flatten: flatten,
  GlobalAveragePooling1D: globalPool("GlobalAveragePool"),
  GlobalAveragePooling2D: globalPool("GlobalAveragePool"),
  GlobalMaxPooling1D: globalPool("GlobalMaxPool"),
  GlobalMaxPooling2D: globalPool("GlobalMaxPool"),
  LayerNormalization: layerNormalisation,
  LeakyReLU: slope("negative_slope", "alpha", 0.3),
  MaxPooling1D: pool("MaxPool", 1),
  MaxPooling2D: pool("MaxPool", 2),
  Maximum: merged("Max"),
  Minimum: merged("Min"),
  Multiply: merged("Mul"),
  Permute: permute,
  ReLU: rectified,
  Rescaling: rescaling,
  Reshape: reshape,
  SeparableConv2D: separableConvolution,
  Softmax: softmax,
  Subtract: merged("Sub"),
  UpSampling2D: upSampling,
  ZeroPadding2D: zeroPadding,
  ...recurrentLayers,
};
