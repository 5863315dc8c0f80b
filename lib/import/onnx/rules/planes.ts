import type { Value } from "../../../ir/index.ts";
import { formatShape } from "../../../tensor/index.ts";
import type { NodeContext } from "../node-context.ts";
import { givesValue, type Rule } from "./rule.ts";

/** How a window goes over a plane, as a node says it; `before` and `after` are margins. */
interface NodeWindow {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Pictures [n,c,h,w]; of sequences [n,c,w] a plane one element high is made. */
function pictures(node: NodeContext, value: Value): { readonly x: Value; readonly flat: boolean } {
  const { shape } = value.type;
  if (shape.length === 4) return { x: value, flat: false };
  if (shape.length === 3) return { x: node.reshape(value, [shape[0], shape[1], 1, shape[2]]), flat: true };
  return node.fail("data must be [n,c,w] or [n,c,h,w]", formatShape(shape));
}

function unflatten(node: NodeContext, value: Value, flat: boolean): Value {
  const { shape } = value.type;
  return flat ? node.reshape(value, [shape[0], shape[1], shape[3]]) : value;
}

/** The window of a node, with `auto_pad` and `ceil_mode` worked out for the extents at hand. */
function windowOf(node: NodeContext, extents: readonly number[], given: readonly number[], flat: boolean): NodeWindow {
  const two = (values: readonly number[], filler: number): readonly number[] => (flat ? [filler, ...values] : values);
  const ones = given.map(() => 1);
  const kernel = two(given, 1);
  const stride = two(node.wholeList("strides", ones), 1);
  const dilation = two(node.wholeList("dilations", ones), 1);
  const pads = node.wholeList("pads", [...given.map(() => 0), ...given.map(() => 0)]);
  let before = two(pads.slice(0, given.length), 0);
  let after = two(pads.slice(given.length), 0);
  const all = [kernel, stride, dilation, before, after];
  if (all.some((values) => values.length !== 2 || values.some((value) => value < 0 || value > 2 ** 24))) {
    node.fail("kernel, strides, dilations and pads must be given for each direction", all.map(formatShape).join(" "));
  }
  const reach = kernel.map((extent, axis) => (extent - 1) * dilation[axis] + 1);
  const automatic = node.text("auto_pad", "NOTSET");
  if (automatic === "SAME_UPPER" || automatic === "SAME_LOWER") {
    const total = extents.map((extent, axis) => {
      const windows = Math.ceil(extent / stride[axis]);
      return Math.max(0, (windows - 1) * stride[axis] + reach[axis] - extent);
    });
    const less = total.map((margin) => Math.floor(margin / 2));
    const more = total.map((margin, axis) => margin - less[axis]);
    [before, after] = automatic === "SAME_UPPER" ? [less, more] : [more, less];
  }
  if (node.whole("ceil_mode", 0) !== 0) {
    after = after.map((margin, axis) => {
      const free = extents[axis] + before[axis] + margin - reach[axis];
      const windows = Math.ceil(free / stride[axis]) + 1;
      // A window that begins in the margin behind the data is left out.
      const counted = (windows - 1) * stride[axis] >= extents[axis] + before[axis] ? windows - 1 : windows;
      return Math.max(margin, (counted - 1) * stride[axis] + reach[axis] - extents[axis] - before[axis]);
    });
  }
  return { kernel, stride, dilation, before, after };
}

/** The margin as one that both sides share, if they are alike and `most` allows it; otherwise it is added before. */
function withMargin(
  node: NodeContext,
  x: Value,
  { before, after }: NodeWindow,
  value: number,
  most: readonly number[],
): { readonly x: Value; readonly padding: readonly number[] } {
  const even = before.every((margin, axis) => margin === after[axis] && margin <= most[axis]);
  if (even) return { x, padding: before };
  const padded = node.apply("pad", [x], { before: [0, 0, ...before], after: [0, 0, ...after], value });
  return { x: padded, padding: [0, 0] };
}

const anyMargin = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];

