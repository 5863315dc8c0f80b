import { allocate, type DataOf, type Dtype } from "./dtype.ts";
import { decodeHalf, encodeHalf } from "./half.ts";
import { checkShape, elementCount, formatShape, type Shape } from "./shape.ts";
import type { TensorType } from "./tensor-type.ts";

/** A dense tensor in the host's memory, row-major. */
export interface HostTensor<D extends Dtype = Dtype> extends TensorType {
  readonly dtype: D;
  readonly data: DataOf<D>;
}

/** Numbers nested as deep as the shape is long; a plain number for a scalar. */
export type NestedNumbers = number | readonly NestedNumbers[];

/** A tensor of zeros. */
export function zeros<D extends Dtype = "float32">(shape: Shape, dtype: D = "float32" as D): HostTensor<D> {
  checkShape("zeros", shape);
  return { shape, dtype, data: allocate(dtype, elementCount(shape)) };
}

/** A tensor in which every element is `value`. */
export function full<D extends Dtype = "float32">(shape: Shape, value: number, dtype?: D): HostTensor<D> {
  const result = zeros(shape, dtype);
  result.data.fill(encodeElement(result.dtype, value));
  return result;
}

/**
 * A tensor from nested numbers, from a typed array with its shape, or from a single number.
 *
 * @param values the numbers, outermost axis first
 * @param options `shape` where `values` is flat, `dtype` (float32 unless told otherwise)
 * @throws Error if the nesting is ragged or the count differs from the shape's
 */
export function tensor<D extends Dtype = "float32">(
  values: NestedNumbers | ArrayLike<number>,
  options: { readonly shape?: Shape; readonly dtype?: D } = {},
): HostTensor<D> {
  const dtype = options.dtype ?? ("float32" as D);
  const nested = typeof values === "number" || Array.isArray(values);
  const inferred = nested ? nestedShape(values as NestedNumbers) : [(values as ArrayLike<number>).length];
  const flat = nested
    ? ([values].flat(Number.POSITIVE_INFINITY) as unknown as ArrayLike<number>)
    : (values as ArrayLike<number>);
  const shape = options.shape ?? inferred;
  const result = zeros(shape, dtype);
  if (flat.length !== elementCount(shape)) {
    throw new Error(
      `tensor: the number of values must be that of the shape, got ${flat.length} values and ${formatShape(shape)} (${elementCount(shape)} elements); change one of them`,
    );
  }
  for (let i = 0; i < flat.length; i++) result.data[i] = encodeElement(dtype, flat[i]);
  return result;
}

/** The elements as plain numbers, nested as deep as the shape is long. */
export function toNested(source: HostTensor): NestedNumbers {
  let position = 0;
  const read = (axis: number): NestedNumbers =>
    axis === source.shape.length
      ? elementAt(source, position++)
      : Array.from({ length: source.shape[axis] }, () => read(axis + 1));
  return read(0);
}

/** One element as a number, by its row-major position. */
export function elementAt(source: HostTensor, position: number): number {
  const stored = source.data[position];
  return source.dtype === "float16" || source.dtype === "bfloat16" ? decodeHalf(source.dtype, stored) : stored;
}

/** What is stored for `value` in an array of this dtype. */
export function encodeElement(dtype: Dtype, value: number): number {
  return dtype === "float16" || dtype === "bfloat16" ? encodeHalf(dtype, value) : value;
}

function nestedShape(values: NestedNumbers): number[] {
  if (typeof values === "number") return [];
  if (values.length === 0) return [0];
  const inner = nestedShape(values[0]);
  for (const [index, value] of values.entries()) {
    const other = nestedShape(value);
    if (formatShape(other) !== formatShape(inner)) {
      throw new Error(
        `tensor: rows must have one shape, got ${formatShape(inner)} and ${formatShape(other)} (row ${index}); pad or cut the rows`,
      );
    }
  }
  return [values.length, ...inner];
}
