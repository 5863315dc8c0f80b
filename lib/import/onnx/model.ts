import { GraphBuilder, type Value } from "../../ir/index.ts";
import type {
  BuiltModel,
  Layer,
  LayerContext,
  LayerSummary,
  Mode,
  Model,
  ModelState,
  Parameter,
} from "../../nn/index.ts";
import { operatorTable } from "../../ops/index.ts";
import {
  checkShape,
  elementCount,
  type FloatDtype,
  formatShape,
  full,
  type HostTensor,
  type Shape,
} from "../../tensor/index.ts";
import type { Constant } from "./constant.ts";
import { emitNetwork } from "./emit.ts";
import type { Network, NetworkInput, NetworkNode } from "./network.ts";
import type { WeightStore } from "./node-context.ts";
import { valueOperand } from "./operand.ts";

/** What a model of a file may be told. */
export interface NetworkModelOptions {
  /** Shape of one sample, where the file leaves extents open. */
  readonly input?: Shape;
  /** Shown in reports; the graph's name in the file unless told otherwise. */
  readonly name?: string;
  /** Seed of what layers draw, such as dropout; 1 unless told otherwise. Weights are those of the file. */
  readonly seed?: number;
}

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
class Inventory {
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

/**
 * A network of a file as a model: its weights are the parameters with which training begins, running statistics and
 * constants of data are states, and each node stands in the layer that the file names.
 *
 * @throws Error naming the file, and the node where a rule does not hold
 */
export function networkModel(network: Network, options: NetworkModelOptions = {}): Model {
  const { file, outputs } = network;
  const { seed = 1, name = network.name } = options;
  if (network.inputs.length !== 1) {
    throw new Error(
      `${file}: a model must have one input, got ${network.inputs.map((input) => input.name).join(", ") || "none"}; export a model that takes one tensor`,
    );
  }
  const [source] = network.inputs;
  const { input, declared } = sampleShape(file, source, options.input);
  const inventory = new Inventory();
  const layers = new Map<string, { operators: string[]; output: Shape }>();

  const add = (
    builder: GraphBuilder,
    from: Value,
    mode: Mode,
    visit?: (node: NetworkNode, output: Shape) => void,
  ): BuiltModel => {
    const dtype = from.type.dtype as FloatDtype;
    const weights = new GraphWeights(builder, mode, dtype, seed, inventory);
    const whole = (): Value => builder.inLayer(source.name, () => builder.apply("cast", [from], { dtype: "int32" }));
    const data = source.real ? from : whole();
    const [result] = emitNetwork(network, new Map([[source.name, valueOperand(data)]]), {
      builder,
      mode,
      dtype,
      batch: { actual: from.type.shape[0], declared },
      weights,
      visit(node, made) {
        if (made[0].kind === "value") visit?.(node, made[0].value.type.shape);
      },
    });
    if (result.kind !== "value" || result.value.type.shape[0] !== from.type.shape[0]) {
      throw new Error(
        `${file}: the output must have a row for each sample, got ${result.kind === "value" ? formatShape(result.value.type.shape) : "a constant"} for a batch of ${from.type.shape[0]} ("${outputs[0]}"); export the model with the batch as the first axis, or take another output with { output }`,
      );
    }
    return weights.built(from, result.value);
  };

  const trial = new GraphBuilder(operatorTable, name);
  const sample = trial.input("input", { shape: [1, ...input], dtype: "float32" }, "data");
  const { output } = add(trial, sample, "training", (node, shape) => {
    const layer = layers.get(node.layer);
    if (layer === undefined) layers.set(node.layer, { operators: [node.operator], output: shape });
    else layers.set(node.layer, { operators: [...layer.operators, node.operator], output: shape });
  });
  const weights = [...inventory.parameters.values()];
  const states = [...inventory.states.values()];
  const parameters = weights.map(
    ({ name: own, layer, constant: { shape } }): Parameter => ({
      name: own,
      layer,
      shape,
      elements: elementCount(shape),
    }),
  );
  const elements = new Map<string, number>();
  for (const parameter of parameters) {
    elements.set(parameter.layer, (elements.get(parameter.layer) ?? 0) + parameter.elements);
  }
  return {
    kind: "model",
    name,
    input,
    output: output.type.shape.slice(1),
    seed,
    layers: [...layers].map(
      ([layer, made]): LayerSummary => ({
        layer,
        label: [...new Set(made.operators)].join(", "),
        output: made.output.slice(1),
        parameters: elements.get(layer) ?? 0,
      }),
    ),
    parameters,
    parameterCount: parameters.reduce((sum, parameter) => sum + parameter.elements, 0),
    states: states.map(
      ({ name: own, layer, dtype, constant: { shape } }): ModelState => ({ name: own, layer, shape, dtype }),
    ),
    build(builder, batch, mode = "training") {
      const { shape } = batch.type;
      if (formatShape(shape.slice(1)) !== formatShape(input)) {
        throw new Error(
          `${name}: a sample must have the model's input shape, got ${formatShape(shape.slice(1))} for ${formatShape(input)}; reshape the data or import with { input }`,
        );
      }
      return add(builder, batch, mode);
    },
    initialise: () => weights.map(({ constant }) => hostTensor(constant, "float32")),
    initialStates: () => states.map(({ constant, dtype }) => hostTensor(constant, dtype)),
  };
}

function hostTensor<D extends "float32" | "int32">({ shape, data }: Constant, dtype: D): HostTensor<D> {
  const tensor = full(shape, 0, dtype);
  tensor.data.set(data);
  return tensor;
}

/** The shape of one sample, and the batch if the file fixes one. */
function sampleShape(
  file: string,
  { name, extents }: NetworkInput,
  given: Shape | undefined,
): { readonly input: Shape; readonly declared: number | null } {
  const first = extents?.[0];
  const declared = typeof first === "number" && first >= 1 ? first : null;
  if (given !== undefined) {
    checkShape(file, given);
    return { input: given, declared };
  }
  const open = extents?.slice(1).filter((extent) => typeof extent !== "number" || extent < 0);
  if (extents === null || extents.length === 0 || open === undefined || open.length > 0) {
    const shown = extents === null ? "none" : `[${extents.map((extent) => extent ?? "?").join(",")}]`;
    throw new Error(
      `${file}: extents of a sample must be known, got ${shown} (input "${name}"); give them with { input: [3, 224, 224] }, without the batch`,
    );
  }
  return { input: extents.slice(1) as number[], declared };
}

/** The weights of one graph. */
class GraphWeights implements WeightStore {
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
