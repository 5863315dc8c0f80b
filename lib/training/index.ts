// Models meet data here: compile a model, fit it, evaluate it, ask where its memory goes.
// What happens inside a step is not here: see compiler/ and engine/.
// Go next to plot/ for pictures of what comes back, or to checks/ for what assignments assert.
export type { SampleIterable, SampleStream } from "./batches.ts";
export type { CheckpointOptions } from "./checkpoint.ts";
export {
  type CompareMemoryOptions,
  compareMemory,
  largestThatFits,
  type StrategiesReport,
  type StrategyComparison,
} from "./compare-memory.ts";
export { type CompileOptions, compile } from "./compile.ts";
export type { EarlyStopping } from "./early-stopping.ts";
export type { Evaluation } from "./evaluation.ts";
export type { FitOptions } from "./fit-options.ts";
export { type GraphOptions, inferenceGraph, type TrainingGraphOptions, trainingGraph } from "./graphs.ts";
export type { EpochRecord, TrainingHistory } from "./history.ts";
export { type Host, InterruptedError, type Progress, setHost } from "./host.ts";
export type { GradientSource, InputGradient, InputGradientOptions } from "./input-gradient.ts";
export type { LossScaling } from "./loss-scaling.ts";
export {
  type AccountOptions,
  accountMemory,
  type MemoryAccount,
  type MemoryArgument,
  memoryArgument,
} from "./memory-account.ts";
export { type FrontierPoint, type FrontierReport, memoryFrontier } from "./memory-frontier.ts";
export { Program } from "./program.ts";
export {
  type ResidentWeightsOptions,
  type ResidentWeightsReport,
  type ResidentWeightsRow,
  residentWeights,
} from "./resident-weights.ts";
export { loadWeights, saveWeights } from "./weights-file.ts";
