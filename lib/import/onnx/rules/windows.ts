import type { Value } from "../../../ir/index.ts";
import { formatShape } from "../../../tensor/index.ts";
import type { NodeContext } from "../node-context.ts";

/** How a window goes over some axes, as a node says it; `before` and `after` are margins. */
export interface NodeWindow {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** How much of `after` there is only so that a last window fits, which `ceil_mode` asks for. */
  readonly beyond: readonly number[];
}

/** What a window covers of an axis. */
export function reachOf({ kernel, dilation }: NodeWindow): readonly number[] {
  return kernel.map((extent, axis) => (extent - 1) * dilation[axis] + 1);
}

/** The window of a node over axes of some extents, with `auto_pad` and `ceil_mode` worked out for them. */
export function windowOf(node: NodeContext, extents: readonly number[], kernel: readonly number[]): NodeWindow {
  const ones = extents.map(() => 1);
  const none = extents.map(() => 0);
  const stride = node.wholeList("strides", ones);
  const dilation = node.wholeList("dilations", ones);
  const pads = node.wholeList("pads", [...none, ...none]);
  let before = pads.slice(0, extents.length);
  let after = pads.slice(extents.length);
  const all = [kernel, stride, dilation, before, after];
  const fits = (values: readonly number[]): boolean =>
    values.length === extents.length && values.every((value) => value >= 0 && value <= 2 ** 24);
  if (!all.every(fits)) {
    node.fail("kernel, strides, dilations and pads must be given for each direction", all.map(formatShape).join(" "));
  }
  const reach = reachOf({ kernel, stride, dilation, before, after, beyond: none });
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
  if (node.whole("ceil_mode", 0) === 0) return { kernel, stride, dilation, before, after, beyond: none };
  const beyond = after.map((margin, axis) => {
    const free = extents[axis] + before[axis] + margin - reach[axis];
    const windows = Math.ceil(free / stride[axis]) + 1;
    // A window that begins in the margin behind the data is left out.
    const counted = (windows - 1) * stride[axis] >= extents[axis] + before[axis] ? windows - 1 : windows;
    return Math.max(0, (counted - 1) * stride[axis] + reach[axis] - extents[axis] - before[axis] - margin);
  });
  return { kernel, stride, dilation, before, after: after.map((margin, axis) => margin + beyond[axis]), beyond };
}

/** A window with all its lists changed in the same way; `filler` is what each has for an axis that is left as it is. */
export function changed(
  window: NodeWindow,
  change: (values: readonly number[], filler: number) => readonly number[],
): NodeWindow {
  const { kernel, stride, dilation, before, after, beyond } = window;
  return {
    kernel: change(kernel, 1),
    stride: change(stride, 1),
    dilation: change(dilation, 1),
    before: change(before, 0),
    after: change(after, 0),
    beyond: change(beyond, 0),
  };
}

/** A window over one axis as one over pictures of a single row. */
export function overRow(window: NodeWindow): NodeWindow {
  return changed(window, (values, filler) => [filler, ...values]);
}

/** The margin as one that both sides share, if they are alike and `most` allows it; otherwise it is added before. */
export function withMargin(
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

/** Pictures [n,c,h,w]; of sequences [n,c,w] a plane one element high is made. */
export function pictures(node: NodeContext, value: Value): { readonly x: Value; readonly flat: boolean } {
  const { shape } = value.type;
  if (shape.length === 4) return { x: value, flat: false };
  if (shape.length === 3) return { x: node.reshape(value, [shape[0], shape[1], 1, shape[2]]), flat: true };
  return node.fail("data must be [n,c,w] or [n,c,h,w]", formatShape(shape));
}

export function unflatten(node: NodeContext, value: Value, flat: boolean): Value {
  const { shape } = value.type;
  return flat ? node.reshape(value, [shape[0], shape[1], shape[3]]) : value;
}
