import { GraphBuilder, type Value } from "../ir/index.ts";
import { operatorTable } from "../ops/index.ts";
import {
  checkShape,
  elementCount,
  type FloatDtype,
  formatShape,
  full,
  type HostTensor,
  random,
  type Shape,
  type TensorType,
} from "../tensor/index.ts";
import type { Initialiser } from "./initialisers.ts";
import type { Layer, LayerContext, Mode } from "./layer.ts";

/** A trainable tensor of a model. */
export interface Parameter {
  /** The layer's path and its own name, such as `dense1.weight`. */
  readonly name: string;
  readonly layer: string;
  readonly shape: Shape;
  readonly elements: number;
}

/** A tensor of a model that is kept from step to step and not trained, such as a running mean. */
export interface ModelState {
  /** The layer's path and its own name, such as `batchNorm1.mean`. */
  readonly name: string;
  readonly layer: string;
  readonly shape: Shape;
  readonly dtype: "float32" | "int32";
}

/** A state in a graph. */
export interface BuiltState {
  readonly name: string;
  readonly value: Value;
  /** What it becomes after the step; null if it stays. */
  readonly next: Value | null;
}

/** What a model has added to a graph. */
export interface BuiltModel {
  /** Shape [batch, …input]. */
  readonly input: Value;
  /** Shape [batch, …output]. */
  readonly output: Value;
  /** The values of the parameters in their order. */
  readonly parameters: readonly Value[];
  readonly states: readonly BuiltState[];
  /** What layers ask to be made small besides the loss, each of shape [batch]. */
  readonly objectives: readonly Value[];
}

/** One line of a model's summary. */
export interface LayerSummary {
  readonly layer: string;
  readonly label: string;
  /** Shape of one sample's output. */
  readonly output: Shape;
  readonly parameters: number;
}

/** A network: layers, the shape of a sample, and the seed from which its weights begin. Plain and immutable. */
export interface Model {
  readonly kind: "model";
  readonly name: string;
  /** Shape of one sample. */
  readonly input: Shape;
  /** Shape of one sample's output. */
  readonly output: Shape;
  readonly seed: number;
  readonly layers: readonly LayerSummary[];
  readonly parameters: readonly Parameter[];
  readonly parameterCount: number;
  /** What is kept from step to step besides the parameters. */
  readonly states: readonly ModelState[];
  /**
   * Adds the model to a graph.
   *
   * @param input shape [batch, …input]
   * @param mode what the graph is for; training unless told otherwise
   */
  build(builder: GraphBuilder, input: Value, mode?: Mode): BuiltModel;
  /** The values with which training begins, in the order of the parameters; the same for the same seed. */
  initialise(seed?: number): readonly HostTensor<"float32">[];
  /** The values with which the states begin, in their order. */
  initialStates(): readonly HostTensor<"float32" | "int32">[];
}

/** What a model needs besides its layers. */
export interface ModelOptions {
  /** Shape of one sample, such as [28, 28]. */
  readonly input: Shape;
  /** Seed of the first weights; 1 unless told otherwise. */
  readonly seed?: number;
  /** Shown in reports; `network` unless told otherwise. */
  readonly name?: string;
}

/** What a function that puts layers together may use; operators are applied with the builder. */
export type CompositionContext = Pick<LayerContext, "builder" | "mode" | "apply">;

/** Adds a model's operations, from its input [batch, …] to its output [batch, …]. */
export type Composition = (input: Value, context: CompositionContext) => Value;

interface Declared extends Parameter {
  readonly initialiser: Initialiser;
}

/** What is asked of a model's graph while layers add themselves. */
interface Surroundings {
  readonly mode: Mode;
  readonly seed: number;
  parameter(layer: string, name: string, shape: Shape, initialiser: Initialiser): Value;
  state(layer: string, name: string, type: TensorType, initial: number): Value;
  update(state: Value, next: Value): void;
  objective(layer: string, perSample: Value): void;
  visit(path: string, layer: Layer, output: Value): void;
}

/** Names the layers of one parent: by their own names, or by type and number: `dense1`, `dense2`. */
function naming(): (layer: Layer) => string {
  const counts = new Map<string, number>();
  const taken = new Set<string>();
  return ({ type, name }) => {
    const number = (counts.get(type) ?? 0) + 1;
    if (name === undefined) counts.set(type, number);
    const chosen = name ?? `${type}${number}`;
    if (/[/.]/.test(chosen) || taken.has(chosen)) {
      throw new Error(
        `${type}: a layer's name must be its own among its siblings, without "/" and ".", got "${chosen}"; rename it`,
      );
    }
    taken.add(chosen);
    return chosen;
  };
}

/** Adds what a function makes of an input and tells of every parameter, state and layer. */
function buildLayers(builder: GraphBuilder, compose: Composition, input: Value, around: Surroundings): Value {
  let streams = 0;
  const one = (path: string, name: string, layer: Layer, from: Value): Value =>
    builder.inLayer(name, () => {
      const next = naming();
      const context: LayerContext = {
        builder,
        mode: around.mode,
        dtype: input.type.dtype as FloatDtype,
        seed: around.seed,
        randomStream: () => ++streams,
        parameter: (own, shape, initialiser) => around.parameter(path, own, shape, initialiser),
        state: (own, type, initial) => around.state(path, own, type, initial),
        update: around.update,
        objective: (perSample) => around.objective(path, perSample),
        apply(inner, value) {
          const own = next(inner);
          return one(`${path}/${own}`, own, inner, value);
        },
      };
      const output = layer.build(context, from);
      around.visit(path, layer, output);
      return output;
    });
  const next = naming();
  return compose(input, {
    builder,
    mode: around.mode,
    apply(layer, value) {
      const name = next(layer);
      return one(name, name, layer, value);
    },
  });
}

