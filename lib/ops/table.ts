import type { Operator } from "../ir/index.ts";
import { addBias, scaleAlong } from "./along-axis.ts";
import { batchMatmul } from "./batch-matmul.ts";
import { cast, roundTo } from "./cast.ts";
import { channelWindowSum, localResponseNorm } from "./channel-windows.ts";
import * as convolution from "./convolution.ts";
import { dropout, increment } from "./dropout.ts";
import * as binary from "./elementwise-binary.ts";
import * as parametric from "./elementwise-parametric.ts";
import * as unary from "./elementwise-unary.ts";
import { gather, scatterAdd } from "./gather.ts";
import * as loss from "./loss.ts";
import { matmul } from "./matmul.ts";
import { move } from "./move.ts";
import { pack, unpack } from "./pack.ts";
import { concat, pad, slice } from "./pieces.ts";
import * as pooling from "./pooling.ts";
import { dequantize, quantize } from "./quantize.ts";
import { argmax, max, mean, sum } from "./reduce.ts";
import { broadcast, copy, full, reshape, stopGradient, transpose } from "./shape.ts";
import { logSoftmax, softmax, softmaxGradient } from "./softmax.ts";
import { split } from "./split.ts";
import { uniform } from "./uniform.ts";

/** Every operator, by name: the one list from which names, checks, documentation and rule tables follow. */
export const operators = {
  negate: unary.negate,
  exp: unary.exp,
  log: unary.log,
  sqrt: unary.sqrt,
  square: unary.square,
  abs: unary.abs,
  sign: unary.sign,
  relu: unary.relu,
  sigmoid: unary.sigmoid,
  tanh: unary.tanh,
  softplus: unary.softplus,
  erf: unary.erf,
  gelu: unary.gelu,
  scale: unary.scale,
  power: parametric.power,
  clip: parametric.clip,
  flush: parametric.flush,
  leakyRelu: parametric.leakyRelu,
  add: binary.add,
  subtract: binary.subtract,
  multiply: binary.multiply,
  divide: binary.divide,
  maximum: binary.maximum,
  minimum: binary.minimum,
  greaterOrEqual: binary.greaterOrEqual,
  reluGradient: binary.reluGradient,
  sigmoidGradient: binary.sigmoidGradient,
  tanhGradient: binary.tanhGradient,
  matmul,
  batchMatmul,
  addBias,
  scaleAlong,
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
  copy,
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
  crossEntropy: loss.crossEntropy,
  crossEntropyGradient: loss.crossEntropyGradient,
  oneHot: loss.oneHot,
} as const;

/** The name of an operator. A rule table is a mapped type over these names, so that a missing rule does not compile. */
export type OperatorName = keyof typeof operators;

/** The operators as graphs know them: by name, attributes unspecified. */
export const operatorTable = operators as unknown as Readonly<Record<OperatorName, Operator>>;
