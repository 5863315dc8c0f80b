import {
  allocate,
  bytesOf,
  type DataOf,
  type Dtype,
  elementCount,
  formatShape,
  formatType,
  type HostTensor,
  type Shape,
} from "../tensor/index.ts";

// The format: https://huggingface.co/docs/safetensors, section "Format". Eight bytes of length (little-endian), that many
// bytes of JSON which say dtype, shape and place of every tensor, then the tensors themselves without gaps.

/** What a safetensors file holds. */
export interface Safetensors {
  /** By name, in the order of the file's header. */
  readonly tensors: ReadonlyMap<string, HostTensor>;
  /** Free text that the writer has added, by key. */
  readonly metadata: ReadonlyMap<string, string>;
}

const lengthBytes = 8;

/** Like the format's own library, we take no header longer than this. */
const longestHeader = 100_000_000;

/** How elements of one of the format's dtypes are stored, and what they become here. */
interface Stored {
  readonly bytes: number;
  readonly dtype: Dtype;
  /** Reads one element that is not stored as it is kept here. */
  readonly read?: (view: DataView, at: number) => number;
}

const stored: Readonly<Record<string, Stored>> = {
  F64: { bytes: 8, dtype: "float64" },
  F32: { bytes: 4, dtype: "float32" },
  F16: { bytes: 2, dtype: "float16" },
  BF16: { bytes: 2, dtype: "bfloat16" },
  I32: { bytes: 4, dtype: "int32" },
  U8: { bytes: 1, dtype: "uint8" },
  BOOL: { bytes: 1, dtype: "bool" },
  I8: { bytes: 1, dtype: "int32", read: (view, at) => view.getInt8(at) },
  I16: { bytes: 2, dtype: "int32", read: (view, at) => view.getInt16(at, true) },
  U16: { bytes: 2, dtype: "int32", read: (view, at) => view.getUint16(at, true) },
  U32: { bytes: 4, dtype: "int32", read: (view, at) => view.getUint32(at, true) },
  I64: { bytes: 8, dtype: "int32", read: (view, at) => Number(view.getBigInt64(at, true)) },
  U64: { bytes: 8, dtype: "int32", read: (view, at) => Number(view.getBigUint64(at, true)) },
};

const storedNames: Readonly<Record<Dtype, string>> = {
  float64: "F64",
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  int32: "I32",
  uint8: "U8",
  bool: "BOOL",
};

interface Entry {
  readonly name: string;
  readonly type: Stored;
  readonly shape: Shape;
  /** Bytes from the end of the header: [start, end). */
  readonly start: number;
  readonly end: number;
}

type Fail = (rule: string, got: string, place: string) => never;

/**
 * Reads the safetensors format. Whole numbers of other widths become int32. Elements are copied, so that the file's bytes
 * can be forgotten; nothing is set aside before a length that the file claims has been compared with its bytes.
 *
 * @param name what errors call the source, such as the file's path
 * @throws Error naming the source, the byte or the tensor, what was expected and what was found
 */
export function parseSafetensors(bytes: Uint8Array, name: string): Safetensors {
  const fail: Fail = (rule, got, place) => {
    throw new Error(
      `${name}: ${rule}, got ${got} (${place}); fetch or write the file again, or check that it is a safetensors file`,
    );
  };
  const { header, begin } = readHeader(bytes, fail);
  const metadata = new Map<string, string>();
  const entries: Entry[] = [];
  for (const [key, value] of Object.entries(header)) {
    if (key === "__metadata__") {
      if (!isRecord(value)) fail("__metadata__ must be an object of texts", JSON.stringify(value), "in the header");
      for (const [about, text] of Object.entries(value as object)) {
        if (typeof text !== "string") fail("metadata must be texts", JSON.stringify(text), `__metadata__.${about}`);
        metadata.set(about, text);
      }
    } else {
      entries.push(readEntry(key, value, fail));
    }
  }
  checkPlaces(entries, begin, bytes.length, fail);
  const tensors = new Map<string, HostTensor>();
  for (const entry of entries) {
    const { type, shape, start, end } = entry;
    const data = readElements(entry, bytes.subarray(begin + start, begin + end), begin + start, fail);
    tensors.set(entry.name, { shape, dtype: type.dtype, data });
  }
  return { tensors, metadata };
}

