import type { OperatorName } from "../../ops/index.ts";
import { batchMatmul } from "./batch-matmul.ts";
import { cast, roundTo } from "./cast.ts";
import { channelWindowSum, localResponseNorm } from "./channel-windows.ts";
import * as convolution from "./convolution.ts";
import { dropout, increment, uniform } from "./dropout.ts";
import * as elementwise from "./elementwise.ts";
import { gather, scatterAdd } from "./gather.ts";
import { matmul } from "./matmul.ts";
import { dequantize, pack, quantize, unpack } from "./pack.ts";
import * as pooling from "./pooling.ts";
import { argmax, max, mean, sum } from "./reduce.ts";
import { crossEntropy, logSoftmax, softmax, softmaxGradient } from "./rows.ts";
import type { LoopRule } from "./rule.ts";
import { broadcast, concat, full, move, pad, reshape, slice, split, stopGradient, transpose } from "./shape.ts";

/** How each operator becomes loops. */
const loopRules: { readonly [Name in OperatorName]: LoopRule } = {
  negate: elementwise.negate,
  exp: elementwise.exp,
  log: elementwise.log,
  sqrt: elementwise.sqrt,
  square: elementwise.square,
  abs: elementwise.abs,
  sign: elementwise.sign,
  relu: elementwise.relu,
  sigmoid: elementwise.sigmoid,
  tanh: elementwise.tanh,
  softplus: elementwise.softplus,
  erf: elementwise.erf,
  gelu: elementwise.gelu,
  power: elementwise.power,
  clip: elementwise.clip,
  flush: elementwise.flush,
  leakyRelu: elementwise.leakyRelu,
  scale: elementwise.scale,
  add: elementwise.addition,
  subtract: elementwise.subtraction,
  multiply: elementwise.multiplication,
  divide: elementwise.division,
  maximum: elementwise.maximum,
  minimum: elementwise.minimum,
  greaterOrEqual: elementwise.greaterOrEqual,
  reluGradient: elementwise.reluGradient,
  sigmoidGradient: elementwise.sigmoidGradient,
  tanhGradient: elementwise.tanhGradient,
  matmul,
  batchMatmul,
  addBias: elementwise.addBias,
  scaleAlong: elementwise.scaleAlong,
  convolution2d: convolution.convolution2d,
  convolution2dInputGradient: convolution.convolution2dInputGradient,
  convolution2dWeightGradient: convolution.convolution2dWeightGradient,
  maxPool2d: pooling.maxPool2d,
  maxPool2dGradient: pooling.maxPool2dGradient,
  maxPool2dTake: pooling.maxPool2dTake,
  averagePool2d: pooling.averagePool2d,
  averagePool2dGradient: pooling.averagePool2dGradient,
  channelWindowSum,
  localResponseNorm,
  sum,
  mean,
  max,
  argmax,
  reshape,
  transpose,
  broadcast,
  slice,
  pad,
  concat,
  split,
  dropout,
  increment,
  gather,
  scatterAdd,
  copy: elementwise.copy,
  cast,
  roundTo,
  pack,
  unpack,
  quantize,
  dequantize,
  move,
  stopGradient,
  full,
  uniform,
  softmax,
  logSoftmax,
  softmaxGradient,
  crossEntropy,
  crossEntropyGradient: elementwise.crossEntropyGradient,
  oneHot: elementwise.oneHot,
};

/** The rule for an operator of a graph. */
export function loopRule(operator: string): LoopRule {
  const rule = (loopRules as Readonly<Record<string, LoopRule>>)[operator];
  if (rule === undefined) throw new Error(`internal: there are no loops for ${operator}`);
  return rule;
}

/** Whether an operator becomes loops, and so runs wherever loops do. */
export function hasLoops(operator: OperatorName): boolean {
  return operator in loopRules;
}