function convolution(node: NodeContext): Value {
  const { x, flat } = pictures(node, node.value(0));
  const weight = pictures(node, node.value(1)).x;
  const extents = x.type.shape.slice(2);
  const kernel = weight.type.shape.slice(2);
  const window = windowOf(node, extents, flat ? kernel.slice(1) : kernel, flat);
  const { x: padded, padding } = withMargin(node, x, window, 0, anyMargin);
  const { stride, dilation } = window;
  const maps = node.apply("convolution2d", [padded, weight], {
    stride,
    dilation,
    padding,
    groups: node.whole("group", 1),
  });
  return unflatten(node, withBias(node, maps), flat);
}

function withBias(node: NodeContext, maps: Value): Value {
  return node.has(2) ? node.apply("addBias", [maps, node.value(2)], { axis: 1 }) : maps;
}

/** The margins of a transposed convolution, as `pads` or worked out from the extents that are to come out. */
function transposedMargins(
  node: NodeContext,
  window: NodeWindow,
  extents: readonly number[],
  added: readonly number[],
) {
  const { kernel, stride, dilation } = window;
  const reach = extents.map(
    (extent, axis) => (extent - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1 + added[axis],
  );
  const automatic = node.text("auto_pad", "NOTSET");
  const given = node.wholeList("output_shape", null);
  if (automatic === "NOTSET" && given === null) return { before: window.before, after: window.after };
  if (automatic === "VALID" && given === null) return { before: extents.map(() => 0), after: extents.map(() => 0) };
  const wanted =
    given === null
      ? extents.map((extent, axis) => extent * stride[axis])
      : [...extents.map(() => 1), ...given].slice(-extents.length);
  const total = wanted.map((extent, axis) => reach[axis] - extent);
  const less = total.map((margin) => Math.floor(margin / 2));
  const more = total.map((margin, axis) => margin - less[axis]);
  // The odd one goes behind for SAME_UPPER, and before otherwise, as the operator's definition has it.
  return automatic === "SAME_UPPER" ? { before: less, after: more } : { before: more, after: less };
}

function transposedConvolution(node: NodeContext): Value {
  const { x, flat } = pictures(node, node.value(0));
  const weight = pictures(node, node.value(1)).x;
  const kernel = weight.type.shape.slice(2);
  const extents = x.type.shape.slice(2);
  const window = windowOf(node, extents, flat ? kernel.slice(1) : kernel, flat);
  const { stride, dilation } = window;
  const extra = node.wholeList(
    "output_padding",
    kernel.slice(flat ? 1 : 0).map(() => 0),
  );
  const added = flat ? [0, ...extra] : extra;
  const { before, after } = transposedMargins(node, window, extents, added);
  // All that the kernel reaches, from which the margins are then cut; a negative margin adds zeros.
  const full = extents.map((extent, axis) => (extent - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1);
  const even = before.every((margin, axis) => margin >= 0 && margin === after[axis] && added[axis] < stride[axis]);
  const padding = even ? before : [0, 0];
  const size = full.map((extent, axis) => (even ? extent - 2 * before[axis] + added[axis] : extent));
  let maps = node.apply("convolution2dInputGradient", [x, weight], {
    stride,
    dilation,
    padding,
    groups: node.whole("group", 1),
    size,
  });
  if (!even) {
    const margins = {
      before: [0, 0, ...before.map((margin) => Math.max(0, -margin))],
      after: [0, 0, ...after.map((margin, axis) => Math.max(0, added[axis] - margin))],
    };
    const longer = node.apply("pad", [maps], margins);
    maps = node.apply("slice", [longer], {
      starts: [0, 0, ...before.map((margin) => Math.max(0, margin))],
      sizes: [
        ...longer.type.shape.slice(0, 2),
        ...full.map((extent, axis) => extent - before[axis] - after[axis] + added[axis]),
      ],
    });
  }
  return unflatten(node, withBias(node, maps), flat);
}

function poolWindow(node: NodeContext, x: Value, flat: boolean): NodeWindow {
  const kernel = node.wholeList("kernel_shape", null) ?? node.fail("kernel_shape must be given", "none");
  const window = windowOf(node, x.type.shape.slice(2), kernel, flat);
  if (window.dilation.some((gap) => gap !== 1)) {
    node.fail("dilations of pooling must be 1", formatShape(window.dilation), "build the model without them");
  }
  return window;
}

const half = (kernel: readonly number[]): readonly number[] => kernel.map((extent) => Math.floor(extent / 2));

function maxPool(node: NodeContext): Value {
  const { x, flat } = pictures(node, node.value(0));
  const window = poolWindow(node, x, flat);
  const { kernel, stride } = window;
  const { x: padded, padding } = withMargin(node, x, window, Number.NEGATIVE_INFINITY, half(kernel));
  return unflatten(node, node.builder.applyAll("maxPool2d", [padded], { kernel, stride, padding })[0], flat);
}

function averagePool(node: NodeContext): Value {
  const { x, flat } = pictures(node, node.value(0));
  const window = poolWindow(node, x, flat);
  const { kernel, stride, before, after } = window;
  const pool = (data: Value, margins: NodeWindow): Value => {
    const { x: padded, padding } = withMargin(node, data, margins, 0, half(kernel));
    return node.apply("averagePool2d", [padded], { kernel, stride, padding });
  };
  const mean = pool(x, window);
  if ([...before, ...after].every((margin) => margin === 0)) return unflatten(node, mean, flat);
  // The margin that counts is divided by as well; what counts is found by pooling ones.
  const extents = x.type.shape.slice(2);
  const pads = node.wholeList("pads", []);
  const counted = node.whole("count_include_pad", 0) !== 0;
  const declared = flat ? [0, pads[0] ?? 0, 0, pads[1] ?? 0] : pads.length === 4 ? pads : [0, 0, 0, 0];
  const inner: NodeWindow = counted
    ? {
        ...window,
        before: before.map((margin, axis) => margin - declared[axis]),
        after: after.map((margin, axis) => margin - declared[axis + 2]),
      }
    : window;
  if (counted && [...inner.before, ...inner.after].every((margin) => margin === 0)) return unflatten(node, mean, flat);
  const size = counted ? extents.map((extent, axis) => extent + declared[axis] + declared[axis + 2]) : extents;
  const share = pool(node.number(1, [1, 1, ...size]), inner);
  return unflatten(node, node.apply("divide", [mean, node.expand(share, mean.type.shape)]), flat);
}

/** One number of each plane, whose axes stay, 1 long. */
function global(operator: string): Rule {
  return givesValue((node) => {
    const x = node.value(0);
    const { shape } = x.type;
    const axes = shape.map((_, axis) => axis).slice(2);
    return node.reshape(node.apply(operator, [x], { axes }), [shape[0], shape[1], ...axes.map(() => 1)]);
  });
}

function localResponseNorm(node: NodeContext): Value {
  const size = node.whole("size", 0);
  return node.apply("localResponseNorm", [node.value(0)], {
    size,
    bias: node.float("bias", 1),
    alpha: node.float("alpha", 1e-4) / size,
    beta: node.float("beta", 0.75),
  });
}

/** Pixels from channels, or back: reshaping and transposing. */
function depthToSpace(node: NodeContext): Value {
  const x = node.value(0);
  const size = node.whole("blocksize", 1);
  const [n, c, h, w] = x.type.shape;
  const columnsFirst = node.text("mode", "DCR") === "DCR";
  const cut = columnsFirst ? [n, size, size, c / size ** 2, h, w] : [n, c / size ** 2, size, size, h, w];
  const order = columnsFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3];
  return node.reshape(node.transpose(node.reshape(x, cut), order), [n, c / size ** 2, h * size, w * size]);
}

function spaceToDepth(node: NodeContext): Value {
  const x = node.value(0);
  const size = node.whole("blocksize", 1);
  const [n, c, h, w] = x.type.shape;
  const order = node.text("mode", "DCR") === "DCR" ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4];
  const cut = node.reshape(x, [n, c, h / size, size, w / size, size]);
  return node.reshape(node.transpose(cut, order), [n, c * size ** 2, h / size, w / size]);
}

/** Rules of operators over pictures. */
export const planeRules: Readonly<Record<string, Rule>> = {
  AveragePool: givesValue(averagePool),
  Conv: givesValue(convolution),
  ConvTranspose: givesValue(transposedConvolution),
  DepthToSpace: givesValue(depthToSpace),
  GlobalAveragePool: global("mean"),
  GlobalMaxPool: global("max"),
  LRN: givesValue(localResponseNorm),
  MaxPool: givesValue(maxPool),
  SpaceToDepth: givesValue(spaceToDepth),
};
