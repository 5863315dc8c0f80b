import { type Constant, isReal, type ReadExternal, readConstant } from "./constant.ts";
import { drawnConstant } from "./drawn.ts";
import { layerNames } from "./layer-names.ts";
import { meaningSince, operatorSets } from "./operator-versions.ts";
import { readMessage } from "./protobuf.ts";
import { type AttributeMessage, modelFields, type TensorMessage, type ValueMessage } from "./schema.ts";

/** One node of a network: an operator applied to tensors that have names; an empty name is an input left out. */
export interface NetworkNode {
  readonly operator: string;
  /** The file's name for it, or one of our making; what errors call it. */
  readonly name: string;
  /** The path of the layer in which its operations stand. */
  readonly layer: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeMessage>;
}

/** A tensor that the file asks for. */
export interface NetworkInput {
  readonly name: string;
  /** Whether its elements are real numbers. */
  readonly real: boolean;
  /** Its extents; a name, or null, where the file leaves one open. Null if the file says nothing of its shape. */
  readonly extents: readonly (number | string | null)[] | null;
}

/** What an ONNX file says, as far as its first output, or the one that is wanted, depends on it. */
export interface Network {
  /** What errors call the file. */
  readonly file: string;
  readonly name: string;
  /** In an order in which tensors are made before they are used. */
  readonly nodes: readonly NetworkNode[];
  readonly inputs: readonly NetworkInput[];
  /** The wanted ones. */
  readonly outputs: readonly string[];
  /** Names of tensors that a node takes or that are wanted. */
  readonly used: ReadonlySet<string>;
  /** Tensors that stand in the file, by name; read when they are first asked for. */
  readonly initializer: (name: string) => Constant | undefined;
}

/**
 * Reads an ONNX file: version, graph, and which nodes the wanted outputs depend on.
 *
 * @param known whether there is a rule for an operator
 * @param outputs names of the wanted outputs; the first one unless told otherwise
 * @param drawSeed draws tensors whose data is elsewhere, instead of reading them
 * @throws Error naming file and nodes: all that have no rule in one error
 */
