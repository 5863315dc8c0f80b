import { allocate, type Dtype, elementCount, formatShape, type HostTensor } from "../tensor/index.ts";

/** Element types of the format and what they become here. */
const types: Readonly<Record<number, { readonly name: string; readonly bytes: number; readonly dtype: Dtype }>> = {
  8: { name: "unsigned byte", bytes: 1, dtype: "uint8" },
  9: { name: "signed byte", bytes: 1, dtype: "int32" },
  11: { name: "short", bytes: 2, dtype: "int32" },
  12: { name: "int", bytes: 4, dtype: "int32" },
  13: { name: "float", bytes: 4, dtype: "float32" },
  14: { name: "double", bytes: 8, dtype: "float64" },
};

/**
 * Reads a tensor in the IDX format of the MNIST files: two zero bytes, a type, a rank, big-endian extents, elements.
 * Unsigned bytes are not copied.
 *
 * @param name what errors call the source, such as the file's path
 * @throws Error naming the source, what was expected and what was found
 */
export function parseIdx(bytes: Uint8Array, name: string): HostTensor {
  const fail = (rule: string, got: string): never => {
    throw new Error(`${name}: ${rule}, got ${got}; fetch the file again or check that it is in IDX format`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4) fail("an IDX file must begin with four bytes of magic", `${bytes.length} bytes`);
  if (bytes[0] !== 0 || bytes[1] !== 0)
    fail("an IDX file must begin with two zero bytes", `${bytes[0]} and ${bytes[1]}`);
  const type =
    types[bytes[2]] ?? fail(`the element type must be one of ${Object.keys(types).join(", ")}`, String(bytes[2]));
  const rank = bytes[3];
  const header = 4 + 4 * rank;
  if (bytes.length < header) fail(`a header of rank ${rank} must have ${header} bytes`, `${bytes.length}`);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = elementCount(shape);
  if (bytes.length !== header + count * type.bytes) {
    fail(
      `${formatShape(shape)} of ${type.name} must take ${header + count * type.bytes} bytes`,
      `${bytes.length} bytes`,
    );
  }
  if (type.name === "unsigned byte") return { shape, dtype: "uint8", data: bytes.subarray(header) };
  const data = allocate(type.dtype, count);
  const read: Readonly<Record<string, (at: number) => number>> = {
    "signed byte": (at) => view.getInt8(at),
    short: (at) => view.getInt16(at),
    int: (at) => view.getInt32(at),
    float: (at) => view.getFloat32(at),
    double: (at) => view.getFloat64(at),
  };
  for (let i = 0; i < count; i++) data[i] = read[type.name](header + i * type.bytes);
  return { shape, dtype: type.dtype, data };
}