function readHeader(bytes: Uint8Array, fail: Fail): { header: Record<string, unknown>; begin: number } {
  if (bytes.length < lengthBytes) {
    fail(`a file must begin with ${lengthBytes} bytes of length`, `${bytes.length} bytes`, "byte 0");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  const most = Math.min(longestHeader, bytes.length - lengthBytes);
  if (length > BigInt(most)) fail(`the header must take at most ${most} bytes`, String(length), "byte 0");
  const begin = lengthBytes + Number(length);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(lengthBytes, begin)));
  } catch (error) {
    fail("the header must be JSON in UTF-8", `"${(error as Error).message}"`, `bytes ${lengthBytes} to ${begin}`);
  }
  if (!isRecord(header)) fail("the header must be an object", JSON.stringify(header), `byte ${lengthBytes}`);
  return { header: header as Record<string, unknown>, begin };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function readEntry(name: string, value: unknown, fail: Fail): Entry {
  const place = `tensor "${name}"`;
  const { dtype, shape, data_offsets: offsets } = isRecord(value) ? value : ({} as Record<string, unknown>);
  const type = Object.hasOwn(stored, String(dtype)) ? stored[String(dtype)] : undefined;
  if (type === undefined) {
    return fail(`dtypes must be ${Object.keys(stored).join(", ")}`, JSON.stringify(dtype) ?? "none", place);
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    return fail("a shape must be a list of whole numbers ≥ 0", JSON.stringify(shape) ?? "none", place);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    return fail("data_offsets must be two whole numbers ≥ 0", JSON.stringify(offsets) ?? "none", place);
  }
  const [start, end] = offsets as [number, number];
  const needed = elementCount(shape) * type.bytes;
  if (end - start !== needed) {
    fail(`${String(dtype)}${formatShape(shape)} must take ${needed} bytes`, `[${start},${end})`, place);
  }
  return { name, type, shape, start, end };
}

/** Tensors must fill the file from the header to its end, without gaps and without sharing bytes. */
function checkPlaces(entries: readonly Entry[], begin: number, length: number, fail: Fail): void {
  let at = 0;
  for (const { name, start, end } of entries.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    if (start !== at) {
      fail(`the next tensor must begin ${at} bytes after the header`, String(start), `tensor "${name}"`);
    }
    at = end;
  }
  if (begin + at !== length) {
    fail(`header and tensors must take the file's ${length} bytes`, String(begin + at), `byte ${begin}`);
  }
}

function readElements({ name, type, shape }: Entry, bytes: Uint8Array, offset: number, fail: Fail): DataOf {
  const { dtype, read } = type;
  const data = allocate(dtype, elementCount(shape));
  if (read === undefined) {
    new Uint8Array(data.buffer).set(bytes);
    return data;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < data.length; i++) {
    const value = read(view, i * type.bytes);
    data[i] = value;
    if (data[i] !== value) {
      fail(
        "whole numbers must fit into 32 bits",
        String(value),
        `tensor "${name}", element ${i}, byte ${offset + i * type.bytes}`,
      );
    }
  }
  return data;
}

/**
 * Writes tensors in the safetensors format: wider elements first, as the format's own library does, so that every tensor
 * is aligned to its elements and readers may use it in place.
 *
 * @throws Error if a tensor is named like the format's metadata, or its elements are not as many as its shape has
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array {
  const header: [name: string, value: unknown][] = [];
  if (metadata.size > 0) header.push(["__metadata__", Object.fromEntries(metadata)]);
  const sorted = [...tensors].sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  let end = 0;
  for (const [name, value] of sorted) {
    if (name === "__metadata__") {
      throw new Error('safetensors: a tensor must not be named as the metadata, got "__metadata__"; rename it');
    }
    if (value.data.byteLength !== bytesOf(value)) {
      throw new Error(
        `safetensors: a tensor must have its shape's elements, got ${value.data.length} for ${formatType(value)} (tensor "${name}"); change one of them`,
      );
    }
    const start = end;
    end += value.data.byteLength;
    header.push([name, { dtype: storedNames[value.dtype], shape: value.shape, data_offsets: [start, end] }]);
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const begin = lengthBytes + Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(begin + end).fill(0x20, lengthBytes, begin);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(begin - lengthBytes), true);
  bytes.set(json, lengthBytes);
  let at = begin;
  for (const [, { data }] of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}
