// What is done to an operator graph before any machine is chosen lives here: passes, a file each, listed in
// pipeline.ts, and memory strategies. Liveness and offsets do not: they follow for each target in engine/ and lowering/.
// Go next to loops/ and engine/ to see a schedule executed.
export { type GraphColumn, type GraphEdge, type GraphNode, type GraphReport, graphReport } from "./graph-report.ts";
export { makeSchedule, type PassObserver, pipeline } from "./pipeline.ts";
export { isSharedView, type Pass, type Schedule, storageOf } from "./schedule.ts";
export { microBatchesFor, microBatchesOf } from "./strategies/accumulate.ts";
export * as strategies from "./strategies/index.ts";
export { rooflineSeconds } from "./strategies/offload.ts";
export { planSchedule } from "./strategies/plan-schedule.ts";
export type {
  MemoryStrategy,
  PlanContext,
  PlanOnTarget,
  StorageUse,
  StrategyPlan,
  TargetPlan,
} from "./strategies/strategy.ts";
export { type MemoryOption, type StrategyName, strategiesOf, strategyNames } from "./strategies/table.ts";
export type { Budget } from "./strategies/within-budget.ts";
