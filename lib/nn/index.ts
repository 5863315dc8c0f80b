// Networks as people describe them live here: layers, initialisers, models, losses and optimisers, all plain data that
// add themselves to an operator graph. Running them is not here.
// Go next to training/, which compiles a model and fits it to data.
//
// How layers are named, which pictures, outlining and files of weights go by: a layer stands under its own `name`, or
// else under its type and its number among the siblings of that type, from 1: `dense1`, `dense2`. Inner layers follow
// their parent's path after a `/`, so that `conv4/bottleneck3/convolution2` is the second convolution of the
// third bottleneck of stage conv4 of ResNet-50; every operation carries this path in `layer`. Parameters and states
// follow the path after a `.`: `dense1.weight`. Names contain neither sign, and siblings differ. Layers over sequences
// have a `step1`, `step2` … for each step of time below them. Gradients are in the layer of what they are gradients of.
// Blocks of one type under one parent are made alike, but may differ in sizes: whoever looks for repetitions compares
// what is in them.
export { type AdamOptions, adam, adamW, clipNorm, type RmsPropOptions, rmsProp } from "./adaptive.ts";
export { type BoltzmannOptions, boltzmann } from "./boltzmann.ts";
export {
  type BlockOptions,
  branches,
  chain,
  type ResidualOptions,
  residual,
  reversible,
} from "./compose.ts";
export { type EmbeddingOptions, embedding } from "./embedding.ts";
export { allOnes, allZeros, glorot, he, type Initialiser, type InitialiserName } from "./initialisers.ts";
export type { Layer, LayerContext, Mode } from "./layer.ts";
export {
  type DenseOptions,
  dense,
  flatten,
  gelu,
  leakyRelu,
  relu,
  repeat,
  reshape,
  roundTo,
  sigmoid,
  softmax,
  softplus,
  tanh,
} from "./layers.ts";
export {
  crossEntropy,
  hinge,
  type Loss,
  meanSquaredError,
  ownObjective,
  reconstruction,
  sampleLosses,
} from "./losses.ts";
export {
  type BuiltModel,
  type BuiltState,
  type Composition,
  type CompositionContext,
  functional,
  type LayerSummary,
  type Model,
  type ModelOptions,
  type ModelState,
  type Parameter,
  sequential,
} from "./model.ts";
export * as models from "./models/index.ts";
export {
  type BatchNormOptions,
  batchNorm,
  groupNorm,
  type LocalResponseNormOptions,
  layerNorm,
  localResponseNorm,
} from "./normalisation.ts";
export {
  type BegunStep,
  exponentialDecay,
  type Optimizer,
  type Schedule,
  type SgdOptions,
  type StepContext,
  sgd,
  type UpdateContext,
} from "./optimizers.ts";
export {
  averagePool,
  type ConvolutionOptions,
  convolution,
  type Extent,
  globalAveragePool,
  maxPool,
  type PoolOptions,
  type TransposedConvolutionOptions,
  transposedConvolution,
} from "./planes.ts";
export { gru, type LstmOptions, lstm, type RecurrentOptions, rnn } from "./recurrent.ts";
export { dropout, maskingNoise } from "./regularisers.ts";
