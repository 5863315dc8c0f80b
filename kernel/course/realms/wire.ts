// How values travel between the process that runs a student's code and the one that judges it.

/** A value as JSON. `ref` is an object that stays with its sender; `yours` one that the receiver lent before. */
export type Wire =
  | null
  | boolean
  | number
  | string
  | { readonly u: 1 }
  | { readonly n: string }
  | { readonly big: string }
  | { readonly a: readonly Wire[] }
  | { readonly o: readonly (readonly [string, Wire])[] }
  | { readonly m: readonly (readonly [Wire, Wire])[] }
  | { readonly s: readonly Wire[] }
  | { readonly d: number }
  | { readonly t: string; readonly b: string }
  | { readonly e: { readonly name: string; readonly message: string } }
  | { readonly ref: number; readonly is: "function" | "promise" | "object" }
  | { readonly yours: number };

/** What one side asks of the other. */
export type Request =
  | { readonly id: number; readonly op: "name"; readonly name: string }
  | { readonly id: number; readonly op: "get" | "has"; readonly ref: number; readonly key: string }
  | { readonly id: number; readonly op: "set"; readonly ref: number; readonly key: string; readonly value: Wire }
  | { readonly id: number; readonly op: "keys" | "iterate" | "await"; readonly ref: number }
  | {
      readonly id: number;
      readonly op: "call";
      readonly ref: number;
      readonly self: Wire;
      readonly args: readonly Wire[];
    }
  | { readonly id: number; readonly op: "new"; readonly ref: number; readonly args: readonly Wire[] };

/** The answer to the request of that number. `changed` are arguments that the callee wrote into, by position. */
export type Reply =
  | { readonly id: number; readonly ok: Wire; readonly changed?: readonly (readonly [number, Wire])[] }
  | { readonly id: number; readonly error: Wire };

/** What one side keeps: the objects that it lent, and how those that it was lent look here. */
export interface Objects {
  /** The number under which an object of ours is lent. */
  lend(object: object): number;
  /** The number of an object that the other side lent, if it is one. */
  lentTo(object: object): number | undefined;
  /** Our view of an object of the other side. */
  view(ref: number, is: "function" | "promise" | "object"): unknown;
  /** An object that we lent. */
  own(ref: number): unknown;
}

type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

// Captured before anybody else's code runs.
const typedArrays: ReadonlyMap<string, new (buffer: ArrayBuffer) => TypedArray> = new Map(
  [
    Float32Array,
    Float64Array,
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    BigInt64Array,
    BigUint64Array,
  ].map((type) => [type.name, type as never]),
);
const errors: ReadonlyMap<string, new (message: string) => Error> = new Map(
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError].map((type) => [type.name, type]),
);
const { getPrototypeOf, entries, prototype: objectPrototype } = Object;
const { isArray } = Array;
const { isView } = ArrayBuffer;
const { from } = Buffer;

const deepest = 60;

/** Encodes a value: plain data is copied, everything else is lent. */
export function encode(value: unknown, objects: Objects, depth = 0): Wire {
  switch (typeof value) {
    case "undefined":
      return { u: 1 };
    case "boolean":
    case "string":
      return value;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { n: Object.is(value, -0) ? "-0" : String(value) };
    case "bigint":
      return { big: String(value) };
    case "symbol":
      return { u: 1 };
  }
  if (value === null) return null;
  const lent = objects.lentTo(value as object);
  if (lent !== undefined) return { yours: lent };
  if (typeof value === "function") return { ref: objects.lend(value), is: "function" };
  return encodeObject(value as object, objects, depth);
}

