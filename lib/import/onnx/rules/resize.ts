import type { Value } from "../../../ir/index.ts";
import { formatShape } from "../../../tensor/index.ts";
import type { NodeContext } from "../node-context.ts";
import { constantOperand } from "../operand.ts";
import { gatherRows, rowsOf } from "./along-axis.ts";
import { axesOf, givesValue, mostElements, mostPieces, type Rule } from "./rule.ts";

/** How one axis is resized: from one extent to another, and which part of the data the result shows. */
interface AxisResize {
  readonly from: number;
  readonly to: number;
  /** out / in, as the node says it; the result's extent is rounded. */
  readonly scale: number;
  readonly part: readonly [start: number, end: number];
}

/** Where an element of the result lies among the data's, by the ways that ONNX names. */
const coordinates: Readonly<Record<string, (place: number, axis: AxisResize) => number>> = {
  half_pixel: (place, { scale }) => (place + 0.5) / scale - 0.5,
  half_pixel_symmetric(place, { scale, from, to }) {
    // The result's centre lies on the data's, although its extent is a whole number.
    const offset = (from / 2) * (1 - to / (scale * from));
    return offset + (place + 0.5) / scale - 0.5;
  },
  pytorch_half_pixel: (place, { scale, to }) => (to > 1 ? (place + 0.5) / scale - 0.5 : 0),
  // By the extent that the scale asks for, which need not be whole.
  align_corners: (place, { scale, from, to }) => (to > 1 ? (place * (from - 1)) / (scale * from - 1) : 0),
  asymmetric: (place, { scale }) => place / scale,
  tf_crop_and_resize: (place, { scale, from, to, part: [start, end] }) =>
    start * (from - 1) +
    (to > 1 ? (place * (end - start) * (from - 1)) / (scale * from - 1) : ((end - start) * (from - 1)) / 2),
};

