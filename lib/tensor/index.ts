// Tensors in the host's memory live here: dtypes, shapes, dense row-major arrays and seeded random numbers.
// No operator and no graph does: what is computed with tensors is said in ir/ and ops/.
// Go next to ir/, where tensors become values of a graph.
export {
  allocate,
  type DataOf,
  type Dtype,
  dtypes,
  type FloatDtype,
  isFloat,
  viewOf,
} from "./dtype.ts";
export { errorFunction } from "./error-function.ts";
export { decodeHalf, encodeHalf } from "./half.ts";
export { philox, Random, random } from "./random.ts";
export { checkShape, elementCount, formatShape, rowMajorStrides, type Shape, sameShape } from "./shape.ts";
export {
  encodeElement,
  full,
  type HostTensor,
  type NestedNumbers,
  tensor,
  toNested,
  zeros,
} from "./tensor.ts";
export { isHostTensor, tensorText, tensorTitle } from "./tensor-text.ts";
export { bytesOf, formatType, formatTypes, sameType, type TensorType } from "./tensor-type.ts";
