import * as nn from "../../lib/nn/index.ts";
import type { Measured } from "./benchmark.ts";
import { pythonPeer } from "./python.ts";
import { tfjsPeer } from "./tfjs.ts";
import { trainingFigures } from "./training-step.ts";

// Batch 64, cross-entropy and SGD. Shallow: 784-128-10. Deep: 784, eight layers of 64, 10; ReLU between all.
const model = (name: string, layers: readonly nn.Layer[]): nn.Model =>
  nn.sequential(layers, { input: [784], seed: 1, name });

/** The networks that are measured. */
export const perceptrons: Readonly<Record<string, nn.Model>> = {
  shallow: model("shallow", [nn.dense(128), nn.relu(), nn.dense(10)]),
  deep: model("deep", [...nn.repeat(8, [nn.dense(64), nn.relu()]), nn.dense(10)]),
};

export async function measure(): Promise<Measured> {
  const figures = await trainingFigures(perceptrons);
  return { figures, peers: { torch: pythonPeer("torch-mlp.py", "torch"), tfjs: tfjsPeer(Object.keys(perceptrons)) } };
}
