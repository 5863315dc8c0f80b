// The mathematics of fitting buffers into memory lives here, on plain numbers: problems, solvers, the lower bound and
// an independent validator, the report of bytes over time, checkpointing of chains, small graphs by integer programme.
// Graphs and tensors are unknown here.
// Go next to compiler/strategies/ for strategies that change what has to be stored, or to engine/ for who asks.
export { bestFitPlan } from "./best-fit.ts";
export { liveBound } from "./bound.ts";
export { type Chain, type ChainAction, type ChainLayer, type ChainPlan, simulateChain } from "./chain.ts";
export { type OptimalChainPlan, optimalChainPlan, revolveForwardSteps, smallestChainBudget } from "./chain-optimum.ts";
export { segmentedChainPlan } from "./chain-segments.ts";
export {
  type RematerialisationNode,
  type RematerialisationProblem,
  simulateRematerialisation,
} from "./exact-programme.ts";
export {
  type ExactRematerialisation,
  exactRematerialisation,
  solveRematerialisation,
} from "./exact-rematerialisation.ts";
export { explainPeak, type PeakBuffer, type PeakExplanation } from "./explain.ts";
export { bestGreedyPlan, type GreedyOrder, greedyOrders, greedyPlan } from "./greedy.ts";
export type { MemoryPlan, MemoryProblem, TensorBuffer } from "./problem.ts";
export { formatMemoryCsv, type MemoryTable, parseMemoryCsv } from "./problem-csv.ts";
export {
  type BufferLabel,
  type MemoryCategory,
  type MemoryReport,
  memoryReport,
  type StepLabel,
  type StrategyReport,
} from "./report.ts";
export { type OffsetOptions, type OffsetSolution, solveOffsets } from "./solve-offsets.ts";
export { type Violation, validatePlan } from "./validate.ts";
