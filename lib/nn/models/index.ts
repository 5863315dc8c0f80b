// Networks that people know by name live here, each with the sizes of its paper. What they are made of lives one floor
// up, in layers and blocks.
// Go next to lib/nn/compose.ts to put together a network of one's own.
export { type AlexnetOptions, alexnet, alexnet2012 } from "./alexnet.ts";
export { type AutoencoderOptions, autoencoder, type RbmOptions, rbm } from "./autoencoder.ts";
export { type LenetOptions, lenet5 } from "./lenet.ts";
export { mobilenet } from "./mobilenet.ts";
export type { PictureModelOptions } from "./options.ts";
export { type SequenceClassifierOptions, sequenceClassifier } from "./recurrent.ts";
export { type ResnetOptions, resnet18, resnet50, type SmallResnetOptions, smallResnet } from "./resnet.ts";
export { type VggOptions, vgg16, vgg19 } from "./vgg.ts";
