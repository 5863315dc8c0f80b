export type { GraphColumn, GraphEdge, GraphNode, GraphReport } from "./graph-report.ts";
