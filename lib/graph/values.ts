import { elementCount, type HostTensor, sameShape, toNested } from "../tensor/index.ts";
import type { TensorView } from "./tensor-view.ts";
import type { Values } from "./variables.ts";

/**
 * A tensor's values, one a place, in row-major order. One number stands for all places; a host tensor is read as the
 * numbers that it means, whatever its dtype, and must have the tensor's shape.
 *
 * @throws Error if counts or shapes differ
 */
export function flatValues(
  subject: string,
  tensor: Pick<TensorView, "elements" | "shape" | "describe">,
  values: Values,
): ArrayLike<number> {
  if (typeof values === "number") return new Float64Array(tensor.elements).fill(values);
  const flat = flatten(values);
  const shapeDiffers = isHostTensor(values) && !sameShape(values.shape, tensor.shape);
  if (shapeDiffers || flat.length !== tensor.elements) {
    const got = isHostTensor(values) ? `[${values.shape.join(",")}]` : `${flat.length} values`;
    throw new Error(
      `${subject}: there must be a value for each of the ${tensor.elements} elements, got ${got} (tensor ${tensor.describe()}); give as many, or one number for all`,
    );
  }
  return flat;
}

function flatten(values: Exclude<Values, number>): ArrayLike<number> {
  if (isHostTensor(values)) {
    const { dtype, data } = values;
    if (dtype !== "float16" && dtype !== "bfloat16") return data.slice(0, elementCount(values.shape));
    return flattenNested([toNested(values)]);
  }
  // A copy, as the caller may change the numbers afterwards.
  return Array.isArray(values) ? flattenNested(values) : Array.from(values as ArrayLike<number>);
}

function isHostTensor(values: Exclude<Values, number>): values is HostTensor {
  return typeof values === "object" && "dtype" in values;
}

function flattenNested(nested: readonly unknown[]): number[] {
  return nested.flat(Number.POSITIVE_INFINITY as 1) as number[];
}
