import type { Value } from "../../../ir/index.ts";
import { formatShape } from "../../../tensor/index.ts";
import type { NodeContext } from "../node-context.ts";
import { constantOperand } from "../operand.ts";
import { gatherRows, rowsOf } from "./along-axis.ts";
import { axesOf, givesValue, mostElements, type Rule } from "./rule.ts";

/** Where an element of the result lies among the data's, by the ways that ONNX names; `scale` is out / in. */
const coordinates: Readonly<Record<string, (place: number, scale: number, from: number, to: number) => number>> = {
  half_pixel: (place, scale) => (place + 0.5) / scale - 0.5,
  half_pixel_symmetric(place, scale, from, to) {
    // The result's centre lies on the data's, although its extent is a whole number.
    const offset = (from / 2) * (1 - to / (scale * from));
    return offset + (place + 0.5) / scale - 0.5;
  },
  pytorch_half_pixel: (place, scale, _, to) => (to > 1 ? (place + 0.5) / scale - 0.5 : 0),
  // By the extent that the scale asks for, which need not be whole.
  align_corners: (place, scale, from, to) => (to > 1 ? (place * (from - 1)) / (scale * from - 1) : 0),
  asymmetric: (place, scale) => place / scale,
};

const nearest: Readonly<Record<string, (place: number) => number>> = {
  round_prefer_floor: (place) => Math.ceil(place - 0.5),
  round_prefer_ceil: (place) => Math.floor(place + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Rows of one axis, by the nearest place or in between the two around it. */
function resizeAxis(node: NodeContext, x: Value, axis: number, places: readonly number[]): Value {
  const extent = x.type.shape[axis];
  const inside = (place: number): number => Math.min(Math.max(place, 0), extent - 1);
  const name = `${node.node.outputs[0]}.rows${axis}`;
  const rows = (which: readonly number[], own: string): Value =>
    gatherRows(node, x, axis, rowsOf(node, which.map(inside), [which.length], own));
  if (node.text("mode", "nearest") === "nearest") {
    const mode = node.text("nearest_mode", "round_prefer_floor");
    if (!Object.hasOwn(nearest, mode)) node.fail("nearest_mode must be known", `"${mode}"`);
    return rows(places.map(nearest[mode]), name);
  }
  const low = places.map(Math.floor);
  const share = places.map((place, index) => place - low[index]);
  const weighted = (value: Value, shares: readonly number[], side: 0 | 1): Value => {
    const constant = { shape: [shares.length], real: true, data: Float64Array.from(shares) };
    // Constants are numbered by inputs: these come behind the operator's four, two for each axis.
    const factors = node.asValue(constantOperand(constant), 4 + 2 * axis + side);
    return node.apply("scaleAlong", [value, factors], { axis });
  };
  const below = weighted(
    rows(low, name),
    share.map((part) => 1 - part),
    0,
  );
  const above = weighted(
    rows(
      low.map((place) => place + 1),
      `${name}.next`,
    ),
    share,
    1,
  );
  return node.apply("add", [below, above]);
}

/** Pictures enlarged or made smaller, axis by axis. */
function resize(node: NodeContext): Value {
  const x = node.value(0);
  const { shape } = x.type;
  const refuse = (rule: string, got: string): never => node.fail(rule, got, "resize without it, or before the model");
  const mode = node.text("mode", "nearest");
  if (mode !== "nearest" && mode !== "linear") refuse("mode must be nearest or linear", `"${mode}"`);
  const way = node.text("coordinate_transformation_mode", "half_pixel");
  if (!Object.hasOwn(coordinates, way)) refuse("coordinate_transformation_mode must be known", `"${way}"`);
  if (node.whole("antialias", 0) !== 0) refuse("antialias must be 0", "1");
  const policy = node.text("keep_aspect_ratio_policy", "stretch");
  if (policy !== "stretch") refuse("keep_aspect_ratio_policy must be stretch", `"${policy}"`);
  const axes = node.axes(node.wholeList("axes", axesOf(shape.length)), shape.length);
  const sizes = node.has(3) ? node.wholes(3, []) : [];
  const scales = sizes.length > 0 ? axes.map((axis, index) => sizes[index] / shape[axis]) : node.wholes(2, []);
  if (scales.length !== axes.length || !scales.every((scale) => scale > 0 && Number.isFinite(scale))) {
    refuse("there must be a scale or a size for each axis", formatShape(sizes.length > 0 ? sizes : scales));
  }
  return axes.reduce((value, axis, index) => {
    const from = shape[axis];
    const to = sizes[index] ?? Math.floor(from * scales[index]);
    if (to === from && scales[index] === 1) return value;
    if (!(to >= 1 && to <= mostElements)) refuse(`extents must be from 1 to ${mostElements}`, String(to));
    const places = Array.from({ length: to }, (_, place) => coordinates[way](place, scales[index], from, to));
    return resizeAxis(node, value, axis, places);
  }, x);
}

/** Rules of operators that make pictures larger or smaller. */
export const resizeRules: Readonly<Record<string, Rule>> = { Resize: givesValue(resize) };
