import { makeSchedule } from "../../lib/compiler/index.ts";
import { wasmEngine } from "../../lib/engine/index.ts";
import { GraphBuilder } from "../../lib/ir/index.ts";
import { operatorTable } from "../../lib/ops/index.ts";
import { random } from "../../lib/tensor/index.ts";
import { type Measured, medianSeconds } from "./benchmark.ts";
import { pythonPeer } from "./python.ts";

// Square matrix products in float32. Nothing is kept from one product to the next: packing is part of each.
const sizes = [128, 256, 512, 1024] as const;

async function productSeconds(size: number, threads: number): Promise<number> {
  const builder = new GraphBuilder(operatorTable, `sgemm ${size}`);
  const type = { shape: [size, size], dtype: "float32" } as const;
  // Parameters keep their values from run to run.
  const a = builder.input("a", type, "parameter");
  const b = builder.input("b", type, "parameter");
  builder.output("c", builder.apply("matmul", [a, b]));
  const engine = wasmEngine({ threads });
  const execution = await engine.load(engine.compile(makeSchedule(builder.build())));
  for (const [index, name] of ["a", "b"].entries()) {
    execution.input(name).set(random(index).uniform([size, size], -1, 1).data);
  }
  const seconds = await medianSeconds(() => execution.run(), { seconds: 1 });
  execution.dispose();
  return seconds;
}

export async function measure(): Promise<Measured> {
  const figures: Record<string, number> = {};
  for (const [threads, word] of [
    [1, "OneThread"],
    [2, "TwoThreads"],
  ] as const) {
    for (const size of sizes) {
      figures[`square${size}${word}FlopsPerSecond`] = (2 * size ** 3) / (await productSeconds(size, threads));
    }
  }
  return { figures, peers: { torch: pythonPeer("torch-sgemm.py", "torch") } };
}
