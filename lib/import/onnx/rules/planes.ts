import type { Value } from "../../../ir/index.ts";
import type { NodeContext } from "../node-context.ts";
import { givesValue, type Rule } from "./rule.ts";
import { type NodeWindow, overRow, pictures, unflatten, windowOf, withMargin } from "./windows.ts";

const anyMargin = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];

/** The window of a node over pictures, or over sequences that have become pictures of one row. */
function pictureWindow(
  node: NodeContext,
  extents: readonly number[],
  kernel: readonly number[],
  flat: boolean,
): NodeWindow {
  return flat ? overRow(windowOf(node, extents.slice(1), kernel.slice(1))) : windowOf(node, extents, kernel);
}

function convolution(node: NodeContext): Value {
  const { x, flat } = pictures(node, node.value(0));
  const weight = pictures(node, node.value(1)).x;
  const extents = x.type.shape.slice(2);
  const kernel = weight.type.shape.slice(2);
  const window = pictureWindow(node, extents, kernel, flat);
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
  const window = pictureWindow(node, extents, kernel, flat);
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
  Conv: givesValue(convolution),
  ConvTranspose: givesValue(transposedConvolution),
  DepthToSpace: givesValue(depthToSpace),
  GlobalAveragePool: global("mean"),
  GlobalMaxPool: global("max"),
  LRN: givesValue(localResponseNorm),
  SpaceToDepth: givesValue(spaceToDepth),
};
