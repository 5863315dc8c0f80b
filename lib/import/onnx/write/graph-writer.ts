import type { Value } from "../../../ir/index.ts";
import type { HostTensor, Shape } from "../../../tensor/index.ts";
import type { Draft } from "../protobuf.ts";
import { attributeTypes, type modelFields } from "../schema.ts";
import { type Extent, isOpen, type OpenShape, reshapeTarget } from "./extents.ts";

type GraphDraft = NonNullable<Draft<typeof modelFields>["graph"]>;
type NodeDraft = NonNullable<GraphDraft["nodes"]>[number];
type TensorDraft = NonNullable<GraphDraft["initializers"]>[number];

/** An attribute of a node; whole numbers and floats are told apart, since files do. */
export type WrittenAttribute =
  | { readonly whole: number }
  | { readonly wholes: readonly number[] }
  | { readonly float: number }
  | { readonly text: string };

/** TensorProto.DataType's numbers. */
export const dataTypes = { float32: 1, int32: 6, int64: 7, float16: 10, float64: 11, bfloat16: 16 } as const;

/** The bytes of a tensor as files hold them: little endian. */
function rawBytes(type: "float32" | "int32" | "int64", numbers: ArrayLike<number>): Uint8Array {
  const width = type === "int64" ? 8 : 4;
  const view = new DataView(new ArrayBuffer(numbers.length * width));
  for (let i = 0; i < numbers.length; i++) {
    if (type === "float32") view.setFloat32(i * 4, numbers[i], true);
    else if (type === "int32") view.setInt32(i * 4, numbers[i], true);
    else view.setBigInt64(i * 8, BigInt(numbers[i]), true);
  }
  return new Uint8Array(view.buffer);
}

/** Puts the nodes and tensors of a file together, and gives every tensor a name. */
export class GraphWriter {
  readonly nodes: NodeDraft[] = [];
  readonly initializers: TensorDraft[] = [];
  /** The path under which nodes are named. */
  layer = "";
  readonly #names = new Map<number, string>();
  readonly #counts = new Map<string, number>();
  readonly #constants = new Map<string, string>();
  readonly #input: string;
  #batch: string | null = null;
  #made = 0;

  /** @param input the name of the graph's input, whose first extent is the batch */
  constructor(input: string) {
    this.#input = input;
  }

  /** The name of a value, under which nodes take it. */
  nameOf(value: Value): string {
    const name = this.#names.get(value.id);
    if (name === undefined) throw new Error(`internal: %${value.id} has not been written`);
    return name;
  }

  /** Whether a value has been written. */
  has(value: Value): boolean {
    return this.#names.has(value.id);
  }

  name(value: Value, name: string): void {
    this.#names.set(value.id, name);
  }

  /** A tensor of the model, under its own name. */
  initializer(name: string, { shape, dtype, data }: HostTensor<"float32" | "int32">): void {
    const rawData =
      dtype === "float32" && littleEndian
        ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
        : rawBytes(dtype, data);
    this.initializers.push({ name, dims: shape, dataType: dataTypes[dtype], rawData });
  }

  /** Numbers known when the file is written; alike ones are written once. */
  constant(type: "float32" | "int64", shape: Shape, numbers: readonly number[]): string {
    const key = `${type}[${shape.join()}]:${numbers.map((number) => (Object.is(number, -0) ? "-0" : number)).join()}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = `constant${this.#constants.size + 1}`;
    this.#constants.set(key, name);
    this.initializers.push({ name, dims: shape, dataType: dataTypes[type], rawData: rawBytes(type, numbers) });
    return name;
  }

  number(value: number): string {
    return this.constant("float32", [], [value]);
  }

  wholes(values: readonly number[]): string {
    return this.constant("int64", [values.length], values);
  }

  /** Adds a node with one output, and returns that. */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, WrittenAttribute>> = {},
    output = `${this.layer === "" ? "" : `${this.layer}.`}${operator}${++this.#made}`,
  ): string {
    this.nodeOf(operator, inputs, attributes, [output]);
    return output;
  }

  /** Adds a node with outputs of these names. */
  nodeOf(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, WrittenAttribute>>,
    outputs: readonly string[],
  ): void {
    const path = `${this.layer === "" ? "" : `${this.layer}/`}${operator}`;
    const count = this.#counts.get(path) ?? 0;
    this.#counts.set(path, count + 1);
    this.nodes.push({
      name: count === 0 ? path : `${path}_${count}`,
      operator,
      inputs,
      outputs,
      attributes: Object.entries(attributes).map(([name, value]) => {
        if ("whole" in value) return { name, whole: value.whole, type: attributeTypes.whole };
        if ("wholes" in value) return { name, wholes: value.wholes, type: attributeTypes.wholes };
        if ("float" in value) return { name, float: value.float, type: attributeTypes.float };
        return { name, text: new TextEncoder().encode(value.text), type: attributeTypes.text };
      }),
    });
  }

  /** A shape as a tensor; extents that follow from the batch are computed from the input's. */
  shape(extents: OpenShape): string {
    if (!extents.some(isOpen)) return this.wholes(extents as readonly number[]);
    const parts = extents.map((extent) => this.#extent(extent));
    return parts.length === 1 ? parts[0] : this.node("Concat", parts, { axis: { whole: 0 } });
  }

  /** A tensor under another shape. */
  reshaped(tensor: string, shape: OpenShape, output?: string): string {
    const target = reshapeTarget(shape);
    const inputs = [tensor, target === null ? this.shape(shape) : this.wholes(target)];
    // Extents of 0 are what they are, not those of the input.
    const attributes: Record<string, WrittenAttribute> = target?.includes(0) ? { allowzero: { whole: 1 } } : {};
    return this.node("Reshape", inputs, attributes, output);
  }

  #extent(extent: Extent): string {
    if (!isOpen(extent)) return this.wholes([extent]);
    if (this.#batch === null) {
      const { layer } = this;
      this.layer = "";
      this.#batch = this.node("Shape", [this.#input], { start: { whole: 0 }, end: { whole: 1 } });
      this.layer = layer;
    }
    const { perSample } = extent;
    return perSample === 1 ? this.#batch : this.node("Mul", [this.#batch, this.wholes([perSample])]);
  }
}

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
