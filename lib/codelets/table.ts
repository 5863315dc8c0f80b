import { batchNormApply, batchNormGradient, batchNormSums } from "./batch-norm.ts";
import { binary, binaryInPlace } from "./binary.ts";
import { castToHalf } from "./cast.ts";
import { fill } from "./fill.ts";
import { gatherRows, scatterAddRows } from "./gather.ts";
import { lstmCell, lstmCellGradient } from "./lstm.ts";
import { matmulPartial } from "./matmul-partial.ts";
import { nonLinearity } from "./non-linearity.ts";
import { nonLinearityGradient } from "./non-linearity-gradient.ts";
import { adamStep, momentumStep } from "./optimisers.ts";
import { reduceSum } from "./reduce.ts";
import { scaledAdd } from "./scaled-add.ts";
import { crossEntropy, crossEntropyGradient, softmax, softmaxGradient } from "./softmax.ts";
import { squaredError } from "./squared-error.ts";
import { unary } from "./unary.ts";

/** The codelets of the library, one of each: vertices of one codelet are counted together. */
export const codeletTable = {
  add: binary("add", "float"),
  subtract: binary("subtract", "float"),
  multiply: binary("multiply", "float"),
  addHalf: binary("add", "half"),
  subtractHalf: binary("subtract", "half"),
  multiplyHalf: binary("multiply", "half"),
  addInPlace: binaryInPlace("add", "float"),
  subtractInPlace: binaryInPlace("subtract", "float"),
  multiplyInPlace: binaryInPlace("multiply", "float"),
  addInPlaceHalf: binaryInPlace("add", "half"),
  subtractInPlaceHalf: binaryInPlace("subtract", "half"),
  multiplyInPlaceHalf: binaryInPlace("multiply", "half"),
  scaledAdd: scaledAdd("float"),
  scaledAddHalf: scaledAdd("half"),
  exp: unary("exp"),
  log: unary("log"),
  tanh: unary("tanh"),
  sqrt: unary("sqrt"),
  relu: unary("relu"),
  reluInPlace: nonLinearity("relu"),
  tanhInPlace: nonLinearity("tanh"),
  reluGradient: nonLinearityGradient("relu"),
  sigmoidGradient: nonLinearityGradient("sigmoid"),
  tanhGradient: nonLinearityGradient("tanh"),
  softmax: softmax(),
  softmaxGradient: softmaxGradient(),
  crossEntropy: crossEntropy(),
  crossEntropyGradient: crossEntropyGradient(),
  squaredError: squaredError(),
  batchNormSums: batchNormSums(),
  batchNormApply: batchNormApply(),
  batchNormGradient: batchNormGradient(),
  lstmCell: lstmCell(),
  lstmCellGradient: lstmCellGradient(),
  gatherRows: gatherRows(),
  scatterAddRows: scatterAddRows(),
  momentumStep: momentumStep(),
  adamStep: adamStep(),
  fill: fill(),
  castToHalf: castToHalf(),
  reduceSum: reduceSum(),
  matmulPartial: matmulPartial("float"),
  matmulPartialHalf: matmulPartial("half"),
} as const;