export function readNetwork(
  bytes: Uint8Array,
  file: string,
  external: ReadExternal,
  known: (operator: string) => boolean,
  outputs?: readonly string[],
  drawSeed?: number,
): Network {
  const model = readMessage(modelFields, bytes, file);
  const { graph } = model;
  if (graph === undefined) {
    throw new Error(`${file}: a model must have a graph, got none; check that it is an ONNX file and whole`);
  }
  const version = model.operatorSets.find(({ domain }) => isOwnDomain(domain))?.version;
  if (version === undefined || version < 1 || version > operatorSets.greatest) {
    throw new Error(
      `${file}: the version of the operators must be at most ${operatorSets.greatest}, got ${version ?? "none"} (opset_import); export with opset_version=18, or convert with onnx.version_converter`,
    );
  }
  const available = graph.outputs.map(({ name }) => name ?? "");
  const wanted = outputs ?? available.slice(0, 1);
  const missing = wanted.filter((name) => !available.includes(name));
  if (wanted.length === 0 || missing.length > 0) {
    throw new Error(
      `${file}: outputs must be the model's, got ${missing.map((name) => `"${name}"`).join(", ") || "none"}; it has ${available.join(", ") || "none"}`,
    );
  }
  const layers = layerNames(graph.nodes);
  const all = graph.nodes.map((node, index): NetworkNode & { readonly domain: string } => ({
    operator: node.operator ?? "",
    name: node.name || `${node.operator ?? "node"} ${index + 1}`,
    layer: layers[index],
    inputs: node.inputs,
    outputs: node.outputs,
    attributes: new Map(node.attributes.map((attribute) => [attribute.name ?? "", attribute])),
    domain: isOwnDomain(node.domain) ? "" : `${node.domain}.`,
  }));
  const messages = new Map<string, TensorMessage>(graph.initializers.map((tensor) => [tensor.name ?? "", tensor]));
  const read = new Map<string, Constant>();
  const nodes = neededNodes(all, wanted);
  const unsupported = nodes.filter(({ domain, operator }) => domain !== "" || !known(operator));
  if (unsupported.length > 0) {
    const shown = unsupported.slice(0, 20).map(({ name, domain, operator }) => `"${name}" (${domain}${operator})`);
    const more = unsupported.length > shown.length ? ` and ${unsupported.length - shown.length} more` : "";
    throw new Error(
      `${file}: every node must be of a supported operator, got ${shown.join(", ")}${more}; export the model without them, or take an output before them with { output }`,
    );
  }
  const changed = nodes.find(({ operator }) => version < meaningSince(operator));
  if (changed !== undefined) {
    throw new Error(
      `${file}: an operator must mean what it does at version ${operatorSets.least} of the operators, got version ${version} for node "${changed.name}" (${changed.operator}: from ${meaningSince(changed.operator)} on); export with opset_version=18, or convert with onnx.version_converter`,
    );
  }
  checkOrder(file, nodes, [...graph.inputs.map(({ name }) => name ?? ""), ...messages.keys()], wanted);
  const used = new Set(nodes.flatMap(({ inputs }) => inputs).concat(wanted));
  return {
    file,
    name: graph.name || "network",
    nodes,
    inputs: graph.inputs
      .filter(({ name = "" }) => used.has(name) && !messages.has(name))
      .map((input) => readInput(input, file)),
    outputs: wanted,
    used,
    initializer(name) {
      const message = messages.get(name);
      if (message === undefined) return undefined;
      const known = read.get(name);
      if (known !== undefined) return known;
      const drawn = drawSeed !== undefined && message.dataLocation === 1;
      const made = drawn
        ? drawnConstant(message, file, drawSeed, read.size + 1)
        : readConstant(message, file, external);
      read.set(name, made);
      return made;
    },
  };
}

const isOwnDomain = (domain = ""): boolean => domain === "" || domain === "ai.onnx";

/** The nodes on which some tensors depend, in the file's order. */
function neededNodes<N extends NetworkNode>(nodes: readonly N[], wanted: readonly string[]): readonly N[] {
  const needed = new Set(wanted);
  const kept: N[] = [];
  for (let index = nodes.length - 1; index >= 0; index--) {
    const node = nodes[index];
    if (!node.outputs.some((output) => output !== "" && needed.has(output))) continue;
    for (const input of node.inputs) needed.add(input);
    kept.push(node);
  }
  return kept.reverse();
}

/** Every tensor must be made once, before it is used. */
function checkOrder(
  file: string,
  nodes: readonly NetworkNode[],
  given: readonly string[],
  wanted: readonly string[],
): void {
  const made = new Set(["", ...given]);
  for (const { name, operator, inputs, outputs } of nodes) {
    const missing = inputs.find((input) => !made.has(input));
    if (missing !== undefined) {
      throw new Error(
        `${file}: tensors must be made before they are used, got "${missing}" (node "${name}", ${operator}); export the file again`,
      );
    }
    for (const output of outputs) made.add(output);
  }
  const missing = wanted.find((output) => !made.has(output));
  if (missing !== undefined) {
    throw new Error(`${file}: outputs must be made by a node, got none for "${missing}"; export the file again`);
  }
}

function readInput({ name = "", type }: ValueMessage, file: string): NetworkInput {
  const real = isReal(type?.tensor?.elementType ?? 0);
  if (real === undefined) {
    throw new Error(
      `${file}: an input must be a tensor of numbers, got type ${type?.tensor?.elementType ?? "none"} (input "${name}"); export the model with tensors of float32 or int64`,
    );
  }
  const extents = type?.tensor?.shape?.dimensions.map(({ value, parameter }) => value ?? parameter ?? null) ?? null;
  return { name, real, extents };
}
