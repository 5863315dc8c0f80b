/** Element types of a device's tensors, in Poplar's words: IEEE single and half precision, 32-bit integers, truth values. */
export type ElementType = "float" | "half" | "int" | "bool";

/** Bytes that one element takes in a tile's memory. */
export const elementBytes: Readonly<Record<ElementType, number>> = { float: 4, half: 2, int: 4, bool: 1 };

/** What a codelet sees of a vector field. Half precision is computed with in single precision and rounded when stored. */
export type VectorOf<T extends ElementType> = T extends "int"
  ? Int32Array
  : T extends "bool"
    ? Uint8Array
    : Float32Array;
