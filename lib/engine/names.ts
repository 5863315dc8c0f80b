import type { GraphInput, GraphOutput } from "../ir/index.ts";
import type { CompiledProgram } from "./program.ts";

/**
 * The input of that name.
 *
 * @throws Error listing the names that there are
 */
export function findInput({ schedule: { graph } }: CompiledProgram, name: string): GraphInput {
  return find("input", graph.name, graph.inputs, name);
}

/**
 * The output of that name.
 *
 * @throws Error listing the names that there are
 */
export function findOutput({ schedule: { graph } }: CompiledProgram, name: string): GraphOutput {
  return find("output", graph.name, graph.outputs, name);
}

function find<T extends { readonly name: string }>(kind: string, graph: string, all: readonly T[], name: string): T {
  const found = all.find((item) => item.name === name);
  if (found === undefined) {
    const names = all.map((item) => item.name).join(", ");
    throw new Error(`${graph}: an ${kind} must exist, got "${name}"; this program has ${names}`);
  }
  return found;
}