function encodeObject(value: object, objects: Objects, depth: number): Wire {
  if (depth < deepest) {
    const inner = (item: unknown): Wire => encode(item, objects, depth + 1);
    if (isArray(value)) return { a: Array.from(value, inner) };
    if (isView(value) && !(value instanceof DataView)) {
      const { buffer, byteOffset, byteLength } = value as TypedArray;
      const name = typedArrayName(value as TypedArray);
      return { t: name, b: from(buffer as ArrayBuffer, byteOffset, byteLength).toString("base64") };
    }
    if (value instanceof Map) return { m: [...value].map(([key, item]) => [inner(key), inner(item)]) };
    if (value instanceof Set) return { s: [...value].map(inner) };
    if (value instanceof Date) return { d: value.getTime() };
    if (value instanceof Error) return { e: { name: String(value.name), message: String(value.message) } };
    if (isPlainData(value, depth)) return { o: entries(value).map(([key, item]) => [key, inner(item)]) };
  }
  return { ref: objects.lend(value), is: value instanceof Promise ? "promise" : "object" };
}

function typedArrayName(value: TypedArray): string {
  // A Buffer is a Uint8Array to whoever knows no Buffer.
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  return typedArrays.has(tag) ? tag : "Uint8Array";
}

/** Whether an object is a record of data all the way down: no behaviour, no class. */
function isPlainData(value: object, depth: number): boolean {
  const prototype = getPrototypeOf(value);
  if (prototype !== null && prototype !== objectPrototype) return false;
  if (depth > deepest) return false;
  for (const [, item] of entries(value)) {
    if (typeof item === "function") return false;
    if (typeof item !== "object" || item === null || isArray(item) || isView(item)) continue;
    if (item instanceof Map || item instanceof Set || item instanceof Date || item instanceof Error) continue;
    if (!isPlainData(item, depth + 1)) return false;
  }
  return true;
}

/** Decodes what {@link encode} made on the other side. Throws on anything else. */
export function decode(wire: Wire, objects: Objects): unknown {
  if (wire === null || typeof wire !== "object") return wire;
  const inner = (item: Wire): unknown => decode(item, objects);
  if ("u" in wire) return undefined;
  if ("n" in wire) return Number(wire.n);
  if ("big" in wire) return BigInt(wire.big);
  if ("a" in wire) return wire.a.map(inner);
  if ("o" in wire) return Object.fromEntries(wire.o.map(([key, item]) => [key, inner(item)]));
  if ("m" in wire) return new Map(wire.m.map(([key, item]) => [inner(key), inner(item)]));
  if ("s" in wire) return new Set(wire.s.map(inner));
  if ("d" in wire) return new Date(wire.d);
  if ("t" in wire) {
    const bytes = from(wire.b, "base64");
    const copy = new Uint8Array(bytes).buffer;
    const type = typedArrays.get(wire.t);
    if (type === undefined) throw new TypeError(`wire: must name a kind of array, got ${wire.t}`);
    return new type(copy);
  }
  if ("e" in wire) {
    const name = String(wire.e.name);
    const error = new (errors.get(name) ?? Error)(String(wire.e.message));
    if (error.name !== name) Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
    return error;
  }
  if ("yours" in wire) return objects.own(wire.yours);
  if ("ref" in wire) return objects.view(wire.ref, wire.is);
  throw new TypeError("wire: must be a value, got something else");
}

/** Writes the changes that a callee made to a copy of `original` into it, keeping what is the same object inside. */
export function patch(original: unknown, changed: unknown): void {
  if (typeof original !== "object" || original === null || typeof changed !== "object" || changed === null) return;
  if (isView(original) && isView(changed)) {
    const target = original as Uint8Array;
    if (target.length === (changed as Uint8Array).length) target.set(changed as Uint8Array);
    return;
  }
  if (isArray(original) && isArray(changed)) original.length = changed.length;
  const target = original as Record<string, unknown>;
  for (const [key, item] of entries(changed)) {
    // By this name the callee would reach what every object of this process inherits from.
    if (key === "__proto__") continue;
    const old = target[key];
    const isContainer = typeof old === "object" && old !== null && typeof item === "object" && item !== null;
    if (isContainer && isArray(old) === isArray(item)) patch(old, item);
    else if (!Object.is(old, item)) target[key] = item;
  }
}
