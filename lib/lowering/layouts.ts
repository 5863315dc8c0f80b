import { BlockLayout, type ElementType } from "../graph/index.ts";
import type { Value } from "../ir/index.ts";
import { type Dtype, elementCount, formatShape, formatType, type Shape } from "../tensor/index.ts";

const elementTypes: Partial<Record<Dtype, ElementType>> = {
  float32: "float",
  float16: "half",
  int32: "int",
  bool: "bool",
};

/** The device's type for a value's elements. */
export function elementTypeOf({ type }: Value): ElementType {
  const found = elementTypes[type.dtype];
  if (found === undefined) {
    throw new Error(
      `lower: tiles know ${Object.keys(elementTypes).join(", ")}, got ${formatType(type)}; compile with one of these dtypes`,
    );
  }
  return found;
}

/** A layout in which each row along the last axis is a block. */
export function rowLayout(shape: Shape): BlockLayout {
  return new BlockLayout(
    shape,
    shape.map((extent, axis) => (axis === shape.length - 1 ? Math.max(1, extent) : 1)),
  );
}

/** A layout of one block. */
export function wholeLayout(shape: Shape): BlockLayout {
  if (elementCount(shape) === 0)
    throw new Error(`lower: a tensor must have elements, got ${formatShape(shape)}; leave it out`);
  return new BlockLayout(shape, shape);
}
