// Networks as people describe them live here: layers, initialisers, models, losses and optimisers, all plain data that
// add themselves to an operator graph. Running them is not here.
// Go next to training/, which compiles a model and fits it to data.
export { type AdamOptions, adam, adamW, clipNorm, type RmsPropOptions, rmsProp } from "./adaptive.ts";
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
  sigmoid,
  softmax,
  softplus,
  tanh,
} from "./layers.ts";
export { crossEntropy, type Loss, meanSquaredError } from "./losses.ts";
export {
  type BuiltModel,
  type BuiltState,
  type LayerSummary,
  type Model,
  type ModelOptions,
  type ModelState,
  type Parameter,
  sequential,
} from "./model.ts";
export * as models from "./models.ts";
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
} from "./planes.ts";
export { type BatchNormOptions, batchNorm, dropout, layerNorm } from "./regularisers.ts";
