// The public surface of the library, and nothing else: what a script imports and a notebook sees.
// The rooms stand in lib/README.md in the order in which a network travels through them.
// Go next to training/ for the front door, or to ir/ for what lies below.
export {
  checkClose,
  checkGradients,
  checkLossFalls,
  checkPeakBelow,
  checkShape,
  credit,
  type GradientCheckReport,
} from "./checks/index.ts";
export { codeletTable as codelets } from "./codelets/index.ts";
export { type MemoryOption, type MemoryStrategy, makeSchedule, pipeline, strategies } from "./compiler/index.ts";
export { type Engine as HostEngine, type Execution, referenceEngine } from "./engine/index.ts";
export {
  type Dataset,
  encodeSafetensors,
  parseIdx,
  parseSafetensors,
  type Samples,
  sampleCount,
  sliceDataset,
} from "./formats/index.ts";
export {
  type BlockGraph,
  type BlockProgram,
  branch,
  type Codelet,
  type ComputeSet,
  call,
  checkGraph,
  chips,
  choose,
  codelet,
  concat,
  copy,
  devices,
  errorProgram,
  execute,
  formatCensus,
  Graph,
  graphcoreCounts,
  groupFamilies,
  inOut,
  input,
  output,
  type Program as VertexProgram,
  printTensor,
  programFunction,
  repeat,
  repeatWhile,
  sequence,
  state,
  type Target,
  type TensorView,
  takeCensus,
  toGraph,
  type VertexCensus,
  verifyGraph,
} from "./graph/index.ts";
export { type ExportOptions, exportModel, type ImportOptions, importModel, type TrainedModel } from "./import/index.ts";
export { GraphBuilder, gradients, type OperatorGraph, parseGraph, printGraph, verify } from "./ir/index.ts";
export { type LoweredProgram, lower, lowerFine, type PlannedProgram } from "./lowering/index.ts";
export { exactRematerialisation, explainPeak, type MemoryReport, validatePlan } from "./memory/index.ts";
export * as nn from "./nn/index.ts";
export { operatorTable as operators } from "./ops/index.ts";
export * as plot from "./plot/index.ts";
export {
  BlockEngine,
  compareReports,
  compareRuns,
  Engine,
  type ExecutionReport,
  formatComparison,
  formatMachines,
  formatProgramTree,
  formatReport,
  formatReportComparison,
  formatTileMemory,
  type MachineReport,
  machines,
  OutOfMemoryError,
  type ProgramTree,
  perfettoTrace,
  runLayered,
  runOnTiles,
  type Superstep,
  simulate,
  type TileMemory,
} from "./simulator/index.ts";
export { full, type HostTensor, random, tensor, toNested, zeros } from "./tensor/index.ts";
export {
  accountMemory,
  type CheckpointOptions,
  type CompileOptions,
  compareMemory,
  compile,
  type EarlyStopping,
  type Evaluation,
  type FitOptions,
  type Host,
  InterruptedError,
  inferenceGraph,
  type LossScaling,
  largestThatFits,
  loadWeights,
  memoryArgument,
  memoryFrontier,
  Program,
  type Progress,
  residentWeights,
  type SampleStream,
  saveWeights,
  setHost,
  type TrainingHistory,
  trainingGraph,
} from "./training/index.ts";
