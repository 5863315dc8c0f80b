// Loop nests live here: the form between an operator and machine code, the rule that turns each operator into it, and
// fusion. No machine is known here but for what all of them have: lanes, registers, caches, threads.
// Go next to engine/wasm/, which turns nests into WebAssembly.
export { type Affine, type Axis, along, at, plus, printAffine, type Term, termOf, times } from "./affine.ts";
export {
  axesUsedAsNumbers,
  buffersOf,
  Dependencies,
  hoistedByDepth,
  indicesIn,
  invariantsOf,
  nestedReductions,
  workOf,
} from "./analysis.ts";
export type { Buffer } from "./buffer.ts";
export {
  type BinaryFunction,
  type Combination,
  type Comparison,
  type Expression,
  load,
  operandsOf,
  type Reduction,
  type UnaryFunction,
} from "./expression.ts";
export { type FusedStep, fuse, type Ordered, separate } from "./fuse.ts";
export { type Group, lowerGroup } from "./lower.ts";
export { exponential, hyperbolicTangent, logarithm, logistic } from "./mathematics.ts";
export type { Kernel, Loop, Nest, Store } from "./nest.ts";
export { printExpression, printKernel } from "./print.ts";
export { loopRule, loopRules } from "./rules/index.ts";
export type { LoopRule } from "./rules/rule.ts";
