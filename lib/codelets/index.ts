// What library vertices run lives here: a file a family of codelets, with fields, what is computed and what it costs.
// How codelets are declared and connected is said in graph/, how they are run in simulator/.
// Go next to table.ts for those of a fixed kind, to lowering/ for who uses the others, or to simulator/ for who runs them.
export { castBlocks } from "./cast-blocks.ts";
export { channelWindowSum, localResponseNorm, type ResponseNorm } from "./channel-windows.ts";
export { alongAxis, spread } from "./channels.ts";
export {
  type ConvolutionGeometry,
  convolutionInputGradient,
  convolutionPartial,
  convolutionWeightGradient,
} from "./convolution.ts";
export { copyBlock } from "./copy-block.ts";
export { dropout, uniform } from "./dropout.ts";
export {
  type ElementwiseOperation,
  elementwise,
  elementwiseNumbers,
  type ScalarOperand,
} from "./elementwise.ts";
export { gatherRows, scatterAddRows } from "./gather.ts";
export { gradientDescent } from "./gradient-descent.ts";
export { matmulBlocks } from "./matmul-blocks.ts";
export {
  averagePool,
  averagePoolGradient,
  maxPool,
  maxPoolGradient,
  maxPoolTake,
  type PoolingGeometry,
} from "./pooling.ts";
export { type Movement, rearrange, sourceBlocks } from "./rearrange.ts";
export { type Reduction, reduceAxes, reducePartials, reducePartialsCycles } from "./reduce-blocks.ts";
export { argmax, crossEntropy, crossEntropyGradient, logSoftmax, oneHot, softmax, softmaxGradient } from "./softmax.ts";
export { type FloatType, sharedCodelet } from "./support.ts";
export { codeletTable } from "./table.ts";
