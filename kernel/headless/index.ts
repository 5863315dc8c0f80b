// What lives here: runs of notebooks without a browser and without Python, and the pages made from them.
// What does not: what a cell means (../session, ../realm), grading (../course), arguments on a command line (../cli).
// Where to go next: run-files.ts for the whole way of a file, run-notebook.ts for the run, page/page.ts for the page.
export { BadInput } from "./bad-input.ts";
export { findKernelName, type KernelSource, serverKernels, startKernel } from "./connection.ts";
export { type CellEnd, CellExecutor } from "./execute-cell.ts";
export { inProcessKernelName, inProcessKernels } from "./in-process.ts";
export type { Cell, CodeCell, Notebook, Output } from "./notebook.ts";
export { exitCodes } from "./outcome.ts";
export { OutputRecorder } from "./output-recorder.ts";
export { readFigureScripts } from "./page/figures.ts";
export { type PageOptions, renderPage } from "./page/page.ts";
export { parseParameter, readParameters } from "./parameters.ts";
export { ProcessSession } from "./process-session.ts";
export { parseNotebook, readNotebook } from "./read-notebook.ts";
export { junitXml, type TestSuite } from "./reports/junit.ts";
export { runCache } from "./run-cache.ts";
export { type RunFilesOptions, runFiles } from "./run-files.ts";
export { type CellRun, type RunEvent, type RunOptions, type RunResult, runNotebook } from "./run-notebook.ts";
export { writeFileWhole } from "./write-file.ts";
export { writeNotebook } from "./write-notebook.ts";
