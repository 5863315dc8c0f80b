// Loop nests live here: the form between an operator and machine code, the rules that turn each operator into it (rules/;
// winograd/ for convolutions with fewer products), and fusion. No machine is known here but for what all of them have:
// lanes, registers, caches, threads. Go next to engine/wasm/, which turns nests into WebAssembly.
export type { Affine, Axis } from "./affine.ts";
export {
  axesUsedAsNumbers,
  buffersOf,
  Dependencies,
  hoistedByDepth,
  indicesIn,
  indicesOfNest,
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
  operandsOf,
  type Reduction,
  type UnaryFunction,
} from "./expression.ts";
export { fuse, separate } from "./fuse.ts";
export type { BlockedRun, FusedStep } from "./fused-step.ts";
export { lowerStep } from "./lower-run.ts";
export { type Kernel, type Nest, type Store, threadAxis } from "./nest.ts";
export { printExpression, printKernel } from "./print.ts";
export { hasProductVariants, type ProductVariant, productVariants, standardProducts } from "./product-variants.ts";
export { hasLoops } from "./rules/index.ts";
