import { GraphBuilder, type Value } from "../../ir/index.ts";
import type { BuiltModel, LayerSummary, Mode, Model, ModelState, Parameter } from "../../nn/index.ts";
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
import { layerLabel } from "./layer-label.ts";
import type { Network, NetworkInput, NetworkNode } from "./network.ts";
import { valueOperand } from "./operand.ts";
import { GraphWeights, Inventory } from "./weights.ts";

/** What a model of a file may be told. */
export interface NetworkModelOptions {
  /** Shape of one sample, where the file leaves extents open. */
  readonly input?: Shape;
  /** Shown in reports; the graph's name in the file unless told otherwise. */
  readonly name?: string;
  /** Seed of what layers draw, such as dropout; 1 unless told otherwise. Weights are those of the file. */
  readonly seed?: number;
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
        label: layerLabel(made.operators),
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
