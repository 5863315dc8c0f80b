import * as nn from "../../lib/nn/index.ts";
import { type Measured, medianSeconds } from "./benchmark.ts";
import { pythonPeer } from "./python.ts";
import { loadedStep } from "./training-step.ts";

// ResNet-50 (v1.5) on 224 × 224, batch 1: from the model to a program that runs, then forward, backward and update. What
// is done for the first time in this process is also measured so, because the runtime keeps the code of modules.

export async function measure(): Promise<Measured> {
  const model = nn.models.resnet50();
  const figures: Record<string, number> = {};
  for (const [threads, word] of [
    [1, "OneThread"],
    [2, "TwoThreads"],
  ] as const) {
    const { compileSeconds, step, dispose } = await loadedStep(model, { threads, samples: 1, rate: 0.01 });
    const before = performance.now();
    step();
    if (threads === 1) {
      figures.firstCompileSeconds = compileSeconds;
      figures.firstStepSeconds = (performance.now() - before) / 1000;
    }
    figures[`${word}StepSeconds`] = await medianSeconds(step, { warmUpSeconds: 3, seconds: 10 });
    dispose();
  }
  return { figures, peers: { torch: pythonPeer("torch-resnet.py", "torch") } };
}
