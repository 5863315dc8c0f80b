import { makeSchedule, type Pass } from "../../lib/compiler/index.ts";
import { type Engine, type Execution, referenceEngine } from "../../lib/engine/index.ts";
import type { OperatorGraph } from "../../lib/ir/index.ts";
import type { DataOf, HostTensor } from "../../lib/tensor/index.ts";

/** Compiles a graph, sets its inputs, runs it once and copies its outputs. */
export async function evaluate(
  graph: OperatorGraph,
  inputs: ReadonlyMap<string, HostTensor>,
  { engine = referenceEngine(), passes }: { readonly engine?: Engine; readonly passes?: readonly Pass[] } = {},
): Promise<Map<string, DataOf>> {
  const execution = await engine.load(engine.compile(makeSchedule(graph, passes)));
  const outputs = runOnce(execution, graph, inputs);
  execution.dispose();
  return outputs;
}

/** Sets the inputs of a loaded program, runs it once and copies its outputs. */
export function runOnce(
  execution: Execution,
  graph: OperatorGraph,
  inputs: ReadonlyMap<string, HostTensor>,
): Map<string, DataOf> {
  for (const [name, { data }] of inputs) execution.input(name).set(data as never);
  execution.run();
  return new Map(graph.outputs.map(({ name }) => [name, execution.output(name).slice()]));
}
