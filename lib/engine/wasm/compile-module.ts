import type { EmittedProgram } from "./emit-program.ts";

/**
 * Work (see `workOf`) a byte of code from which on code is optimised before it first runs. V8 begins with code that it
 * makes quickly and that is three to five times as slow, and optimises what turns out to run much. Optimising takes 0.5 to
 * 0.9 ms a KiB. ResNet-50 (6,300 a byte) so has its first step after 0.8 + 0.8 instead of 0.6 + 2.8 s; LeNet-5 (1,700) wins
 * nothing, and what is only run once loses (Node 20, two cores of a Xeon of 2023).
 */
const workWorthOptimising = 2000;

/** A program's module; see `workWorthOptimising`. */
export function compileModule({ bytes, work }: EmittedProgram): WebAssembly.Module {
  return work < workWorthOptimising * bytes.length ? new WebAssembly.Module(bytes) : optimisedModule(bytes);
}

/** A module that is optimised as a whole, now and on all cores, where the runtime is Node; elsewhere as it likes. */
function optimisedModule(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  const v8 = globalThis.process?.getBuiltinModule?.("node:v8");
  if (v8 === undefined) return new WebAssembly.Module(bytes);
  // Both flags are V8's own defaults in Node 20, 22 and 24. They are the process's: whatever another thread compiles in
  // this moment is optimised as well.
  v8.setFlagsFromString("--no-liftoff");
  v8.setFlagsFromString("--no-wasm-lazy-compilation");
  try {
    return new WebAssembly.Module(bytes);
  } finally {
    v8.setFlagsFromString("--wasm-lazy-compilation");
    v8.setFlagsFromString("--liftoff");
  }
}
