import { operatorTable } from "../ops/index.ts";
import { bytesOf, formatType } from "../tensor/index.ts";
import type { Schedule } from "./schedule.ts";

/** The column of the fold layout in which an operation stands. */
export type GraphColumn = "forward" | "input gradient" | "weight gradient" | "update";

/** One operation of the graph as a picture needs it. */
export interface GraphNode {
  /** Position in the schedule, 0 first. */
  readonly id: number;
  readonly operator: string;
  /** The path of the layer, such as `dense1` or `block2/conv1`; the empty string for the loss. */
  readonly layer: string;
  readonly column: GraphColumn;
  /** Types of the outputs, such as `float32[64,128]`. */
  readonly types: readonly string[];
  readonly outputBytes: number;
  readonly flops: number;
  /** Says that it computes again what was computed before, to save the memory in between. */
  readonly recomputed?: true;
}

/** A tensor that travels from one operation, or from outside, to another. */
export interface GraphEdge {
  /** Producing node, or null for an input of the graph. */
  readonly from: number | null;
  readonly to: number;
  /** The tensor's name, such as `dense1.weight` or `%12`. */
  readonly name: string;
  readonly type: string;
  readonly bytes: number;
  /** What the tensor is when it comes from outside. */
  readonly source: "operation" | "parameter" | "state" | "data" | "hyperparameter";
}

/** An operator graph as plain data, ready to be drawn: rows are layers, columns are phases. */
export interface GraphReport {
  readonly kind: "operator-graph";
  readonly title: string;
  /** Layer paths in the order in which data meets them. */
  readonly layers: readonly string[];
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/**
 * An operator graph as rows and columns.
 *
 * A backward operation whose result an update reads directly is a weight gradient, as are sums of such results;
 * every other one is on the way to an input.
 */
export function graphReport({ graph }: Schedule): GraphReport {
  const producer = new Map<number, number>();
  const source = new Map(graph.inputs.map((input) => [input.value.id, input]));
  const consumers = new Map<number, number[]>();
  for (const [id, { inputs, outputs }] of graph.operations.entries()) {
    for (const output of outputs) producer.set(output.id, id);
    for (const input of inputs) consumers.set(input.id, [...(consumers.get(input.id) ?? []), id]);
  }
  const columns = new Array<GraphColumn>(graph.operations.length);
  for (const [id, { phase, outputs }] of [...graph.operations.entries()].reverse()) {
    const readers = outputs.flatMap((output) => consumers.get(output.id) ?? []);
    const toWeights = (reader: number): boolean =>
      columns[reader] === "update" ||
      (columns[reader] === "weight gradient" && graph.operations[reader].operator === "add");
    if (phase === "backward") columns[id] = readers.some(toWeights) ? "weight gradient" : "input gradient";
    else columns[id] = phase;
  }
  const nodes = graph.operations.map((operation, id): GraphNode => {
    const types = operation.outputs.map((output) => output.type);
    const operator = operatorTable[operation.operator as keyof typeof operatorTable];
    const inputs = operation.inputs.map((input) => input.type);
    return {
      id,
      operator: operation.operator,
      layer: operation.layer,
      column: columns[id],
      types: types.map(formatType),
      outputBytes: types.reduce((sum, type) => sum + bytesOf(type), 0),
      flops: operator.cost(inputs, types, operation.attributes).flops,
      ...(operation.recomputed ? { recomputed: true as const } : {}),
    };
  });
  const edges = graph.operations.flatMap(({ inputs }, to) =>
    inputs.map((value): GraphEdge => {
      const outside = source.get(value.id);
      return {
        from: producer.get(value.id) ?? null,
        to,
        name: outside?.name ?? `%${value.id}`,
        type: formatType(value.type),
        bytes: bytesOf(value.type),
        source: outside?.role ?? "operation",
      };
    }),
  );
  // Data meets layers in the order of the forward pass; what has no forward operation comes last.
  const inOrder = [...nodes.filter((node) => node.column === "forward"), ...nodes].map((node) => node.layer);
  const layers = [...new Set(inOrder)].filter((layer) => layer !== "");
  return { kind: "operator-graph", title: graph.name, layers, nodes, edges };
}
