export type { BufferLabel, MemoryCategory, MemoryReport, StepLabel } from "./report.ts";
export { memoryCategories, memoryReport } from "./report.ts";
