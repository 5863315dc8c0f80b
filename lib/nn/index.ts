// Networks as people describe them live here: layers, initialisers, models, losses and optimisers, all plain data that
// add themselves to an operator graph. Running them is not here.
// Go next to training/, which compiles a model and fits it to data.
export { allZeros, glorot, he, type Initialiser, type InitialiserName } from "./initialisers.ts";
export type { Layer, LayerContext } from "./layer.ts";
export { type DenseOptions, dense, flatten, relu, repeat, sigmoid, softmax, tanh } from "./layers.ts";
export { crossEntropy, type Loss, meanSquaredError } from "./losses.ts";
export { type LayerSummary, type Model, type ModelOptions, type Parameter, sequential } from "./model.ts";
export {
  exponentialDecay,
  type Optimizer,
  type Schedule,
  type SgdOptions,
  sgd,
  type UpdateContext,
} from "./optimizers.ts";
