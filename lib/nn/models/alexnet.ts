import type { Layer } from "../layer.ts";
import { dense, flatten, relu } from "../layers.ts";
import { type Model, sequential } from "../model.ts";
import { localResponseNorm } from "../normalisation.ts";
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

/** The three dense layers that end both. */
const classifier = (rate: number, classes: number): Layer[] => [
  flatten(),
  dropout(rate),
  dense(4096),
  relu(),
  dropout(rate),
  dense(4096),
  relu(),
  dense(classes),
];

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
      ...classifier(rate, classes),
    ],
    modelOptions("AlexNet", options),
  );
}

/**
 * AlexNet of 2012 (Krizhevsky, Sutskever, Hinton, section 3.5): convolutions 2, 4 and 5 in two groups, one for each of
 * its two GPUs, and local response normalisation behind the first two; 60,965,224 parameters. Pictures have 227 pixels
 * a side, with which the sizes of the paper come out; it says 224.
 */
export function alexnet2012({ classes = 1000, dropout: rate = 0.5, ...options }: AlexnetOptions = {}): Model {
  return sequential(
    [
      ...active(96, { kernel: 11, stride: 4 }),
      localResponseNorm(),
      maxPool(3, { stride: 2 }),
      ...active(256, { kernel: 5, padding: 2, groups: 2 }),
      localResponseNorm(),
      maxPool(3, { stride: 2 }),
      ...active(384, { kernel: 3, padding: 1 }),
      ...active(384, { kernel: 3, padding: 1, groups: 2 }),
      ...active(256, { kernel: 3, padding: 1, groups: 2 }),
      maxPool(3, { stride: 2 }),
      ...classifier(rate, classes),
    ],
    modelOptions("AlexNet 2012", { input: [3, 227, 227], ...options }),
  );
}
