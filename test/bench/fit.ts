import type { Dataset } from "../../lib/formats/index.ts";
import * as nn from "../../lib/nn/index.ts";
import { random } from "../../lib/tensor/index.ts";
import { compile } from "../../lib/training/index.ts";
import { type Measured, median } from "./benchmark.ts";
import { convolutional } from "./cnn.ts";
import { perceptrons } from "./mlp.ts";
import { batch, loadedStep } from "./training-step.ts";

// What `fit` adds to the engine's steps: samples of bytes, shuffled, in batches of 64; the median of whole epochs after
// the first ones. Beside it as many of the same steps by themselves, with one batch that is copied in: again the median of
// whole rounds, so that whatever else the machine does is in both.

const cases = [
  { name: "shallow", model: perceptrons.shallow, samples: 60_000, epochs: 12 },
  { name: "lenet5", model: convolutional.lenet5, samples: 12_800, epochs: 8 },
] as const;

/** Epochs at the beginning in which code is still being optimised. */
const warmUpEpochs = 3;

/** Pictures of bytes of which a fifth are not zero, as with MNIST's digits. */
function bytesOfGrey(samples: number, shape: readonly number[]): Dataset {
  const inputs = new Uint8Array(samples * shape.reduce((product, extent) => product * extent, 1));
  const draw = random(5);
  for (let i = 0; i < inputs.length; i++) inputs[i] = draw.next() % 5 === 0 ? draw.next() : 0;
  return {
    kind: "dataset",
    name: "bytes of grey",
    inputs: { shape: [samples, ...shape], dtype: "uint8", data: inputs },
    scale: 1 / 255,
    targets: { shape: [samples], dtype: "int32", data: Int32Array.from({ length: samples }, () => draw.next() % 10) },
    classes: [],
  };
}

async function fitSeconds(model: nn.Model, threads: number, data: Dataset, epochs: number): Promise<number> {
  const program = compile(model, { optimizer: nn.sgd({ rate: 0.01 }), batch, threads });
  const history = await program.fit(data, { epochs, progress: false });
  program.dispose();
  return median(history.epochs.slice(warmUpEpochs).map(({ seconds }) => seconds));
}

async function roundSeconds(model: nn.Model, threads: number, steps: number, rounds: number): Promise<number> {
  const { step, dispose } = await loadedStep(model, { threads });
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = performance.now();
    for (let count = 0; count < steps; count++) {
      step();
      // Optimised code is installed between turns of the event loop.
      if (round < warmUpEpochs && count % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    times.push((performance.now() - before) / 1000);
  }
  dispose();
  return median(times.slice(warmUpEpochs));
}

export async function measure(): Promise<Measured> {
  const figures: Record<string, number> = {};
  const alone: Record<string, number> = {};
  for (const { name, model, samples, epochs } of cases) {
    const data = bytesOfGrey(samples, model.input);
    for (const [threads, word] of [
      [1, "OneThread"],
      [2, "TwoThreads"],
    ] as const) {
      const figure = `${name}${word}SamplesPerSecond`;
      figures[figure] = samples / (await fitSeconds(model, threads, data, epochs));
      alone[figure] = samples / (await roundSeconds(model, threads, samples / batch, epochs));
    }
  }
  return { figures, peers: { "steps alone": alone } };
}
