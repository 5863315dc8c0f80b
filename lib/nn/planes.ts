import type { Value } from "../ir/index.ts";
import { formatShape } from "../tensor/index.ts";
import { allZeros, chooseInitialiser, type Initialiser, type InitialiserName } from "./initialisers.ts";
import { checkSize, type Layer } from "./layer.ts";

/** A number for both directions, or one for height and one for width. */
export type Extent = number | readonly [height: number, width: number];

/** Settings of a convolution. */
export interface ConvolutionOptions {
  readonly kernel: Extent;
  /** 1 unless told otherwise. */
  readonly stride?: Extent;
  /** Zeros around the picture on each side; 0 unless told otherwise, and `same` keeps the extents at stride 1. */
  readonly padding?: Extent | "same";
  /** Distance of neighbours under the kernel; 1 unless told otherwise. */
  readonly dilation?: Extent;
  /** Channels and filters are cut into so many groups that do not see each other; 1 unless told otherwise. */
  readonly groups?: number;
  /** A name or a function of one's own; `he` unless told otherwise. */
  readonly initialiser?: InitialiserName | Initialiser;
  /** Whether a bias per filter is added; true unless told otherwise. */
  readonly bias?: boolean;
}

/** Settings of a pooling window. */
export interface PoolOptions {
  /** As large as the window unless told otherwise, so that windows lie side by side. */
  readonly stride?: Extent;
  /** 0 unless told otherwise, at most half of the window. */
  readonly padding?: Extent;
}

function pair(layer: string, name: string, extent: Extent, least: number): readonly [number, number] {
  const [height, width] = typeof extent === "number" ? [extent, extent] : extent;
  for (const value of [height, width]) {
    if (!Number.isInteger(value) || value < least) {
      throw new Error(
        `${layer}: ${name} must be whole numbers ≥ ${least}, got ${formatShape([height, width])}; give one number or [height, width]`,
      );
    }
  }
  return [height, width];
}

function checkPictures(layer: string, { type: { shape } }: Value): void {
  if (shape.length === 4) return;
  throw new Error(
    `${layer}: a sample must be [channels, height, width], got ${formatShape(shape.slice(1))} (after the batch axis); put reshape([1, height, width]) before it`,
  );
}

/** Filters moved over pictures, from [batch, channels, height, width] to [batch, filters, …]. */
export function convolution(filters: number, options: ConvolutionOptions): Layer {
  const { stride = 1, padding = 0, dilation = 1, groups = 1, initialiser = "he", bias = true } = options;
  checkSize("convolution", "filters", filters);
  checkSize("convolution", "groups", groups);
  const kernel = pair("convolution", "kernel", options.kernel, 1);
  const gaps = pair("convolution", "dilation", dilation, 1);
  if (padding === "same" && kernel.some((extent) => extent % 2 === 0)) {
    throw new Error(
      `convolution: padding "same" needs an odd kernel, got ${formatShape(kernel)}; give the padding as a number`,
    );
  }
  const attributes = {
    stride: pair("convolution", "stride", stride, 1),
    padding:
      padding === "same"
        ? kernel.map((extent, axis) => (gaps[axis] * (extent - 1)) / 2)
        : pair("convolution", "padding", padding, 0),
    dilation: gaps,
    groups,
  };
  const begin = chooseInitialiser("convolution", initialiser);
  return {
    type: "convolution",
    label: `convolution(${filters}, ${kernel.join("×")})`,
    build({ builder, parameter }, input) {
      checkPictures("convolution", input);
      const channels = input.type.shape[1];
      if (channels % groups !== 0 || filters % groups !== 0) {
        throw new Error(
          `convolution: groups must divide channels and filters, got ${groups} for ${channels} and ${filters}; change one of them`,
        );
      }
      const weight = parameter("weight", [filters, channels / groups, ...kernel], begin);
      const maps = builder.apply("convolution2d", [input, weight], attributes);
      return bias ? builder.apply("addBias", [maps, parameter("bias", [filters], allZeros)], { axis: 1 }) : maps;
    },
  };
}

