import { elementCount, formatShape, type Shape } from "../../tensor/index.ts";
import type { Constant } from "../onnx/constant.ts";
import type { NetworkNode } from "../onnx/network.ts";
import type { AttributeMessage } from "../onnx/schema.ts";
import type { LayerCall } from "./architecture.ts";

/** A tensor between layers: pictures may stand as [n,c,h,w], which our operators want, or as Keras has them, [n,h,w,c]. */
export interface Tensor {
  readonly name: string;
  /** With the batch. */
  readonly rank: number;
  readonly channels: "first" | "last";
}

/** A weight of a layer, by its name in Keras and its place among the layer's weights. */
export type WeightsOf = (call: LayerCall, name: string, index: number) => Constant;

/** An attribute of a node. */
export type Given =
  | { readonly whole: number }
  | { readonly wholes: readonly number[] }
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly text: string };

/** Puts one layer together from nodes of ONNX, whose rules are there already. */
export class LayerWriter {
  readonly call: LayerCall;
  readonly #file: string;
  readonly #weights: WeightsOf;
  readonly #nodes: NetworkNode[];
  readonly #initializers: Map<string, Constant>;
  #count = 0;
  #weightCount = 0;

  constructor(
    call: LayerCall,
    parts: {
      readonly file: string;
      readonly weights: WeightsOf;
      readonly nodes: NetworkNode[];
      readonly initializers: Map<string, Constant>;
    },
  ) {
    this.call = call;
    this.#file = parts.file;
    this.#weights = parts.weights;
    this.#nodes = parts.nodes;
    this.#initializers = parts.initializers;
  }

  fail(rule: string, got: string, remedy = "build the model without it"): never {
    throw new Error(`${this.#file}: ${rule}, got ${got} (layer "${this.call.name}", ${this.call.type}); ${remedy}`);
  }

  /** Adds a node and returns the name of its first output. */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Given>> = {},
    outputs: readonly (string | null)[] = [null],
  ): string {
    const made = outputs.map((own) => own ?? `${this.call.output}/${operator}${++this.#count}`);
    this.#nodes.push({
      operator,
      name: this.call.name,
      layer: this.call.name.replaceAll(".", "_"),
      inputs,
      outputs: made,
      attributes: new Map(Object.entries(attributes).map(([name, value]) => [name, attribute(name, value)])),
    });
    return made[0];
  }

  numbers(values: readonly number[]): string {
    return this.node("Constant", [], { value_floats: { floats: values } });
  }

  wholes(values: readonly number[]): string {
    return this.node("Constant", [], { value_ints: { wholes: values } });
  }

  /** The layer's next weight, in the form that `change` gives it. */
  weight(name: string, shape: (own: Shape) => boolean, change: (weight: Constant) => Constant = (own) => own): string {
    const key = `${this.call.name}/${name}`;
    const index = this.#weightCount++;
    if (!this.#initializers.has(key)) {
      const weight = this.#weights(this.call, name, index);
      if (!weight.real || !shape(weight.shape))
        this.fail(`${name} must fit the layer`, formatShape(weight.shape), "save the model again");
      this.#initializers.set(key, change(weight));
    }
    return key;
  }

  /** The shape of a weight, in the form that it was given. */
  shapeOfWeight(key: string): Shape {
    return this.#initializers.get(key)?.shape ?? this.fail("internal: a weight must be there", key);
  }

  /** The tensor as Keras has it, for layers in which the order of elements counts. */
  last({ name, rank, channels }: Tensor): Tensor {
    if (channels === "last") return { name, rank, channels };
    const order = [0, ...axes(rank).slice(2), 1];
    return { name: this.node("Transpose", [name], { perm: { wholes: order } }), rank, channels: "last" };
  }

  /** The tensor with channels in front, for layers over pictures and sequences. */
  first({ name, rank, channels }: Tensor): Tensor {
    if (channels === "first" || rank < 3) return { name, rank, channels: rank < 3 ? "last" : "first" };
    const order = [0, rank - 1, ...axes(rank).slice(1, -1)];
    return { name: this.node("Transpose", [name], { perm: { wholes: order } }), rank, channels: "first" };
  }

  // Settings, read from JSON that may hold anything.

  setting(name: string, otherwise: unknown = undefined): unknown {
    return this.call.settings[name] ?? otherwise;
  }

  whole(name: string, otherwise?: number): number {
    const value = this.setting(name, otherwise);
    return Number.isSafeInteger(value) ? (value as number) : this.fail(`${name} must be a whole number`, shown(value));
  }

  number(name: string, otherwise: number): number {
    const value = this.setting(name, otherwise);
    return typeof value === "number" ? value : this.fail(`${name} must be a number`, shown(value));
  }

  truth(name: string, otherwise: boolean): boolean {
    const value = this.setting(name, otherwise);
    return typeof value === "boolean" ? value : this.fail(`${name} must be true or false`, shown(value));
  }

  wholeList(name: string, otherwise: readonly number[]): readonly number[] {
    const value = this.setting(name, otherwise);
    const list = Number.isSafeInteger(value) ? otherwise.map(() => value) : value;
    if (Array.isArray(list) && list.every((entry) => Number.isSafeInteger(entry))) return list;
    return this.fail(`${name} must be whole numbers`, shown(value));
  }

  /** Refuses settings that ask for what is not here. */
  expect(name: string, expected: unknown): void {
    const value = this.setting(name, expected);
    if (JSON.stringify(value) !== JSON.stringify(expected))
      this.fail(`${name} must be ${shown(expected)}`, shown(value));
  }
}

export const axes = (rank: number): readonly number[] => Array.from({ length: rank }, (_, axis) => axis);

const shown = (value: unknown): string =>
  value === undefined ? "none" : (JSON.stringify(value) ?? "none").slice(0, 60);

function attribute(name: string, given: Given): AttributeMessage {
  const nothing = { float: undefined, whole: undefined, text: undefined, tensor: undefined, graph: undefined };
  const empty = { ...nothing, floats: [], wholes: [], texts: [], type: undefined, name };
  if ("text" in given) return { ...empty, text: new TextEncoder().encode(given.text) };
  return { ...empty, ...given };
}

/** A constant with its axes in another order. */
export function transposed({ shape, real, data }: Constant, order: readonly number[]): Constant {
  const target = order.map((axis) => shape[axis]);
  const strides = order.map((axis) => elementCount(shape.slice(axis + 1)));
  const made = data instanceof Float32Array ? new Float32Array(data.length) : new Float64Array(data.length);
  const place = target.map(() => 0);
  let from = 0;
  for (let to = 0; to < made.length; to++) {
    made[to] = data[from];
    for (let axis = target.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++place[axis] < target[axis]) break;
      from -= strides[axis] * target[axis];
      place[axis] = 0;
    }
  }
  return { shape: target, real, data: made };
}
