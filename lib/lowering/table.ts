import type { Operation } from "../ir/index.ts";
import type { OperatorName } from "../ops/index.ts";
import type { Lowering } from "./lowering.ts";
import { channelWindowSumRule, localResponseNormRule } from "./rules/channel-windows.ts";
import { convolutionInputGradientRule, convolutionRule } from "./rules/convolution.ts";
import { convolutionWeightGradientRule } from "./rules/convolution-weight-gradient.ts";
import { alongAxisRule, broadcastRule, castRule, copyRule, elementwiseRule, roundToRule } from "./rules/elementwise.ts";
import { gatherRule, scatterAddRule } from "./rules/gather.ts";
import { matmulRule } from "./rules/matmul.ts";
import { concatRule, padRule, reshapeRule, sliceRule, splitRule, transposeRule } from "./rules/movement.ts";
import { dequantizeRule, packRule, quantizeRule, unpackRule } from "./rules/pieces.ts";
import {
  averagePoolGradientRule,
  averagePoolRule,
  maxPoolGradientRule,
  maxPoolRule,
  maxPoolTakeRule,
} from "./rules/pooling.ts";
import { dropoutRule, uniformRule } from "./rules/random.ts";
import { maxRule, meanRule, sumRule } from "./rules/reduce.ts";
import * as rows from "./rules/rows.ts";
import { wholeRule } from "./rules/whole.ts";

/** How an operation becomes vertices. */
type Rule = (lowering: Lowering, operation: Operation) => void;

/** A rule for every operator: without one, this does not compile. */
export const rules: Readonly<Record<OperatorName, Rule>> = {
  negate: elementwiseRule,
  exp: elementwiseRule,
  log: elementwiseRule,
  sqrt: elementwiseRule,
  square: elementwiseRule,
  abs: elementwiseRule,
  sign: elementwiseRule,
  relu: elementwiseRule,
  sigmoid: elementwiseRule,
  tanh: elementwiseRule,
  softplus: elementwiseRule,
  erf: elementwiseRule,
  gelu: elementwiseRule,
  scale: elementwiseRule,
  power: elementwiseRule,
  clip: elementwiseRule,
  flush: elementwiseRule,
  leakyRelu: elementwiseRule,
  add: elementwiseRule,
  subtract: elementwiseRule,
  multiply: elementwiseRule,
  divide: elementwiseRule,
  maximum: elementwiseRule,
  minimum: elementwiseRule,
  greaterOrEqual: elementwiseRule,
  reluGradient: elementwiseRule,
  sigmoidGradient: elementwiseRule,
  tanhGradient: elementwiseRule,
  copy: copyRule,
  matmul: matmulRule,
  addBias: alongAxisRule,
  scaleAlong: alongAxisRule,
  convolution2d: convolutionRule,
  convolution2dInputGradient: convolutionInputGradientRule,
  convolution2dWeightGradient: convolutionWeightGradientRule,
  maxPool2d: maxPoolRule,
  maxPool2dGradient: maxPoolGradientRule,
  averagePool2d: averagePoolRule,
  averagePool2dGradient: averagePoolGradientRule,
  sum: sumRule,
  mean: meanRule,
  max: maxRule,
  argmax: rows.argmaxRule,
  reshape: reshapeRule,
  transpose: transposeRule,
  broadcast: broadcastRule,
  slice: sliceRule,
  pad: padRule,
  split: splitRule,
  concat: concatRule,
  stopGradient: reshapeRule,
  batchMatmul: matmulRule,
  maxPool2dTake: maxPoolTakeRule,
  channelWindowSum: channelWindowSumRule,
  localResponseNorm: localResponseNormRule,
  cast: castRule,
  roundTo: roundToRule,
  pack: packRule,
  unpack: unpackRule,
  quantize: quantizeRule,
  dequantize: dequantizeRule,
  move: copyRule,
  uniform: uniformRule,
  dropout: dropoutRule,
  // One number: there is nothing to spread.
  increment: wholeRule,
  gather: gatherRule,
  scatterAdd: scatterAddRule,
  full: (lowering, { outputs: [y], attributes }) => lowering.addConstant(y, attributes.value as number),
  softmax: rows.softmaxRule,
  logSoftmax: rows.logSoftmaxRule,
  softmaxGradient: rows.softmaxGradientRule,
  crossEntropy: rows.crossEntropyRule,
  crossEntropyGradient: rows.crossEntropyGradientRule,
  oneHot: rows.oneHotRule,
};

/** How far an operator has come towards tiles: spread over them by a rule, or still one vertex on one of them. */
export function tilesOf(operator: OperatorName): "spread" | "one vertex" {
  return rules[operator] === wholeRule ? "one vertex" : "spread";
}
