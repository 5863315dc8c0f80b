import { bytesPerElement, type Dtype } from "./dtype.ts";
import { elementCount, formatShape, type Shape, sameShape } from "./shape.ts";

/** What is known of a tensor before any number is: its shape and its dtype. */
export interface TensorType {
  readonly shape: Shape;
  readonly dtype: Dtype;
}

/** Bytes of a dense tensor of this type. */
export function bytesOf(type: TensorType): number {
  return elementCount(type.shape) * bytesPerElement(type.dtype);
}

/** True if shape and dtype are equal. */
export function sameType(a: TensorType, b: TensorType): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}

/** Writes a type as graphs and errors show it: `float32[64,128]`. */
export function formatType(type: TensorType): string {
  return `${type.dtype}${formatShape(type.shape)}`;
}

/** Writes what an operator was given as errors show it: `float32[64,128] and int32[64]`, or `none`. */
export function formatTypes(types: readonly TensorType[]): string {
  return types.map(formatType).join(" and ") || "none";
}
