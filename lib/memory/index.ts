export type { MemoryPlan, MemoryProblem, TensorBuffer } from "./problem.ts";
export type { BufferLabel, MemoryCategory, MemoryReport, StepLabel } from "./report.ts";
export { memoryCategories, memoryReport } from "./report.ts";
