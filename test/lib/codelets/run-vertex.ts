import * as assert from "uvu/assert";
import { type Codelet, devices, execute, Graph, type TensorView } from "../../../lib/graph/index.ts";
import { Engine } from "../../../lib/simulator/index.ts";
import { decodeHalf } from "../../../lib/tensor/index.ts";

/** What to give a field: numbers for a tensor, with its shape as its length; one number for state. */
type Given = Readonly<Record<string, readonly number[] | number>>;

interface Outcome {
  readonly values: Readonly<Record<string, readonly number[]>>;
  /** Cycles of the vertex's tile. */
  readonly cycles: number;
}

/** Runs one vertex on a device, with every index looked at and then without: both must leave the same values. */
export function runVertex(codelet: Codelet, given: Given): Outcome {
  const graph = new Graph(devices.gc200);
  const tensors = new Map<string, TensorView>();
  const connections: Record<string, TensorView | number> = {};
  for (const [name, field] of Object.entries(codelet.fields)) {
    const value = given[name];
    if (field.kind === "state") {
      connections[name] = value as number;
      continue;
    }
    const values = value as readonly number[];
    const tensor = graph.addVariable(field.type, field.extent === "scalar" ? [] : [values.length], name);
    graph.setTileMapping(tensor, 5).setInitialValue(tensor, values);
    connections[name] = tensor;
    tensors.set(name, tensor);
  }
  const computeSet = graph.addComputeSet("tested");
  graph.setTileMapping(graph.addVertex(computeSet, codelet, connections), 5);
  const engine = new Engine(graph, execute(computeSet), { checkAllBounds: true }).run();
  const trusting = new Engine(graph, execute(computeSet)).run();
  const values: Record<string, number[]> = {};
  for (const [name, tensor] of tensors) {
    const { data, dtype } = engine.readTensor(tensor);
    assert.equal(trusting.readTensor(tensor).data, data, `${codelet.name}, field ${name}`);
    values[name] = Array.from(data, (value) => (dtype === "float16" ? decodeHalf("float16", value) : value));
  }
  return { values, cycles: engine.report().supersteps[0].computeCycles[5] };
}

export const zeros = (count: number): number[] => new Array<number>(count).fill(0);
