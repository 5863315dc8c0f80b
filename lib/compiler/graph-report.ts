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
