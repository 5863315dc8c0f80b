// Schedules are executed on the host here: fused into steps, planned into one arena, run by the plain reference engine
// or as generated WebAssembly. Other machines are not here: see simulator/.
// Go next to training/, which feeds an engine with data.
export type { Engine, Execution } from "./engine.ts";
export type { CompiledProgram, Step } from "./program.ts";
export { referenceEngine } from "./reference/index.ts";
export { usualThreads } from "./usual-threads.ts";
export { wasmEngine } from "./wasm/wasm-engine.ts";
