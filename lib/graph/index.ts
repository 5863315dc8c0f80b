// Graphs of vertices on tiles are built here: targets, variables, tensors as views of them, codelets, compute sets,
// edges, programs, and the rules that all of them keep. What library codelets compute and what a device does with a
// graph is said elsewhere. Go next to codelets/ for codelets, or to simulator/ for an engine.
export {
  type Cell,
  type Codelet,
  type CodeletOptions,
  codelet,
  type Direction,
  type EdgeField,
  type Field,
  type FieldSizes,
  type Fields,
  type FieldValues,
  inOut,
  input,
  output,
  type ReadonlyVector,
  state,
} from "./codelet.ts";
export type { ComputeSet, VertexReference } from "./compute-set.ts";
export { type ElementType, elementBytes, type VectorOf } from "./element-type.ts";
export { type Columns, type Connections, type EdgeColumn, Graph } from "./graph.ts";
export type { Run } from "./pieces.ts";
export {
  branch,
  call,
  choose,
  copy,
  errorProgram,
  execute,
  type Program,
  type ProgramFunction,
  partsOf,
  printTensor,
  programFunction,
  repeat,
  repeatWhile,
  sequence,
} from "./program.ts";
export { devices, type Target } from "./target.ts";
export { concat, TensorView } from "./tensor-view.ts";
export { flatValues } from "./values.ts";
export type { Values, Variable } from "./variables.ts";
export { checkGraph, type Diagnostic, verifyGraph, verticesOfComputeSets } from "./verify.ts";
