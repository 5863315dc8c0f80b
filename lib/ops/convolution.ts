import { type Attributes, type Constraint, type Cost, defineOperator, type Require, type Value } from "../ir/index.ts";
import { bytesOf, elementCount, formatShape, formatTypes, isFloat, type TensorType } from "../tensor/index.ts";
import { forEachInWindow, isWindow, type Window, windowAttributes, windowConstraint, windowsOver } from "./window.ts";

// Pictures x are [samples, channels, height, width], filters w [filters, channels / groups, height, width], maps y
// [samples, filters, height, width]. The three operators compute one of x, w and y from the other two by the same sum of
// products, so that the gradients of each are the other two.

const settings = { ...windowAttributes, dilation: { kind: "numbers", default: [1, 1] } } as const;
const attributes = { ...settings, groups: { kind: "number", default: 1 } } as const;

interface Settings {
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

const constraints: Readonly<Record<string, Constraint>> = {
  C1: { rule: "there must be two operands of one float dtype and rank 4", remedy: "give [samples, channels, h, w]" },
  C2: windowConstraint,
  C3: {
    rule: "groups must divide channels and filters, and each filter must have channels / groups",
    remedy: "change the number of filters, their channels or the groups",
  },
  C4: {
    rule: "the windows over the padded pictures must make the maps' extents, which must be at least 1",
    remedy: "use a smaller kernel or more padding, or correct the extents",
  },
};

interface Sides {
  /** Pictures, filters, maps. */
  readonly x: TensorType;
  readonly w: TensorType;
  readonly y: TensorType;
}

function checkOperands(inputs: readonly TensorType[], require: Require): string {
  const got = formatTypes(inputs);
  const fits = inputs.length === 2 && inputs.every(({ dtype, shape }) => isFloat(dtype) && shape.length === 4);
  require(fits && inputs[0].dtype === inputs[1].dtype, "C1", () => got);
  return got;
}

const windowOf = (kernel: readonly number[], { stride, padding, dilation }: Settings): Window => ({
  kernel,
  stride,
  padding,
  dilation,
});

/** Checks what all three operators ask of pictures, filters and maps together. */
function checkSides({ x, w, y }: Sides, settings: Settings, require: Require, got: string): void {
  const { groups } = settings;
  const [, channels, ...size] = x.shape;
  const [filters, perGroup, ...kernel] = w.shape;
  const whole = Number.isInteger(groups) && groups >= 1 && filters % groups === 0 && channels % groups === 0;
  require(whole && perGroup * groups === channels && y.shape[1] === filters, "C3", () => `${got}, groups ${groups}`);
  const made = windowsOver(size, windowOf(kernel, settings));
  const same = made.every((extent, axis) => extent >= 1 && extent === y.shape[axis + 2]);
  require(same && x.shape[0] === y.shape[0], "C4", () => `${got}, windows ${formatShape(made)}`);
}

/** Calls `visit` for each product of the sum: places of its element of x, of w and of y. */
function forEachProduct(
  { x, w, y }: Sides,
  settings: Settings,
  visit: (x: number, w: number, y: number) => void,
): void {
  const [samples, channels, height, width] = x.shape;
  const [filters, perGroup, ...kernel] = w.shape;
  const [, , rows, columns] = y.shape;
  const filtersPerGroup = filters / settings.groups;
  const window = windowOf(kernel, settings);
  for (let sample = 0; sample < samples; sample++) {
    for (let filter = 0; filter < filters; filter++) {
      const firstChannel = Math.floor(filter / filtersPerGroup) * perGroup;
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const inY = ((sample * filters + filter) * rows + row) * columns + column;
          for (let channel = 0; channel < perGroup; channel++) {
            const plane = (sample * channels + firstChannel + channel) * height * width;
            const weights = (filter * perGroup + channel) * kernel[0] * kernel[1];
            forEachInWindow([row, column], [height, width], window, (inPlane, inKernel) => {
              visit(plane + inPlane, weights + inKernel, inY);
            });
          }
        }
      }
    }
  }
}

/** Two operations for each product, those with the margin included, as is usual. */
function cost({ x, w, y }: Sides): Cost {
  return {
    flops: 2 * elementCount(y.shape) * elementCount(w.shape.slice(1)),
    bytes: bytesOf(x) + bytesOf(w) + bytesOf(y),
  };
}

const kept = ({ stride, padding, dilation, groups }: Settings): Attributes & Settings => ({
  stride,
  padding,
  dilation,
  groups,
});

