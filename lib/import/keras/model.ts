import type { Model } from "../../nn/index.ts";
import type { Constant } from "../onnx/constant.ts";
import { type NetworkModelOptions, networkModel } from "../onnx/model.ts";
import type { NetworkNode } from "../onnx/network.ts";
import { readArchitecture } from "./architecture.ts";
import { LayerWriter, type Tensor, type WeightsOf } from "./layer-writer.ts";
import { layerRules } from "./layers.ts";

/**
 * A model of Keras: every layer becomes nodes of ONNX, for which there are rules, under the layer's name. Pictures stay with
 * channels in front from the first layer that wants them so to the first that does not.
 *
 * @param config the JSON of the model
 * @param weightsOf gives a layer's weights
 * @throws Error naming the file, and every layer that cannot be imported
 */
export function kerasModel(
  config: unknown,
  file: string,
  weightsOf: (layers: readonly { readonly type: string; readonly name: string }[]) => WeightsOf,
  options: NetworkModelOptions,
): Model {
  const architecture = readArchitecture(config, file);
  const { calls, input, output } = architecture;
  const unknown = calls.filter(({ type }) => !Object.hasOwn(layerRules, type));
  if (unknown.length > 0) {
    const shown = [...new Set(unknown.slice(0, 20).map(({ name, type }) => `"${name}" (${type})`))].join(", ");
    throw new Error(
      `${file}: every layer must be a supported one, got ${shown}; build the model without them, or export it as ONNX`,
    );
  }
  const nodes: NetworkNode[] = [];
  const initializers = new Map<string, Constant>();
  const weights = weightsOf(architecture.layers);
  const made = new Map<string, Tensor>([
    [input.name, { name: input.name, rank: input.shape.length + 1, channels: "last" }],
  ]);
  const find = (name: string): Tensor => {
    const tensor = made.get(name);
    if (tensor === undefined)
      throw new Error(`${file}: tensors must be made by a layer, got "${name}"; save the model again`);
    return tensor;
  };
  for (const call of calls) {
    const writer = new LayerWriter(call, { file, weights, nodes, initializers });
    made.set(call.output, layerRules[call.type](writer, call.inputs.map(find)));
  }
  const result = find(output);
  const lastCall = calls.find((call) => call.output === output);
  if (lastCall === undefined) throw new Error(`${file}: a model must have layers, got none; add one`);
  const { name } = new LayerWriter(lastCall, { file, weights, nodes, initializers }).last(result);
  return networkModel(
    {
      file,
      name: architecture.name,
      nodes,
      inputs: [{ name: input.name, real: true, extents: [null, ...input.shape] }],
      outputs: [name],
      used: new Set([...nodes.flatMap(({ inputs }) => inputs), name]),
      initializer: (own) => initializers.get(own),
    },
    options,
  );
}
