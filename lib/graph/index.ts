// Graphs of vertices on tiles are built here: targets, variables, tensors as views of them, codelets, compute sets,
// edges, programs, and the rules that all of them keep. What library codelets compute and what a device does with a
// graph is said elsewhere. Go next to codelets/ for codelets, or to simulator/ for an engine.
//
// A graph of millions of vertices is a `BlockGraph`, and this is how it is read. Its vertices stand in families, in the
// order in which they run; a family is a compute set with a layer, a phase, an operator and one codelet, and its vertices
// are numbered from `firstVertex`. For each field there is a column: the blocks that vertex `i` is connected to are
// `column.blocks[columnStart(column, i)]` up to, not including, `columnStart(column, i + 1)`, graph-wide numbers within
// the one variable that the column names (outputs without `blocks`: vertex `i` writes block `i`). Who draws asks
// `groupFamilies(graph, family => family.layer)` for ranges, `family.tiles` for tiles, and
// `new ProducerIndex().producers(column, from, to, buffer)` for the vertices that edges come from, as many at once as the
// buffer holds: no object is made for a vertex or an edge.

export { countEdges, type EdgeCounts, external, groupFamilies, ProducerIndex } from "./block-edges.ts";
export {
  type BlockColumn,
  BlockGraph,
  type BlockPhase,
  type BlockProgram,
  type BlockRole,
  type BlockStep,
  type BlockVariable,
  blockBytes,
  type ColumnOptions,
  columnLength,
  columnStart,
  type FamilyOptions,
  type OutputColumn,
  type PlacedTensor,
  type StateColumn,
  stateAt,
  type TilePrecision,
  type VariableOptions,
  type VertexFamily,
} from "./block-graph.ts";
export { BlockLayout } from "./block-layout.ts";
export type { EdgeColumn, VectorsColumn } from "./bulk-columns.ts";
export {
  type CensusRow,
  formatCensus,
  graphcoreCounts,
  type PublishedCensus,
  takeCensus,
  type VertexCensus,
} from "./census.ts";
export {
  type Cell,
  type Codelet,
  type CodeletOptions,
  codelet,
  type Direction,
  type EdgeField,
  type Extent,
  type Field,
  type FieldSizes,
  type Fields,
  type FieldValues,
  inOut,
  input,
  output,
  type ReadonlyVector,
  state,
  type VectorsSize,
} from "./codelet.ts";
export type { ComputeSet, VertexReference } from "./compute-set.ts";
export { type ElementType, elementBytes, type VectorOf } from "./element-type.ts";
export { type Columns, type Connections, Graph } from "./graph.ts";
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
  type Row,
  repeat,
  repeatWhile,
  sequence,
} from "./program.ts";
export { type DataStream, describeOutside, type Outside, type RemoteBuffer } from "./streams.ts";
export { chips, devices, type Target } from "./target.ts";
export { concat, TensorView } from "./tensor-view.ts";
export { type ExpandedGraph, toGraph } from "./to-graph.ts";
export { flatValues } from "./values.ts";
export type { Values, Variable } from "./variables.ts";
export { checkGraph, type Diagnostic, verifyGraph, verticesOfComputeSets } from "./verify.ts";