/** Settings of a transposed convolution. */
export interface TransposedConvolutionOptions extends Omit<ConvolutionOptions, "padding"> {
  /** What is cut off on each side, as a convolution of these settings would have added it; 0 unless told otherwise. */
  readonly padding?: Extent;
  /** Rows and columns added at the end, below the stride, where a convolution would have left out some; 0 as a rule. */
  readonly extra?: Extent;
}

/**
 * What takes maps back to the extents of the pictures that a convolution of the same settings would have made them from
 * (Dumoulin and Visin 2016, chapter 4): from [batch, channels, height, width] to [batch, filters, …], of extents
 * (height − 1) · stride − 2 · padding + dilation · (kernel − 1) + 1 + extra.
 */
export function transposedConvolution(filters: number, options: TransposedConvolutionOptions): Layer {
  const { stride = 1, padding = 0, dilation = 1, extra = 0, groups = 1, initialiser = "he", bias = true } = options;
  const name = "transposedConvolution";
  checkSize(name, "filters", filters);
  checkSize(name, "groups", groups);
  const kernel = pair(name, "kernel", options.kernel, 1);
  const added = pair(name, "extra", extra, 0);
  const attributes = {
    stride: pair(name, "stride", stride, 1),
    padding: pair(name, "padding", padding, 0),
    dilation: pair(name, "dilation", dilation, 1),
    groups,
  };
  if (added.some((more, axis) => more >= attributes.stride[axis])) {
    throw new Error(
      `${name}: extra must be below the stride, got ${formatShape(added)} for ${formatShape(attributes.stride)}; leave it out`,
    );
  }
  const begin = chooseInitialiser(name, initialiser);
  return {
    type: name,
    label: `${name}(${filters}, ${kernel.join("×")})`,
    build({ builder, parameter }, input) {
      checkPictures(name, input);
      const [, channels, ...extents] = input.type.shape;
      if (channels % groups !== 0 || filters % groups !== 0) {
        throw new Error(
          `${name}: groups must divide channels and filters, got ${groups} for ${channels} and ${filters}; change one of them`,
        );
      }
      const size = extents.map(
        (extent, axis) =>
          (extent - 1) * attributes.stride[axis] -
          2 * attributes.padding[axis] +
          attributes.dilation[axis] * (kernel[axis] - 1) +
          1 +
          added[axis],
      );
      const weight = parameter("weight", [channels, filters / groups, ...kernel], begin);
      const pictures = builder.apply("convolution2dInputGradient", [input, weight], { ...attributes, size });
      return bias
        ? builder.apply("addBias", [pictures, parameter("bias", [filters], allZeros)], { axis: 1 })
        : pictures;
    },
  };
}

function pool(type: string, operator: string): (window: Extent, options?: PoolOptions) => Layer {
  return (window, { stride = window, padding = 0 } = {}) => {
    const attributes = {
      kernel: pair(type, "window", window, 1),
      stride: pair(type, "stride", stride, 1),
      padding: pair(type, "padding", padding, 0),
    };
    return {
      type,
      label: `${type}(${attributes.kernel.join("×")})`,
      build({ builder }, input) {
        checkPictures(type, input);
        return builder.applyAll(operator, [input], attributes)[0];
      },
    };
  };
}

/** The largest element of each window, channel by channel. */
export const maxPool = pool("maxPool", "maxPool2d");

/** The mean of each window, channel by channel; the margin counts as zeros. */
export const averagePool = pool("averagePool", "averagePool2d");

/** The mean of each channel: from [batch, channels, height, width] to [batch, channels]. */
export function globalAveragePool(): Layer {
  return {
    type: "globalAveragePool",
    label: "globalAveragePool",
    build({ builder }, input) {
      checkPictures("globalAveragePool", input);
      return builder.apply("mean", [input], { axes: [2, 3] });
    },
  };
}
