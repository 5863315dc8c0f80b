import type { Features } from "./emit-expression.ts";
import { FunctionBuilder } from "./function-builder.ts";
import { encodeModule } from "./module.ts";

let detected: Features | null = null;

/** What this machine's WebAssembly can do; asked once. */
export function detectFeatures(): Features {
  if (detected !== null) return detected;
  if (!validates("f32x4.add")) {
    throw new Error(
      "wasm engine: WebAssembly must have 128-bit SIMD, got a runtime without it; use Node ≥ 20, or the reference engine",
    );
  }
  // Node 20 has relaxed SIMD behind a flag that may be set while running; later versions know no such flag, nor need it.
  if (!validates("f32x4.relaxed_madd") && typeof process !== "undefined") {
    process.getBuiltinModule?.("node:v8")?.setFlagsFromString("--experimental-wasm-relaxed-simd");
  }
  detected = { multiplyAdd: validates("f32x4.relaxed_madd") };
  return detected;
}

/** Asks the runtime itself whether it accepts an instruction of two or three vectors. */
function validates(name: "f32x4.add" | "f32x4.relaxed_madd"): boolean {
  const code = new FunctionBuilder(0);
  const operand = code.local("v128");
  for (let count = name === "f32x4.add" ? 2 : 3; count > 0; count--) code.get(operand);
  code.op(name, "drop");
  return WebAssembly.validate(encodeModule({ pages: 1, shared: false }, [{ builder: code }]));
}
