// Memory strategies to be made to measure live here, as `compile(model, { memory: strategies.checkpoint({ … }) })` takes
// them. What they share does not: see rematerialisation/ for cutting and replaying graphs, memory/ for plain numbers.
// Go on to strategy.ts for what a strategy is, or to table.ts for their names.
export { accumulate } from "./accumulate.ts";
export { type CheckpointOptions, checkpoint } from "./checkpoint.ts";
export { type EvictOptions, evict } from "./evict.ts";
export { type ExactOptions, exact } from "./exact.ts";
export { inPlaceOnly } from "./in-place.ts";
export { keepEverything } from "./keep-everything.ts";
export { type LowPrecisionOptions, lowPrecision, type StorageFormat } from "./low-precision.ts";
export { type LinkedDevice, type OffloadOptions, offload } from "./offload.ts";
export { type RematerialiseOptions, rematerialise } from "./rematerialise.ts";
export { reuse } from "./reuse.ts";
export { reversible } from "./reversible.ts";
export { type RevolveOptions, revolve } from "./revolve.ts";
export { type SampleBlocksOptions, sampleBlocks } from "./sample-blocks.ts";
export { type Budget, withinBudget } from "./within-budget.ts";
