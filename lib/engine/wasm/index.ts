export { type WasmEngineOptions, wasmEngine } from "./wasm-engine.ts";