/** Filters moved over pictures: cross-correlation, which networks call convolution. */
export const convolution2d = defineOperator({
  name: "convolution2d",
  summary: "for pictures [n,c,h,w] and filters [f,c/groups,kh,kw]: maps [n,f,…], each element a window times a filter",
  constraints,
  attributes,
  inferTypes(inputs, settings, require) {
    const got = checkOperands(inputs, require);
    const [x, w] = inputs;
    const window = windowOf(w.shape.slice(2), settings);
    require(isWindow(window), "C2", () => `${got}, stride ${formatShape(settings.stride)}`);
    const shape = [x.shape[0], w.shape[0], ...windowsOver(x.shape.slice(2), window)];
    const y = { dtype: x.dtype, shape };
    checkSides({ x, w, y }, settings, require, got);
    return [y];
  },
  compute([x, w], [y], settings) {
    // Sums are kept in double precision: the oracle should be the more exact side of a comparison.
    const sums = new Float64Array(y.data.length);
    forEachProduct({ x, w, y }, settings, (inX, inW, inY) => {
      sums[inY] += x.data[inX] * w.data[inW];
    });
    y.data.set(sums);
  },
  gradient({ builder, inputs: [x, w], attributes, outputGradients, wanted }) {
    const g = outputGradients[0] as Value;
    const size = x.type.shape.slice(2);
    const kernel = w.type.shape.slice(2);
    return [
      wanted[0] ? builder.apply("convolution2dInputGradient", [g, w], { ...kept(attributes), size }) : null,
      wanted[1] ? builder.apply("convolution2dWeightGradient", [x, g], { ...kept(attributes), kernel }) : null,
    ];
  },
  cost: ([x, w], [y]) => cost({ x, w, y }),
  inPlace: [],
});

/** The gradient of a convolution with respect to its pictures: the transposed convolution. */
export const convolution2dInputGradient = defineOperator({
  name: "convolution2dInputGradient",
  summary: "for maps [n,f,…] and filters [f,c/groups,kh,kw]: pictures [n,c,size], the transpose of convolution2d",
  constraints,
  attributes: { ...attributes, size: { kind: "numbers" } },
  inferTypes(inputs, settings, require) {
    const got = checkOperands(inputs, require);
    const [y, w] = inputs;
    const { size, groups } = settings;
    const window = windowOf(w.shape.slice(2), settings);
    require(isWindow(window), "C2", () => `${got}, stride ${formatShape(settings.stride)}`);
    const x = { dtype: y.dtype, shape: [y.shape[0], w.shape[1] * groups, ...size] };
    require(size.length === 2 && size.every((extent) => Number.isInteger(extent)), "C4", () =>
      `${got}, size ${formatShape(size)}`);
    checkSides({ x, w, y }, settings, require, got);
    return [x];
  },
  compute([y, w], [x], settings) {
    const sums = new Float64Array(x.data.length);
    forEachProduct({ x, w, y }, settings, (inX, inW, inY) => {
      sums[inX] += y.data[inY] * w.data[inW];
    });
    x.data.set(sums);
  },
  gradient({ builder, inputs: [y, w], attributes, outputGradients, wanted }) {
    const g = outputGradients[0] as Value;
    const kernel = w.type.shape.slice(2);
    return [
      wanted[0] ? builder.apply("convolution2d", [g, w], kept(attributes)) : null,
      wanted[1] ? builder.apply("convolution2dWeightGradient", [g, y], { ...kept(attributes), kernel }) : null,
    ];
  },
  cost: ([y, w], [x]) => cost({ x, w, y }),
  inPlace: [],
});

/** The gradient of a convolution with respect to its filters. */
export const convolution2dWeightGradient = defineOperator({
  name: "convolution2dWeightGradient",
  summary: "for pictures [n,c,h,w] and maps [n,f,…]: filters [f,c/groups,kernel], sums over all windows",
  constraints,
  attributes: { ...attributes, kernel: { kind: "numbers" } },
  inferTypes(inputs, settings, require) {
    const got = checkOperands(inputs, require);
    const [x, y] = inputs;
    const { kernel, groups } = settings;
    const window = windowOf(kernel, settings);
    require(isWindow(window), "C2", () => `${got}, kernel ${formatShape(kernel)}`);
    const w = { dtype: x.dtype, shape: [y.shape[1], Math.floor(x.shape[1] / groups), ...kernel] };
    checkSides({ x, w, y }, settings, require, got);
    return [w];
  },
  compute([x, y], [w], settings) {
    const sums = new Float64Array(w.data.length);
    forEachProduct({ x, w, y }, settings, (inX, inW, inY) => {
      sums[inW] += x.data[inX] * y.data[inY];
    });
    w.data.set(sums);
  },
  gradient({ builder, inputs: [x, y], attributes, outputGradients, wanted }) {
    const g = outputGradients[0] as Value;
    const size = x.type.shape.slice(2);
    return [
      wanted[0] ? builder.apply("convolution2dInputGradient", [y, g], { ...kept(attributes), size }) : null,
      wanted[1] ? builder.apply("convolution2d", [x, g], kept(attributes)) : null,
    ];
  },
  cost: ([x, y], [w]) => cost({ x, w, y }),
  inPlace: [],
});