/**
 * A model in which each layer's output is the next one's input.
 *
 * @throws Error naming the layer if the shapes do not fit together
 */
export function sequential(layers: readonly Layer[], options: ModelOptions): Model {
  return makeModel("sequential", (input, { apply }) => inTurn(layers, input, apply), options);
}

/**
 * A model in which layers are put together by a function, such as
 * `(x, { apply, builder }) => builder.apply("add", [x, apply(dense(3), x)])`. It is called anew for every graph. A layer
 * that is applied twice has parameters of its own each time.
 *
 * @throws Error naming the layer if the shapes do not fit together
 */
export function functional(compose: Composition, options: ModelOptions): Model {
  return makeModel("functional", compose, options);
}

/** Every layer's output is the next one's input. */
export function inTurn(layers: readonly Layer[], input: Value, apply: LayerContext["apply"]): Value {
  return layers.reduce((value, layer) => apply(layer, value), input);
}

function makeModel(subject: string, compose: Composition, options: ModelOptions): Model {
  const { input, seed = 1, name = "network" } = options;
  if (input === undefined) {
    throw new Error(`${subject}: the shape of a sample must be given, got none; write { input: [28, 28] }`);
  }
  checkShape(subject, input);
  const declared: Declared[] = [];
  const kept: (ModelState & { readonly initial: number })[] = [];
  const visited: { path: string; layer: Layer; output: Value }[] = [];
  const trial = new GraphBuilder(operatorTable, name);
  const sample = trial.input("input", { shape: [1, ...input], dtype: "float32" }, "data");
  const last = buildLayers(trial, compose, sample, {
    mode: "training",
    seed,
    parameter(layer, own, shape, initialiser) {
      const parameter = `${layer}.${own}`;
      declared.push({ name: parameter, layer, shape, elements: elementCount(shape), initialiser });
      return trial.input(parameter, { shape, dtype: "float32" }, "parameter");
    },
    state(layer, own, { shape, dtype }, initial) {
      const state = `${layer}.${own}`;
      if (dtype !== "int32" && dtype !== "float32") {
        throw new Error(
          `${layer}: a state must be of the graph's dtype or int32, got ${dtype}; use the context's dtype`,
        );
      }
      kept.push({ name: state, layer, shape, dtype, initial });
      return trial.input(state, { shape, dtype }, "state");
    },
    update() {},
    objective(layer, { type: { shape } }) {
      if (shape.length === 1 && shape[0] === 1) return;
      throw new Error(
        `${layer}: an objective must be one number per sample, [batch], got ${formatShape(shape)} for a batch of 1; sum over the other axes`,
      );
    },
    visit: (path, layer, output) => visited.push({ path, layer, output }),
  });
  const elementsOf = new Map<string, number>();
  for (const { layer, elements } of declared) elementsOf.set(layer, (elementsOf.get(layer) ?? 0) + elements);
  const initialisers = declared.map((parameter) => parameter.initialiser);
  const parameters = declared.map(({ initialiser: _, ...parameter }) => parameter);

  return {
    kind: "model",
    name,
    input,
    output: last.type.shape.slice(1),
    seed,
    layers: visited.map(({ path, layer, output }) => ({
      layer: path,
      label: layer.label,
      output: output.type.shape.slice(1),
      parameters: elementsOf.get(path) ?? 0,
    })),
    parameters,
    parameterCount: parameters.reduce((sum, parameter) => sum + parameter.elements, 0),
    states: kept.map(({ initial: _, ...state }) => state),
    build(builder, batch, mode = "training") {
      const { shape } = batch.type;
      if (formatShape(shape.slice(1)) !== formatShape(input)) {
        throw new Error(
          `${name}: a sample must have the model's input shape, got ${formatShape(shape.slice(1))} for ${formatShape(input)}; reshape the data or change { input }`,
        );
      }
      const dtype = batch.type.dtype as FloatDtype;
      const values: Value[] = [];
      const states: { readonly name: string; readonly value: Value }[] = [];
      const updates = new Map<Value, Value>();
      const objectives: Value[] = [];
      const output = buildLayers(builder, compose, batch, {
        mode,
        seed,
        parameter(layer, own, parameterShape) {
          const value = builder.input(`${layer}.${own}`, { shape: parameterShape, dtype }, "parameter");
          values.push(value);
          return value;
        },
        state(layer, own, type) {
          const state = `${layer}.${own}`;
          const value = builder.input(state, type, "state");
          states.push({ name: state, value });
          return value;
        },
        update: (state, next) => updates.set(state, next),
        objective: (_, perSample) => objectives.push(perSample),
        visit() {},
      });
      return {
        input: batch,
        output,
        objectives,
        parameters: values,
        states: states.map((state) => ({ ...state, next: updates.get(state.value) ?? null })),
      };
    },
    initialise: (other = seed) =>
      parameters.map(({ shape }, index) => initialisers[index](shape, random(other, index + 1))),
    initialStates: () => kept.map(({ shape, initial, dtype }) => full(shape, initial, dtype)),
  };
}
