/** Extents of the axes, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

/** Number of elements; 1 for a scalar. */
export function elementCount(shape: Shape): number {
  let count = 1;
  for (const extent of shape) count *= extent;
  return count;
}

/** Elements to step over for the next index of each axis, in row-major order. */
export function rowMajorStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}

/** True if both shapes have the same axes in the same order. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/** Writes a shape as error messages show it: `[64,128]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(",")}]`;
}

/**
 * Checks that every extent is a whole number ≥ 0.
 *
 * @throws Error naming `subject` and the first bad axis
 */
export function checkShape(subject: string, shape: Shape): void {
  for (const [axis, extent] of shape.entries()) {
    if (!Number.isSafeInteger(extent) || extent < 0) {
      throw new Error(
        `${subject}: every extent must be a whole number ≥ 0, got ${String(extent)} (axis ${axis} of [${shape.join(",")}]); give sizes as integers`,
      );
    }
  }
}
