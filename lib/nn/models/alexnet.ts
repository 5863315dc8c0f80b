import type { Layer } from "../layer.ts";
import { dense, flatten, relu } from "../layers.ts";
import { type Model, sequential } from "../model.ts";
import { type ConvolutionOptions, convolution, maxPool } from "../planes.ts";
import { dropout } from "../regularisers.ts";
import { modelOptions, type PictureModelOptions } from "./options.ts";

/** Settings of AlexNet. */
export interface AlexnetOptions extends PictureModelOptions {
  /** Share that is dropped before each of the two wide dense layers; 0.5 unless told otherwise. */
  readonly dropout?: number;
}

/** A convolution and its activation. */
const active = (filters: number, options: ConvolutionOptions): Layer[] => [convolution(filters, options), relu()];

/**
 * AlexNet as torchvision has it: that of Krizhevsky's "One weird trick for parallelizing convolutional neural networks"
 * (2014), in one column and without normalisation; 61,100,840 parameters.
 */
export function alexnet({ classes = 1000, dropout: rate = 0.5, ...options }: AlexnetOptions = {}): Model {
  return sequential(
    [
      ...active(64, { kernel: 11, stride: 4, padding: 2 }),
      maxPool(3, { stride: 2 }),
      ...active(192, { kernel: 5, padding: 2 }),
      maxPool(3, { stride: 2 }),
      ...active(384, { kernel: 3, padding: 1 }),
      ...active(256, { kernel: 3, padding: 1 }),
      ...active(256, { kernel: 3, padding: 1 }),
      maxPool(3, { stride: 2 }),
      flatten(),
      dropout(rate),
      dense(4096),
      relu(),
      dropout(rate),
      dense(4096),
      relu(),
      dense(classes),
    ],
    modelOptions("AlexNet", options),
  );
}
