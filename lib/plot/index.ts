// What a report or a handful of numbers looks like: figures as data, as a picture drawn without a browser, and as an
// interactive form. How reports come about does not live here, nor who shows them: figures offer MIME bundles and know no
// Jupyter. Go on to figure.ts for what a figure is, to memory/, graph/ and charts/ for the drawings, and to
// kernel/labextension for the front end that draws the interactive forms.
import type { GradientCheckReport } from "../checks/index.ts";
import type { GraphReport } from "../compiler/index.ts";
import type { Dataset } from "../formats/index.ts";
import type { MemoryReport, PeakExplanation } from "../memory/index.ts";
import type { Model } from "../nn/index.ts";
import type { ExecutionReport, ProgramTree, TileMemory } from "../simulator/index.ts";
import type {
  Evaluation,
  FrontierReport,
  MemoryAccount,
  MemoryArgument,
  ResidentWeightsReport,
  StrategiesReport,
  TrainingHistory,
} from "../training/index.ts";
import { curves } from "./charts/curves.ts";
import type { Figure } from "./figure.ts";
import { graph } from "./graph/graph-figure.ts";
import { execution, programTree, tileMemory } from "./machine/machine-figures.ts";
import { memory } from "./memory/memory-figure.ts";
import {
  accountTable,
  argumentTable,
  frontierFigure,
  peakTable,
  residentWeightsTable,
  strategiesTable,
} from "./memory/strategies.ts";
import { datasetFigure, evaluationFigure, gradientCheckTable, modelTable } from "./summaries.ts";
import type { Table } from "./table.ts";

export { bars } from "./charts/bars.ts";
export type { AxisOption, ChartOptions } from "./charts/chart-figure.ts";
export { confusion } from "./charts/confusion.ts";
export { histogram } from "./charts/histogram.ts";
export { line, scatter } from "./charts/series.ts";
export { Figure } from "./figure.ts";
export type { FigureContent } from "./figure-content.ts";
export { answerDetails } from "./live-details.ts";
export { formatBytes, formatCount, formatFlops } from "./look/format.ts";
export { compareMemory } from "./memory/compare.ts";
export type { MemoryOptions } from "./memory/memory-figure.ts";
export { detailsTarget, type MimeBundle, type MimeMetadata, plotlyMime, tesseraMime } from "./mime.ts";
export { type ImageOptions, type Images, images } from "./pictures/images.ts";
export { network } from "./pictures/network.ts";
export { Table, type TableRow, table } from "./table.ts";
export { type BigPictureOptions, bigPicture } from "./vertices/big-picture.ts";
export type { EdgeRun, VertexGraph, VertexSection } from "./vertices/vertex-graph.ts";
export { curves, execution, graph, memory, programTree, tileMemory };

/** Every plain report that has a picture of its own. */
export type Report =
  | MemoryAccount
  | MemoryArgument
  | ResidentWeightsReport
  | StrategiesReport
  | PeakExplanation
  | FrontierReport
  | TrainingHistory
  | MemoryReport
  | GraphReport
  | Model
  | Evaluation
  | GradientCheckReport
  | Dataset
  | ExecutionReport
  | ProgramTree
  | TileMemory;

/** The picture of every kind of report: whoever shows values asks here by `kind`. */
export const figures: {
  readonly [Kind in Report["kind"]]: (report: Extract<Report, { kind: Kind }>) => Figure | Table;
} = {
  "training-history": curves,
  memory,
  "operator-graph": graph,
  "memory-strategies": strategiesTable,
  "peak-explanation": peakTable,
  "memory-frontier": frontierFigure,
  "memory-account": accountTable,
  "memory-argument": argumentTable,
  "resident-weights": residentWeightsTable,
  model: modelTable,
  evaluation: evaluationFigure,
  "gradient-check": gradientCheckTable,
  dataset: datasetFigure,
  execution,
  "program-tree": programTree,
  "tile-memory": tileMemory,
};
