import type { EmittedProgram } from "./emit-program.ts";

/**
 * Work (see `workOf`) a byte of code from which on code is optimised before it first runs. V8 begins with code that it
 * makes quickly and that is three to five times as slow, and optimises what turns out to run much. Optimising takes 0.5 to
 * 0.9 ms a KiB. ResNet-50 (20,000 a byte) so has its first step after 0.8 + 0.8 instead of 0.6 + 2.8 s; LeNet-5 (2,300) wins
 * nothing, and what is only run once loses (Node 20, two cores of a Xeon of 2023).
 */
const workWorthOptimising = 4000;

/** A program's module; see `workWorthOptimising`. */
export function compileModule({ bytes, work }: EmittedProgram): WebAssembly.Module {
  return work < workWorthOptimising * bytes.length ? new WebAssembly.Module(bytes) : optimisedModule(bytes);
}

/** Whether `optimisedModule` does what it says: in Node. */
export function canOptimiseAtOnce(): boolean {
  return v8() !== undefined;
}

/** A module that is optimised as a whole, now and on all cores, where the runtime is Node; elsewhere as it likes. */
export function optimisedModule(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  const flags = v8();
  if (flags === undefined) return new WebAssembly.Module(bytes);
  // Both flags are V8's own defaults in Node 20, 22 and 24. They are the process's: whatever another thread compiles in
  // this moment is optimised as well.
  flags.setFlagsFromString("--no-liftoff");
  flags.setFlagsFromString("--no-wasm-lazy-compilation");
  try {
    return new WebAssembly.Module(bytes);
  } finally {
    flags.setFlagsFromString("--wasm-lazy-compilation");
    flags.setFlagsFromString("--liftoff");
  }
}

function v8(): { setFlagsFromString(flags: string): void } | undefined {
  return globalThis.process?.getBuiltinModule?.("node:v8");
}
