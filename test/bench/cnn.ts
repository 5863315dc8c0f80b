import * as nn from "../../lib/nn/index.ts";
import type { Measured } from "./benchmark.ts";
import { pythonPeer } from "./python.ts";
import { tfjsPeer } from "./tfjs.ts";
import { trainingFigures } from "./training-step.ts";

// Batch 64 of 28 × 28 pictures, cross-entropy and SGD. Small: 16 filters of 3×3 with a margin of 1, ReLU, max pool 2,
// 32 of the same, ReLU, max pool 2, dense 10. LeNet-5: the modern form with ReLU and max pooling.
const small = [
  nn.convolution(16, { kernel: 3, padding: 1 }),
  nn.relu(),
  nn.maxPool(2),
  nn.convolution(32, { kernel: 3, padding: 1 }),
  nn.relu(),
  nn.maxPool(2),
  nn.flatten(),
  nn.dense(10),
];

/** The networks that are measured. */
export const convolutional: Readonly<Record<string, nn.Model>> = {
  small: nn.sequential(small, { input: [1, 28, 28], seed: 1, name: "small" }),
  lenet5: nn.models.lenet5({ activation: "relu", pooling: "max", input: [1, 28, 28] }),
};

export async function measure(): Promise<Measured> {
  const figures = await trainingFigures(convolutional);
  return { figures, peers: { torch: pythonPeer("torch-cnn.py", "torch"), tfjs: tfjsPeer(Object.keys(convolutional)) } };
}
