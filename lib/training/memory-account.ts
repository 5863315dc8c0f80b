import { type Attribute, GraphBuilder } from "../ir/index.ts";
import type { LayerSummary, Model } from "../nn/index.ts";
import { operatorTable } from "../ops/index.ts";
import { elementCount } from "../tensor/index.ts";

/** For how many samples, and how large an element is. */
export interface AccountOptions {
  /** 1 unless told otherwise. */
  readonly batch?: number;
  /** Bytes of an element: 4 for float32, which is what is meant unless told, 2 for half precision. */
  readonly bytesPerElement?: number;
}

/** A set of tensors that somebody counts when speaking of a network's memory, and what it comes to. */
export interface TensorSet {
  readonly name: string;
  /** What is in it, in words. */
  readonly contains: string;
  /** Elements for the whole batch. */
  readonly elements: number;
  readonly bytes: number;
}

/** One layer's share. */
export interface LayerAccount {
  readonly layer: string;
  readonly label: string;
  readonly parameterBytes: number;
  readonly outputBytes: number;
}

/** How much memory a network needs depends on which tensors are counted: every figure with the name of its set. */
export interface MemoryAccount {
  readonly kind: "memory-account";
  readonly title: string;
  readonly batch: number;
  readonly bytesPerElement: number;
  readonly sets: readonly TensorSet[];
  readonly layers: readonly LayerAccount[];
}

