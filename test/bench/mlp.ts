import { makeSchedule } from "../../lib/compiler/index.ts";
import { wasmEngine } from "../../lib/engine/index.ts";
import * as nn from "../../lib/nn/index.ts";
import { random } from "../../lib/tensor/index.ts";
import { trainingGraph } from "../../lib/training/index.ts";
import { type Measured, medianSeconds } from "./benchmark.ts";
import { pythonPeer } from "./python.ts";

// A step of training, batch 64, cross-entropy and SGD: the batch is copied in, forward, backward and update are one
// program, and the loss is read. Shallow: 784-128-10. Deep: 784, eight layers of 64, 10; ReLU between all.
const batch = 64;
const features = 784;

const networks = {
  shallow: [nn.dense(128), nn.relu(), nn.dense(10)],
  deep: [...nn.repeat(8, [nn.dense(64), nn.relu()]), nn.dense(10)],
} as const;

/** Median seconds of one training step. */
async function stepSeconds(layers: readonly nn.Layer[], threads: number): Promise<number> {
  const model = nn.sequential([...layers], { input: [features], seed: 1 });
  const graph = trainingGraph(model, nn.sgd({ rate: 0.1 }), { batch, loss: nn.crossEntropy() });
  const engine = wasmEngine({ threads });
  const execution = await engine.load(engine.compile(makeSchedule(graph)));
  for (const [index, { data }] of model.initialise(1).entries()) {
    execution.input(model.parameters[index].name).set(data as Float32Array);
  }
  execution.input("rate")[0] = 0.1;
  const inputs = random(7).uniform([batch, features]).data;
  const targets = Int32Array.from({ length: batch }, (_, sample) => sample % 10);
  const seconds = await medianSeconds(() => {
    execution.input("input").set(inputs);
    execution.input("target").set(targets);
    execution.run();
    if (!Number.isFinite(execution.output("loss")[0])) throw new Error("mlp: the loss must stay finite, got NaN");
  });
  execution.dispose();
  return seconds;
}

export async function measure(): Promise<Measured> {
  const figures: Record<string, number> = {};
  for (const [name, layers] of Object.entries(networks)) {
    for (const [threads, word] of [
      [1, "OneThread"],
      [2, "TwoThreads"],
    ] as const) {
      const seconds = await stepSeconds(layers, threads);
      figures[`${name}${word}StepSeconds`] = seconds;
      figures[`${name}${word}SamplesPerSecond`] = batch / seconds;
    }
  }
  return { figures, peers: { torch: pythonPeer("torch-mlp.py", "torch") } };
}
