// Programs of vertices run here on a modelled device: values, supersteps, cycles, exchanged bytes and each tile's memory.
// How graphs are built and what codelets compute and cost is not said here.
// Go next to graph/ for what is run, or to codelets/ for where cycles come from.
export { BlockEngine, type BlockEngineOptions, simulate } from "./block-engine.ts";
export { type ComparedFigure, compareRuns, type ExecutionComparison, formatComparison } from "./compare.ts";
export {
  type ComparableReport,
  compareReports,
  formatReportComparison,
  type ReportComparison,
} from "./compare-reports.ts";
export { byteJoules, type Energy, operationJoules, tileByteJoules, totalJoules } from "./energy.ts";
export { Engine, type EngineOptions } from "./engine.ts";
export type { StreamCallback } from "./host-side.ts";
export { type LayeredMachine, type MachineReport, machines, type Precision, runLayered } from "./layered-machine.ts";
export {
  type FixedMemory,
  formatTileMemory,
  OutOfMemoryError,
  type StepMemory,
  type TileBuffer,
  type TileMemory,
} from "./memory.ts";
export { perfettoTrace, type TraceOptions } from "./perfetto.ts";
export { formatProgramTree, type ProgramNode, type ProgramTree, type TreeTextOptions } from "./program-tree.ts";
export { type ExecutionReport, formatReport } from "./report.ts";
export type { Superstep } from "./superstep.ts";
export { formatMachines, runOnTiles } from "./tile-machine.ts";