const nearest: Readonly<Record<string, (place: number) => number>> = {
  round_prefer_floor: (place) => Math.ceil(place - 0.5),
  round_prefer_ceil: (place) => Math.floor(place + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** How much an element counts at a distance, in elements, from the place that is asked for. */
interface Kernel {
  readonly weight: (distance: number) => number;
  /** Beyond this distance nothing counts. */
  readonly reach: number;
}

const triangle: Kernel = { weight: (distance) => Math.max(0, 1 - Math.abs(distance)), reach: 1 };

/** Keys, "Cubic convolution interpolation for digital image processing", 1981; `a` is the slope at distance 1. */
function cubic(a: number): Kernel {
  return {
    reach: 2,
    weight(distance) {
      const x = Math.abs(distance);
      if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
    },
  };
}

/** For each element of the result, which of the data's count, and how much: every element has equally many. */
type Taps = readonly (readonly { readonly place: number; readonly weight: number }[])[];

function interpolated(
  places: readonly number[],
  kernel: Kernel,
  stretch: number,
  extent: number,
  onlyInside: boolean,
): Taps {
  const reach = kernel.reach * stretch;
  const count = 2 * Math.ceil(reach);
  return places.map((place) => {
    const first = Math.floor(place) - count / 2 + 1;
    const taps = Array.from({ length: count }, (_, index) => {
      const at = first + index;
      const outside = onlyInside && (at < 0 || at >= extent);
      return { place: at, weight: outside ? 0 : kernel.weight((at - place) / stretch) };
    });
    const sum = taps.reduce((total, { weight }) => total + weight, 0);
    return taps.map(({ place: at, weight }) => ({ place: at, weight: weight / sum }));
  });
}

/** Rows of one axis as sums of the data's; where a place counts as outside, a number stands instead. */
function resizeAxis(
  node: NodeContext,
  x: Value,
  axis: number,
  taps: Taps,
  outside: readonly boolean[],
  instead: number,
  vector: (values: readonly number[]) => Value,
): Value {
  const extent = x.type.shape[axis];
  const inside = (place: number): number => Math.min(Math.max(place, 0), extent - 1);
  const name = `${node.node.outputs[0]}.rows${axis}`;
  const count = taps[0].length;
  const tap = (index: number): Value => {
    const places = taps.map((each) => inside(each[index].place));
    const rows = gatherRows(node, x, axis, rowsOf(node, places, [places.length], `${name}.${index}`));
    const weights = taps.map((each, place) => (outside[place] ? 0 : each[index].weight));
    if (weights.every((weight) => weight === 1)) return rows;
    return node.apply("scaleAlong", [rows, vector(weights)], { axis });
  };
  let sum = tap(0);
  for (let index = 1; index < count; index++) sum = node.apply("add", [sum, tap(index)]);
  if (instead === 0 || !outside.includes(true)) return sum;
  const rest = vector(outside.map((is) => (is ? instead : 0)));
  return node.apply("addBias", [sum, rest], { axis });
}

/** The extents that come out and the scales, of the axes that are resized. */
function targets(node: NodeContext, shape: readonly number[], axes: readonly number[]) {
  const sizes = node.has(3) ? node.wholes(3, []) : [];
  const given = sizes.length > 0 ? sizes.map((size, index) => size / shape[axes[index]]) : node.wholes(2, []);
  if (given.length !== axes.length || !given.every((scale) => scale > 0 && Number.isFinite(scale))) {
    node.fail("there must be a scale or a size for each axis", formatShape(sizes.length > 0 ? sizes : given));
  }
  const policy = node.text("keep_aspect_ratio_policy", "stretch");
  if (sizes.length === 0)
    return axes.map((axis, index) => ({ to: Math.floor(shape[axis] * given[index]), scale: given[index] }));
  if (policy === "stretch") return sizes.map((to, index) => ({ to, scale: given[index] }));
  if (policy !== "not_larger" && policy !== "not_smaller") {
    node.fail("keep_aspect_ratio_policy must be stretch, not_larger or not_smaller", `"${policy}"`);
  }
  const scale = policy === "not_larger" ? Math.min(...given) : Math.max(...given);
  return axes.map((axis) => ({ to: Math.floor(scale * shape[axis] + 0.5), scale }));
}

/** Pictures enlarged or made smaller, axis by axis. */
function resize(node: NodeContext): Value {
  const x = node.value(0);
  const { shape } = x.type;
  const mode = node.text("mode", "nearest");
  if (!["nearest", "linear", "cubic"].includes(mode)) node.fail("mode must be nearest, linear or cubic", `"${mode}"`);
  const way = node.text("coordinate_transformation_mode", "half_pixel");
  if (!Object.hasOwn(coordinates, way)) node.fail("coordinate_transformation_mode must be known", `"${way}"`);
  const rounding = node.text("nearest_mode", "round_prefer_floor");
  if (!Object.hasOwn(nearest, rounding)) node.fail("nearest_mode must be known", `"${rounding}"`);
  const kernel = mode === "cubic" ? cubic(node.float("cubic_coeff_a", -0.75)) : triangle;
  const axes = node.axes(node.wholeList("axes", axesOf(shape.length)), shape.length);
  const crop = way === "tf_crop_and_resize";
  const parts = crop ? node.wholes(1, []) : [];
  if (crop && parts.length !== 2 * axes.length)
    node.fail("roi must have a start and an end for each axis", formatShape(parts));
  // Constants are numbered by inputs: these come behind the operator's four.
  let constants = 4;
  const vector = (values: readonly number[]): Value =>
    node.asValue(constantOperand({ shape: [values.length], real: true, data: Float64Array.from(values) }), constants++);
  return targets(node, shape, axes).reduce((value, { to, scale }, index) => {
    const axis = axes[index];
    const from = shape[axis];
    const part = crop ? ([parts[index], parts[index + axes.length]] as const) : ([0, 1] as const);
    if (to === from && scale === 1 && part[0] === 0 && part[1] === 1) return value;
    if (!(to >= 1 && to <= mostElements)) node.fail(`extents must be from 1 to ${mostElements}`, String(to));
    // Where fewer elements come out than go in, each stands for those around it.
    const stretch = node.whole("antialias", 0) !== 0 && scale < 1 ? 1 / scale : 1;
    if (kernel.reach * stretch * to > mostPieces)
      node.fail("antialiasing must not look at too many elements", `${from} to ${to}`);
    const places = Array.from({ length: to }, (_, place) => coordinates[way](place, { from, to, scale, part }));
    const taps =
      mode === "nearest"
        ? places.map((place) => [{ place: nearest[rounding](place), weight: 1 }])
        : interpolated(places, kernel, stretch, from, node.whole("exclude_outside", 0) !== 0);
    const outside = places.map((place) => crop && (place < 0 || place > from - 1));
    return resizeAxis(node, value, axis, taps, outside, node.float("extrapolation_value", 0), vector);
  }, x);
}

/** Rules of operators that make pictures larger or smaller. */
export const resizeRules: Readonly<Record<string, Rule>> = { Resize: givesValue(resize) };