/** What a layer is, without its settings: `convolution` of `convolution(64, 3 × 3)`. */
const kindOf = ({ label }: LayerSummary): string => label.replace(/\(.*/s, "");

/**
 * Counts a network's memory by the sets of tensors that publications and tools count, without compiling anything: no
 * weight is drawn, so networks may be as large as one likes.
 */
export function accountMemory(model: Model, { batch = 1, bytesPerElement = 4 }: AccountOptions = {}): MemoryAccount {
  checkPositive("batch", batch);
  checkPositive("bytesPerElement", bytesPerElement);
  const outputs = (...kinds: readonly string[]): number =>
    model.layers
      .filter((layer) => kinds.includes(kindOf(layer)))
      .reduce((sum, { output }) => sum + elementCount(output), 0);
  const additions = additionElements(model);
  const products = outputs("convolution", "dense");
  const normalised = outputs("batchNorm", "layerNorm");
  const pools = outputs("maxPool", "averagePool", "globalAveragePool");
  const activations = outputs(...activationKinds);
  const input = elementCount(model.input);
  const set = (name: string, contains: string, perSample: number): TensorSet => {
    const elements = perSample * batch;
    return { name, contains, elements, bytes: elements * bytesPerElement };
  };
  const parameters = model.parameterCount;
  return {
    kind: "memory-account",
    title: `${model.name}, batch ${batch}, ${bytesPerElement} bytes an element`,
    batch,
    bytesPerElement,
    sets: [
      {
        name: "parameters",
        contains: "weights, biases, gains and shifts; once, whatever the batch",
        elements: parameters,
        bytes: parameters * bytesPerElement,
      },
      set(
        "products and additions",
        "outputs of convolutions and dense layers, and sums of shortcuts",
        products + additions,
      ),
      set(
        "without activations",
        "input, outputs of convolutions, normalisations and pools, and sums of shortcuts",
        input + outputs("convolution") + normalised + additions + pools,
      ),
      set(
        "products and normalisations, twice",
        "outputs of convolutions, normalisations and dense layers, and their gradients",
        2 * (products + normalised),
      ),
      set(
        "every output, twice",
        "outputs of all layers and of blocks, and their gradients",
        2 * (products + normalised + activations + pools + additions),
      ),
      set(
        "saved for backward",
        "input, outputs of convolutions, of activations (in place of what they are applied to) and of pools",
        input + outputs("convolution") + activations + pools,
      ),
    ],
    layers: model.layers.map((layer) => ({
      layer: layer.layer,
      label: layer.label,
      parameterBytes: layer.parameters * bytesPerElement,
      outputBytes: elementCount(layer.output) * batch * bytesPerElement,
    })),
  };
}

const activationKinds = ["relu", "tanh", "sigmoid", "gelu", "softplus", "leakyRelu", "softmax"];

/** One step of an argument about memory. */
export interface ArgumentRow {
  readonly step: string;
  readonly bytes: number;
  readonly how: string;
}

/** From weights and activations to what a training step takes, step by step. */
export interface MemoryArgument {
  readonly kind: "memory-argument";
  readonly title: string;
  readonly rows: readonly ArgumentRow[];
}

/**
 * Graphcore's argument why training takes so much memory ("Why is so much memory needed for deep neural networks?",
 * 2017), for any network: weights and activations, times the batch, copied for matrix products, in half the precision,
 * and with the batch that a machine twice as wide wants.
 */
export function memoryArgument(model: Model, { batch = 32 }: { readonly batch?: number } = {}): MemoryArgument {
  checkPositive("batch", batch);
  const weights = model.parameterCount;
  const [, { elements: activations }] = accountMemory(model).sets;
  const { largest, all } = patchElements(model);
  const bytes = (elements: number): number => 4 * elements;
  const millions = (elements: number): string => `${(elements / 1e6).toFixed(1)} M`;
  const rows: ArgumentRow[] = [
    { step: "weights", bytes: bytes(weights), how: `${millions(weights)} parameters in float32` },
    {
      step: "activations of one sample",
      bytes: bytes(activations),
      how: `${millions(activations)}: outputs of convolutions and dense layers, and sums of shortcuts`,
    },
    { step: "both", bytes: bytes(weights + activations), how: "batch 1" },
    {
      step: `both, batch ${batch}`,
      bytes: bytes(weights + batch * activations),
      how: "weights once, activations for each sample",
    },
    {
      step: "patches of the largest convolution",
      bytes: bytes(batch * largest),
      how: `what im2col copies for one matrix product, batch ${batch}`,
    },
    {
      step: "patches of all convolutions",
      bytes: bytes(batch * all),
      how: `what im2col would copy for all of them, batch ${batch}, if nothing were used again`,
    },
    {
      step: `half precision, batch ${batch}`,
      bytes: bytes(weights + batch * activations) / 2,
      how: "two bytes an element",
    },
    {
      step: `half precision, batch ${2 * batch}`,
      bytes: bytes(weights + 2 * batch * activations) / 2,
      how: "a SIMD machine twice as wide wants twice the batch: next to nothing is gained",
    },
  ];
  return { kind: "memory-argument", title: `Why so much memory: ${model.name}`, rows };
}

/** Elements of all sums of shortcuts, for one sample. */
function additionElements(model: Model): number {
  return forwardOperations(model)
    .filter(
      ({ operator, layer, shape }) =>
        operator === "add" && shape.length > 1 && shape[0] === 1 && layer !== "" && !/Norm\d*$/.test(layer),
    )
    .reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

/** Elements that im2col copies for one sample: each output position's patch of all input channels. */
function patchElements(model: Model): { readonly largest: number; readonly all: number } {
  let largest = 0;
  let all = 0;
  for (const { operator, shape, weight, groups } of forwardOperations(model)) {
    if (operator !== "convolution2d") continue;
    const [, , height, width] = shape;
    const patches = elementCount(weight.slice(1)) * groups * height * width;
    largest = Math.max(largest, patches);
    all += patches;
  }
  return { largest, all };
}

/** The operations of a forward pass of one sample, with shapes. */
function forwardOperations(model: Model) {
  const builder = new GraphBuilder(operatorTable, model.name);
  model.build(builder, builder.input("input", { shape: [1, ...model.input], dtype: "float32" }, "data"));
  return builder.operations.map(({ operator, layer, inputs, outputs, attributes }) => ({
    operator,
    layer,
    shape: outputs[0].type.shape,
    weight: inputs[1]?.type.shape ?? [],
    groups: ((attributes as Readonly<Record<string, Attribute>>).groups as number | undefined) ?? 1,
  }));
}

function checkPositive(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`memory account: ${name} must be a whole number ≥ 1, got ${value}; give { ${name}: 32 }`);
  }
}
