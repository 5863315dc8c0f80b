import { decodeHalf, elementCount, formatShape, type Shape } from "../../tensor/index.ts";
import type { TensorMessage } from "./schema.ts";

/** A tensor whose elements are known while a graph is built: a weight, a shape, an axis. */
export interface Constant {
  readonly shape: Shape;
  /** Whether the elements are real numbers; otherwise they are whole numbers or truth values. */
  readonly real: boolean;
  /** Row-major. Whole numbers of 64 bits are kept as the nearest double. */
  readonly data: Float32Array | Float64Array;
}

interface ElementType {
  readonly name: string;
  readonly bytes: number;
  readonly real: boolean;
  readonly read: (view: DataView, at: number) => number;
  /** The field that holds elements which are not raw bytes; a half is there as its bits. */
  readonly field: "floatData" | "int32Data" | "int64Data" | "doubleData" | "uint64Data";
}

/** TensorProto.DataType, those that have a dtype here. */
const elementTypes: ReadonlyMap<number, ElementType> = new Map([
  [1, type("FLOAT", 4, true, "floatData", (view, at) => view.getFloat32(at, true))],
  [2, type("UINT8", 1, false, "int32Data", (view, at) => view.getUint8(at))],
  [3, type("INT8", 1, false, "int32Data", (view, at) => view.getInt8(at))],
  [4, type("UINT16", 2, false, "int32Data", (view, at) => view.getUint16(at, true))],
  [5, type("INT16", 2, false, "int32Data", (view, at) => view.getInt16(at, true))],
  [6, type("INT32", 4, false, "int32Data", (view, at) => view.getInt32(at, true))],
  [7, type("INT64", 8, false, "int64Data", (view, at) => Number(view.getBigInt64(at, true)))],
  [9, type("BOOL", 1, false, "int32Data", (view, at) => view.getUint8(at))],
  [10, type("FLOAT16", 2, true, "int32Data", (view, at) => decodeHalf("float16", view.getUint16(at, true)))],
  [11, type("DOUBLE", 8, true, "doubleData", (view, at) => view.getFloat64(at, true))],
  [12, type("UINT32", 4, false, "uint64Data", (view, at) => view.getUint32(at, true))],
  [13, type("UINT64", 8, false, "uint64Data", (view, at) => Number(view.getBigUint64(at, true)))],
  [16, type("BFLOAT16", 2, true, "int32Data", (view, at) => decodeHalf("bfloat16", view.getUint16(at, true)))],
]);

function type(
  name: string,
  bytes: number,
  real: boolean,
  field: ElementType["field"],
  read: ElementType["read"],
): ElementType {
  return { name, bytes, real, read, field };
}

/** Whether elements of one of ONNX's types are real numbers; undefined for types that have no dtype here. */
export function isReal(dataType: number): boolean | undefined {
  return elementTypes.get(dataType)?.real;
}

/** Gives the bytes of an external file, which is named relative to the model's folder. */
export type ReadExternal = (location: string, tensor: string) => Uint8Array;

/**
 * Reads a tensor. Nothing is set aside before the bytes that its shape needs have been found in the file.
 *
 * @param file what errors call the source
 * @throws Error naming the file and the tensor if type, shape and bytes do not fit together
 */
export function readConstant(tensor: TensorMessage, file: string, external: ReadExternal): Constant {
  const name = tensor.name ?? "";
  const fail = (rule: string, got: string): never => {
    throw new Error(`${file}: ${rule}, got ${got} (tensor "${name}"); export the file again`);
  };
  const element = elementTypes.get(tensor.dataType ?? 0);
  if (element === undefined) {
    const known = [...elementTypes.values()].map(({ name }) => name).join(", ");
    return fail(`elements must be ${known}`, `type ${tensor.dataType ?? "none"}`);
  }
  const shape = tensor.dims;
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) {
    fail("extents must be whole numbers ≥ 0", formatShape(shape));
  }
  const count = elementCount(shape);
  const expect = (got: number, unit: string, wanted: number): void => {
    if (got !== wanted) fail(`${element.name}${formatShape(shape)} must take ${wanted} ${unit}`, String(got));
  };
  const bytes = tensor.dataLocation === 1 ? externalBytes(tensor, external, fail) : tensor.rawData;
  if (bytes !== undefined) {
    expect(bytes.length, "bytes", count * element.bytes);
    return { shape, real: element.real, data: decode(element, bytes, count) };
  }
  const numbers = tensor[element.field];
  expect(numbers.length, "numbers", count);
  const half = element.name === "FLOAT16" ? "float16" : element.name === "BFLOAT16" ? "bfloat16" : null;
  const data = element.real && element.name !== "DOUBLE" ? new Float32Array(count) : new Float64Array(count);
  for (let i = 0; i < count; i++) data[i] = half === null ? numbers[i] : decodeHalf(half, numbers[i] & 0xffff);
  return { shape, real: element.real, data };
}

function decode({ name, bytes: width, real, read }: ElementType, bytes: Uint8Array, count: number): Constant["data"] {
  if (name === "FLOAT" && new Uint8Array(new Uint16Array([1]).buffer)[0] === 1) {
    // The file's byte order is the machine's: copied whole, because a file's floats need not lie at multiples of four.
    return new Float32Array(new Uint8Array(bytes).buffer);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = real && name !== "DOUBLE" ? new Float32Array(count) : new Float64Array(count);
  for (let i = 0; i < count; i++) data[i] = read(view, i * width);
  return data;
}

function externalBytes(
  tensor: TensorMessage,
  external: ReadExternal,
  fail: (rule: string, got: string) => never,
): Uint8Array {
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value ?? ""]));
  const location = entries.get("location");
  if (location === undefined) return fail("external data must name a file", "none");
  const whole = external(location, tensor.name ?? "");
  const size = (key: string, otherwise: number): number => {
    const text = entries.get(key);
    const value = text === undefined ? otherwise : Number(text);
    return Number.isSafeInteger(value) && value >= 0 ? value : fail(`${key} must be a whole number ≥ 0`, String(text));
  };
  const offset = size("offset", 0);
  const length = size("length", whole.length - offset);
  if (offset + length > whole.length) {
    fail(`external data must lie within the ${whole.length} bytes of ${location}`, `[${offset},${offset + length})`);
  }
  return whole.subarray(offset, offset + length);
}

/** Whole numbers as a constant. */
export function wholeConstant(shape: Shape, values: readonly number[]): Constant {
  return { shape, real: false, data: Float64Array.from(values) };
}
