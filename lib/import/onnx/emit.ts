import type { GraphBuilder } from "../../ir/index.ts";
import type { Mode } from "../../nn/index.ts";
import type { FloatDtype } from "../../tensor/index.ts";
import type { Network } from "./network.ts";
import { NodeContext, type WeightStore } from "./node-context.ts";
import { constantOperand, type Operand } from "./operand.ts";
import { rules } from "./rules/index.ts";

/** What a network is added to. */
export interface Surroundings {
  readonly builder: GraphBuilder;
  readonly mode: Mode;
  readonly dtype: FloatDtype;
  readonly batch: NodeContext["batch"];
  readonly weights: WeightStore;
  /** Called after each node, for what is told of layers. */
  visit?(node: Network["nodes"][number], outputs: readonly Operand[]): void;
}

/**
 * Adds a network's operations to a graph, node by node; what follows from shapes alone is computed on the way.
 *
 * @param given the operands for the network's inputs, by name
 * @returns the wanted outputs, in order
 * @throws Error naming file, node and operator where a rule does not hold
 */
export function emitNetwork(
  network: Network,
  given: ReadonlyMap<string, Operand>,
  around: Surroundings,
): readonly Operand[] {
  const operands = new Map(given);
  const find = (name: string): Operand => {
    const known = operands.get(name);
    if (known !== undefined) return known;
    const constant = network.initializer(name);
    if (constant === undefined) throw new Error(`internal: nobody has made "${name}" (in ${network.file})`);
    const operand = constantOperand(constant, name);
    operands.set(name, operand);
    return operand;
  };
  for (const node of network.nodes) {
    const outputs = around.builder.inLayer(node.layer, () => {
      const inputs = node.inputs.map((name) => (name === "" ? null : find(name)));
      try {
        return rules[node.operator](new NodeContext(node, inputs, { ...around, network }));
      } catch (error) {
        throw new Error(`${network.file}: node "${node.name}" (${node.operator}): ${(error as Error).message}`, {
          cause: error,
        });
      }
    });
    for (const [index, name] of node.outputs.entries()) {
      if (name !== "" && outputs[index] !== undefined) operands.set(name, outputs[index]);
    }
    checkOutputs(network, node, operands);
    around.visit?.(node, outputs);
  }
  return network.outputs.map(find);
}

/** A rule need not give every output that the file names, but those that are used. */
function checkOutputs(network: Network, node: Network["nodes"][number], made: ReadonlyMap<string, Operand>): void {
  const missing = node.outputs.find((name) => name !== "" && !made.has(name) && network.used.has(name));
  if (missing !== undefined) {
    throw new Error(
      `${network.file}: node "${node.name}" (${node.operator}): outputs must be among those that the rule gives, got "${missing}"; export the model without it`,
    );
  }
}
