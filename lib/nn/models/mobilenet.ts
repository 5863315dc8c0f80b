import { chain } from "../compose.ts";
import type { Layer } from "../layer.ts";
import { dense, relu } from "../layers.ts";
import { type Model, sequential } from "../model.ts";
import { batchNorm } from "../normalisation.ts";
import { convolution, globalAveragePool } from "../planes.ts";
import { modelOptions, type PictureModelOptions } from "./options.ts";

/** Filters and stride of each separable block (Howard et al. 2017, table 1). */
const blocks: readonly (readonly [filters: number, stride: number])[] = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  ...Array.from({ length: 5 }, () => [512, 1] as const),
  [1024, 2],
  [1024, 1],
];

/** A 3 × 3 filter for each channel by itself, then a 1 × 1 convolution that mixes them. */
function separable(channels: number, filters: number, stride: number): Layer {
  const own = convolution(channels, { kernel: 3, stride, padding: 1, groups: channels, bias: false });
  const mix = convolution(filters, { kernel: 1, bias: false });
  return chain([own, batchNorm(), relu(), mix, batchNorm(), relu()], { type: "separable" });
}

/**
 * MobileNet of width 1 (Howard et al. 2017), a network of separable convolutions; 4,231,976 parameters. It pads on all
 * sides where others pad two.
 */
export function mobilenet({ classes = 1000, ...options }: PictureModelOptions = {}): Model {
  const layers = blocks.map(([filters, stride], index) => separable(blocks[index - 1]?.[0] ?? 32, filters, stride));
  const stem = [convolution(32, { kernel: 3, stride: 2, padding: 1, bias: false }), batchNorm(), relu()];
  return sequential(
    [chain(stem, { name: "conv1" }), ...layers, globalAveragePool(), dense(classes)],
    modelOptions("MobileNet", options),
  );
}
