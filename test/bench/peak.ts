import { detectFeatures } from "../../lib/engine/wasm/features.ts";
import { FunctionBuilder } from "../../lib/engine/wasm/function-builder.ts";
import { encodeModule } from "../../lib/engine/wasm/module.ts";

/** Sums kept in registers: enough to hide latency, few enough to stay there. */
const sums = 10;
const rounds = 100_000;

/** The most that one thread's 128-bit arithmetic does: a loop of multiply-adds on registers alone, best of 30. */
export async function peakFlopsPerSecond(): Promise<number> {
  const { multiplyAdd } = detectFeatures();
  const code = new FunctionBuilder(0);
  const vector = (): number => {
    const local = code.local("v128");
    // Read from memory, so that no compiler knows what it multiplies.
    code.i32(0).access("v128.load", 0).set(local);
    return local;
  };
  const totals = Array.from({ length: sums }, vector);
  const [a, b] = [vector(), vector()];
  const left = code.local("i32");
  code.i32(rounds).set(left);
  code.loop(() => {
    for (const total of totals) {
      if (multiplyAdd) code.get(a).get(b).get(total).op("f32x4.relaxed_madd").set(total);
      else code.get(a).get(b).op("f32x4.mul").get(total).op("f32x4.add").set(total);
    }
    code.get(left).i32(1).op("i32.sub").tee(left).branchIf(0);
  });
  for (const [position, total] of totals.entries())
    code
      .i32(0)
      .get(total)
      .access("v128.store", 64 + 16 * position);
  const memory = new WebAssembly.Memory({ initial: 1 });
  const module = new WebAssembly.Module(encodeModule({ pages: 1, shared: false }, [{ builder: code, name: "run" }]));
  const run = new WebAssembly.Instance(module, { host: { memory } }).exports.run as () => void;
  let best = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 60; turn++) {
    const before = performance.now();
    run();
    if (turn >= 30) best = Math.min(best, performance.now() - before);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return (2 * 4 * sums * rounds) / (best / 1000);
}
