// A schedule becomes vertices here: at the fine grain, the network as a graph to be counted and drawn, and at the planned
// grain, what a device would run. What vertices compute is said in codelets/, what a device makes of them in simulator/.
// Go next to table.ts for the rule of each operator, to grain.ts for how work is cut, or to simulator/ to run it.
export type { FineOptions, Grain, Work, WorkCost } from "./grain.ts";
export {
  type Lowerable,
  type LoweredProgram,
  lowerFine,
} from "./lower.ts";
export { tilesOf } from "./table.ts";
