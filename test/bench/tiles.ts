import { makeSchedule } from "../../lib/compiler/index.ts";
import { wasmEngine } from "../../lib/engine/index.ts";
import * as nn from "../../lib/nn/index.ts";
import { trainingGraph } from "../../lib/training/index.ts";
import type { Measured } from "./benchmark.ts";
import { convolutional } from "./cnn.ts";
import { perceptrons } from "./mlp.ts";
import { batch, stepSeconds } from "./training-step.ts";

// What timing the ways of tiling products wins: what was chosen for which step, how much longer compiling took the first
// time, and one thread's steps with the standard tiles and with those.

function printChoice(name: string, model: nn.Model): number {
  const schedule = makeSchedule(trainingGraph(model, nn.sgd({ rate: 0.1 }), { batch, loss: nn.crossEntropy() }));
  const milliseconds = (tiles: string): number => {
    const before = performance.now();
    wasmEngine({ tiles }).compile(schedule);
    return performance.now() - before;
  };
  // Once before, so that only the timing itself is what takes longer.
  milliseconds("standard");
  const longer = milliseconds("timed") - milliseconds("standard");
  const chosen = wasmEngine({ tiles: "timed" })
    .compile(schedule)
    .steps.filter(({ tiles }) => tiles !== undefined);
  const list = chosen.map(({ layer, name: step, tiles }) => `${layer} ${step}: ${tiles}`);
  console.log(`${name}: ${list.length === 0 ? "the standard tiles everywhere" : list.join("; ")}`);
  return longer / 1000;
}

export async function measure(): Promise<Measured> {
  const figures: Record<string, number> = {};
  const standard: Record<string, number> = {};
  for (const [name, model] of Object.entries({ ...perceptrons, ...convolutional })) {
    figures[`${name}TuningSeconds`] = printChoice(name, model);
    standard[`${name}StepSeconds`] = await stepSeconds(model, { threads: 1 });
    figures[`${name}StepSeconds`] = await stepSeconds(model, { threads: 1, tiles: "timed" });
  }
  return { figures, peers: { "standard tiles": standard } };
}
