/** Element types. `float16` and `bfloat16` are stored as their 16 bits; `bool` as a byte that is 0 or 1. */
export type Dtype = "float64" | "float32" | "float16" | "bfloat16" | "int32" | "uint8" | "bool";

/** Dtypes that hold real numbers: those that gradients can be taken of. */
export type FloatDtype = Extract<Dtype, "float64" | "float32" | "float16" | "bfloat16">;

interface Storage {
  readonly float64: Float64Array;
  readonly float32: Float32Array;
  readonly float16: Uint16Array;
  readonly bfloat16: Uint16Array;
  readonly int32: Int32Array;
  readonly uint8: Uint8Array;
  readonly bool: Uint8Array;
}

/** The typed array that holds elements of dtype `D`. */
export type DataOf<D extends Dtype = Dtype> = Storage[D];

const constructors = {
  float64: Float64Array,
  float32: Float32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

/** Every dtype, widest first. */
export const dtypes = Object.keys(constructors) as readonly Dtype[];

/** Bytes that one element takes. */
export function bytesPerElement(dtype: Dtype): number {
  return constructors[dtype].BYTES_PER_ELEMENT;
}

/** True for dtypes that hold real numbers. */
export function isFloat(dtype: Dtype): dtype is FloatDtype {
  return dtype === "float64" || dtype === "float32" || dtype === "float16" || dtype === "bfloat16";
}

/** A zeroed array for `count` elements. */
export function allocate<D extends Dtype>(dtype: D, count: number): DataOf<D> {
  return new constructors[dtype](count) as DataOf<D>;
}

/** An array of `count` elements over bytes that something else owns; nothing is copied. */
export function viewOf<D extends Dtype>(
  dtype: D,
  buffer: ArrayBufferLike,
  byteOffset: number,
  count: number,
): DataOf<D> {
  return new constructors[dtype](buffer as ArrayBuffer, byteOffset, count) as DataOf<D>;
}
