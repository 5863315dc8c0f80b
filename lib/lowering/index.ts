// A schedule becomes vertices here: at the fine grain, the network as a graph to be counted and drawn, and at the planned
// grain, what a device would run. What vertices compute is said in codelets/, what a device makes of them in simulator/.
// Go next to table.ts for the rule of each operator, to grain.ts for how work is cut, or to simulator/ to run it.
export type { Cut, FineOptions, Grain, Work, WorkCost } from "./grain.ts";
export {
  type Lowerable,
  type LoweredProgram,
  lower,
  lowerFine,
  type PlannedProgram,
} from "./lower.ts";
export type { OutlinedFunction } from "./outlined.ts";
export { bestCut, type Plan, type PlanOptions } from "./planner.ts";
export { tilesOf } from "./table.ts";
