import type { GraphBuilder, Value } from "../../ir/index.ts";
import type { BuiltModel, Layer, LayerContext, Mode } from "../../nn/index.ts";
import { elementCount, type FloatDtype } from "../../tensor/index.ts";
import type { Constant } from "./constant.ts";
import type { NetworkNode } from "./network.ts";
import type { WeightStore } from "./node-context.ts";

interface Weight {
  readonly name: string;
  readonly layer: string;
  readonly constant: Constant;
}

interface State extends Weight {
  readonly dtype: "float32" | "int32";
}

/**
 * Parameters and states by their names in the file, in the order in which a graph first asks for them. The first graph
 * of a model names them all; later ones find them again.
 */
export class Inventory {
  readonly parameters = new Map<string, Weight>();
  readonly states = new Map<string, State>();
  readonly #names = new Set<string>();

  parameter(key: string, constant: Constant, layer: string): Weight {
    const known = this.parameters.get(key);
    if (known !== undefined) return known;
    const weight = { name: this.#name(layer, key), layer, constant };
    this.parameters.set(key, weight);
    return weight;
  }

  state(key: string, constant: Constant, layer: string): State {
    const known = this.states.get(key);
    if (known !== undefined) return known;
    const state = {
      name: this.#name(layer, key),
      layer,
      constant,
      dtype: constant.real ? "float32" : "int32",
    } as const;
    this.states.set(key, state);
    return state;
  }

  /** The layer's path and what the file's name ends in: `conv1.weight`; numbered where that is taken. */
  #name(layer: string, key: string): string {
    const last = key.split(/[./:]/).at(-1) ?? "";
    const own = /^[A-Za-z_]\w*$/.test(last) ? last : "weight";
    let name = `${layer}.${own}`;
    for (let number = 2; this.#names.has(name); number++) name = `${layer}.${own}${number}`;
    this.#names.add(name);
    return name;
  }
}

/** The weights of one graph. */
export class GraphWeights implements WeightStore {
  readonly #builder: GraphBuilder;
  readonly #mode: Mode;
  readonly #dtype: FloatDtype;
  readonly #seed: number;
  readonly #inventory: Inventory;
  readonly #parameters = new Map<string, Value>();
  readonly #states = new Map<string, Value>();
  readonly #updates = new Map<Value, Value>();
  readonly #objectives: Value[] = [];
  #streams = 0;

  constructor(builder: GraphBuilder, mode: Mode, dtype: FloatDtype, seed: number, inventory: Inventory) {
    this.#builder = builder;
    this.#mode = mode;
    this.#dtype = dtype;
    this.#seed = seed;
    this.#inventory = inventory;
  }

  parameter(initializer: string, constant: Constant, { layer }: NetworkNode): Value {
    const known = this.#parameters.get(initializer);
    if (known !== undefined) return known;
    const { name } = this.#inventory.parameter(initializer, constant, layer);
    const value = this.#builder.input(name, { shape: constant.shape, dtype: this.#dtype }, "parameter");
    this.#parameters.set(initializer, value);
    return value;
  }

  state(key: string, constant: Constant, { layer }: NetworkNode): Value {
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const { name, dtype } = this.#inventory.state(key, constant, layer);
    const type = { shape: constant.shape, dtype: dtype === "int32" ? dtype : this.#dtype };
    const value = this.#builder.input(name, type, "state");
    this.#states.set(key, value);
    return value;
  }

  update(state: Value, next: Value): void {
    this.#updates.set(state, next);
  }

  layer(layer: Layer, input: Value, node: NetworkNode, take: (name: string) => Value): Value {
    const context: LayerContext = {
      builder: this.#builder,
      mode: this.#mode,
      dtype: this.#dtype,
      seed: this.#seed,
      randomStream: () => ++this.#streams,
      parameter: take,
      state: (name, { shape, dtype }, initial) => {
        if (dtype !== "int32") return take(name);
        const data = new Float64Array(elementCount(shape)).fill(initial);
        return this.state(`${node.outputs[0]}.${name}`, { shape, real: false, data }, node);
      },
      update: (state, next) => this.update(state, next),
      objective: (perSample) => this.#objectives.push(perSample),
      apply: (inner, value) => this.layer(inner, value, node, take),
    };
    return layer.build(context, input);
  }

  /** What was added, parameters and states in the order of the model's. An answer asks for fewer states than training. */
  built(input: Value, output: Value): BuiltModel {
    const { parameters, states } = this.#inventory;
    return {
      input,
      output,
      parameters: [...parameters.keys()].map((key) => this.#parameters.get(key) as Value),
      states: [...states]
        .filter(([key]) => this.#states.has(key))
        .map(([key, { name }]) => {
          const value = this.#states.get(key) as Value;
          return { name, value, next: this.#updates.get(value) ?? null };
        }),
      objectives: this.#objectives,
    };
  }
}
