import { chain } from "../compose.ts";
import { dense, flatten, relu } from "../layers.ts";
import { type Model, sequential } from "../model.ts";
import { convolution, maxPool } from "../planes.ts";
import { dropout } from "../regularisers.ts";
import { modelOptions, type PictureModelOptions } from "./options.ts";

/** Settings of VGG networks. */
export interface VggOptions extends PictureModelOptions {
  /** Share that is dropped after each of the two wide dense layers; 0.5 unless told otherwise. */
  readonly dropout?: number;
}

const filtersOfStages = [64, 128, 256, 512, 512] as const;

/** Stages of 3 × 3 convolutions, each ended by pooling, then three dense layers (Simonyan and Zisserman 2014, table 1). */
function vgg(name: string, perStage: readonly number[], { classes = 1000, dropout: rate = 0.5, ...rest }: VggOptions) {
  const stages = filtersOfStages.map((filters, stage) => {
    const one = [convolution(filters, { kernel: 3, padding: 1 }), relu()];
    const layers = Array.from({ length: perStage[stage] }, () => one).flat();
    return chain([...layers, maxPool(2)], { name: `conv${stage + 1}` });
  });
  const wide = [dense(4096), relu(), dropout(rate)];
  return sequential([...stages, flatten(), ...wide, ...wide, dense(classes)], modelOptions(name, rest));
}

/** VGG with 16 layers of weights: configuration D, 138,357,544 parameters. */
export function vgg16(options: VggOptions = {}): Model {
  return vgg("VGG16", [2, 2, 3, 3, 3], options);
}

/** VGG with 19 layers of weights: configuration E, 143,667,240 parameters. */
export function vgg19(options: VggOptions = {}): Model {
  return vgg("VGG19", [2, 2, 4, 4, 4], options);
}
