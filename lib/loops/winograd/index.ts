// Convolutions with fewer products live here: kernels of 3 × 3 by minimal filtering. What is transformed, and back, stands
// in transforms.ts; how pictures are laid out for it in planes.ts. Other convolutions are in rules/convolution.ts.
import { at } from "../affine.ts";
import { kernelSums } from "./convolution.ts";
import type { Staged, StageInput } from "./stages.ts";
import { windowSums } from "./weight-gradient.ts";

export type { Staged } from "./stages.ts";

/** Channels below which transforming them costs more than it saves. */
const fewestChannels = 8;

/**
 * A convolution with kernels of 3 × 3, or one of its gradients, in stages; null where it is of another form, or where
 * products as they are take less time.
 */
export function staged(input: StageInput): Staged | null {
  const { operation, operands } = input;
  const { operator, attributes, inputs, outputs } = operation;
  const [x, other] = operands;
  switch (operator) {
    case "convolution2d": {
      const [filters] = inputs[1].type.shape;
      const size = outputs[0].type.shape.slice(2);
      if (!isSuitable(attributes, inputs[1].type.shape, size)) return null;
      const kernel: Kernel = (filter, channel, row, column) => other.at([filter, channel, at(row), at(column)]);
      return kernelSums({ pictures: x, margin: marginOf(attributes), channels: filters, size, kernel }, input);
    }
    case "convolution2dInputGradient": {
      const [, channels] = inputs[1].type.shape;
      const size = outputs[0].type.shape.slice(2);
      if (!isSuitable(attributes, inputs[1].type.shape, size)) return null;
      // The kernel is turned, and the maps that an element has gone into begin so many rows before its own place.
      const margin = marginOf(attributes).map((rows) => 2 - rows);
      const kernel: Kernel = (channel, filter, row, column) => other.at([filter, channel, at(2 - row), at(2 - column)]);
      return kernelSums({ pictures: x, margin, channels, size, kernel }, input);
    }
    case "convolution2dWeightGradient": {
      const size = inputs[1].type.shape.slice(2);
      if (!isSuitable(attributes, outputs[0].type.shape, size)) return null;
      return windowSums({ pictures: x, margin: marginOf(attributes), maps: other }, input);
    }
    default:
      return null;
  }
}

type Kernel = Parameters<typeof kernelSums>[0]["kernel"];
type Attributes = StageInput["operation"]["attributes"];

const marginOf = ({ padding }: Attributes): readonly number[] => padding as readonly number[];

/** Whether neighbouring outputs share what a tile needs, tiles are whole, and there are channels enough. */
function isSuitable(attributes: Attributes, weights: readonly number[], size: readonly number[]): boolean {
  const { stride, dilation, groups } = attributes;
  const [filters, channels, ...kernel] = weights;
  const isDense = [stride, dilation, groups].flat().every((number) => number === 1);
  const isWhole = size.every((extent) => extent > 0 && extent % 2 === 0);
  const fits = kernel.every((extent) => extent === 3) && marginOf(attributes).every((rows) => rows <= 2);
  return isDense && isWhole && fits && Math.min(filters, channels) >= fewestChannels;
}
