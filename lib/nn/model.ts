import { GraphBuilder, type Value } from "../ir/index.ts";
import { operatorTable } from "../ops/index.ts";
import {
  checkShape,
  elementCount,
  type FloatDtype,
  formatShape,
  type HostTensor,
  random,
  type Shape,
} from "../tensor/index.ts";
import type { Initialiser } from "./initialisers.ts";
import type { Layer, LayerContext } from "./layer.ts";

/** A trainable tensor of a model. */
export interface Parameter {
  /** The layer's path and its own name, such as `dense1.weight`. */
  readonly name: string;
  readonly layer: string;
  readonly shape: Shape;
  readonly elements: number;
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
  /**
   * Adds the model to a graph.
   *
   * @param input shape [batch, …input]
   * @returns the output, [batch, …output], and the values of the parameters in their order
   */
  build(builder: GraphBuilder, input: Value): { readonly output: Value; readonly parameters: readonly Value[] };
  /** The values with which training begins, in the order of the parameters; the same for the same seed. */
  initialise(seed?: number): readonly HostTensor<"float32">[];
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

interface Declared extends Parameter {
  readonly initialiser: Initialiser;
}

/** Adds layers one after the other, numbering them by type, and tells of every parameter and layer. */
function buildLayers(
  builder: GraphBuilder,
  layers: readonly Layer[],
  input: Value,
  declare: (layer: string, name: string, shape: Shape, initialiser: Initialiser) => Value,
  visit: (path: string, layer: Layer, output: Value) => void,
): Value {
  const run = (path: string, inner: readonly Layer[], from: Value): Value => {
    const counts = new Map<string, number>();
    let value = from;
    for (const layer of inner) {
      const number = (counts.get(layer.type) ?? 0) + 1;
      counts.set(layer.type, number);
      const name = `${layer.type}${number}`;
      value = one(path === "" ? name : `${path}/${name}`, name, layer, value);
    }
    return value;
  };
  const one = (path: string, name: string, layer: Layer, from: Value): Value =>
    builder.inLayer(name, () => {
      const counts = new Map<string, number>();
      const context: LayerContext = {
        builder,
        parameter: (parameter, shape, initialiser) => declare(path, parameter, shape, initialiser),
        apply(inner, value) {
          const number = (counts.get(inner.type) ?? 0) + 1;
          counts.set(inner.type, number);
          return one(`${path}/${inner.type}${number}`, `${inner.type}${number}`, inner, value);
        },
      };
      const output = layer.build(context, from);
      visit(path, layer, output);
      return output;
    });
  return run("", layers, input);
}

/**
 * A model in which each layer's output is the next one's input.
 *
 * @throws Error naming the layer if the shapes do not fit together
 */
export function sequential(layers: readonly Layer[], options: ModelOptions): Model {
  const { input, seed = 1, name = "network" } = options;
  if (input === undefined) {
    throw new Error("sequential: the shape of a sample must be given, got none; write { input: [28, 28] }");
  }
  checkShape("sequential", input);
  const declared: Declared[] = [];
  const visited: { path: string; layer: Layer; output: Value }[] = [];
  const trial = new GraphBuilder(operatorTable, name);
  const declare = (layer: string, own: string, shape: Shape, initialiser: Initialiser): Value => {
    const parameter = `${layer}.${own}`;
    declared.push({ name: parameter, layer, shape, elements: elementCount(shape), initialiser });
    return trial.input(parameter, { shape, dtype: "float32" }, "parameter");
  };
  const sample = trial.input("input", { shape: [1, ...input], dtype: "float32" }, "data");
  const last = buildLayers(trial, layers, sample, declare, (path, layer, output) => {
    visited.push({ path, layer, output });
  });
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
      parameters: declared
        .filter((parameter) => parameter.layer === path)
        .reduce((sum, parameter) => sum + parameter.elements, 0),
    })),
    parameters,
    parameterCount: parameters.reduce((sum, parameter) => sum + parameter.elements, 0),
    build(builder, batch) {
      const { shape } = batch.type;
      if (formatShape(shape.slice(1)) !== formatShape(input)) {
        throw new Error(
          `${name}: a sample must have the model's input shape, got ${formatShape(shape.slice(1))} for ${formatShape(input)}; reshape the data or change { input }`,
        );
      }
      const values: Value[] = [];
      const output = buildLayers(
        builder,
        layers,
        batch,
        (layer, own, parameterShape) => {
          const dtype = batch.type.dtype as FloatDtype;
          const value = builder.input(`${layer}.${own}`, { shape: parameterShape, dtype }, "parameter");
          values.push(value);
          return value;
        },
        () => {},
      );
      return { output, parameters: values };
    },
    initialise: (other = seed) =>
      parameters.map(({ shape }, index) => initialisers[index](shape, random(other, index + 1))),
  };
}
