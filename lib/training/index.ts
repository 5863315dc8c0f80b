// Models meet data here: compile a model, fit it, evaluate it, ask where its memory goes.
// What happens inside a step is not here: see compiler/ and engine/.
// Go next to plot/ for pictures of what comes back, or to checks/ for what assignments assert.
export { type CompileOptions, compile } from "./compile.ts";
export type { Evaluation } from "./evaluation.ts";
export type { FitOptions } from "./fit.ts";
export { type GraphOptions, inferenceGraph, trainingGraph } from "./graphs.ts";
export type { EpochRecord, TrainingHistory } from "./history.ts";
export { type Host, InterruptedError, type Progress, setHost } from "./host.ts";
export { Program } from "./program.ts";
export { loadWeights, saveWeights } from "./weights-file.ts";
