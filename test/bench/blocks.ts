import { type MemoryOption, planSchedule, strategiesOf } from "../../lib/compiler/index.ts";
import { type Execution, wasmEngine } from "../../lib/engine/index.ts";
import * as nn from "../../lib/nn/index.ts";
import { random } from "../../lib/tensor/index.ts";
import { trainingGraph } from "../../lib/training/index.ts";
import { targetOf } from "../../lib/training/target.ts";
import { type Measured, median } from "./benchmark.ts";
import { convolutional } from "./cnn.ts";
import { batch } from "./training-step.ts";

// Training steps with the whole batch and with a few samples at a time, in turn, in one process on one thread. What is
// measured is processor time, which other processes disturb less than the clock.

const pair = (filters: number): nn.Layer[] => [
  ...nn.repeat(2, [nn.convolution(filters, { kernel: 3, padding: 1 }), nn.relu()]),
  nn.maxPool(2),
];

const models: Readonly<Record<string, nn.Model>> = {
  ...convolutional,
  vgg: nn.sequential([...pair(32), ...pair(64), nn.flatten(), nn.dense(10)], { input: [3, 32, 32], seed: 1 }),
};

const strategies: Readonly<Record<string, MemoryOption>> = {
  Reuse: "reuse",
  SampleBlocks: "sample-blocks",
  DepthFirst: "depth-first",
};

const secondsPerModel = 20;

async function load(model: nn.Model, memory: MemoryOption): Promise<{ execution: Execution; run(): number }> {
  const engine = wasmEngine();
  const graph = trainingGraph(model, nn.sgd({ rate: 0.01 }), { batch, loss: nn.crossEntropy() });
  const execution = await engine.load(engine.compile(planSchedule(graph, strategiesOf(memory), targetOf(engine))));
  for (const [index, { data }] of model.initialise(1).entries()) {
    execution.input(model.parameters[index].name).set(data as Float32Array);
  }
  execution.input("rate")[0] = 0.01;
  const inputs = random(7).uniform([batch, ...model.input]).data;
  const targets = Int32Array.from({ length: batch }, (_, sample) => sample % 10);
  const run = (): number => {
    execution.input("input").set(inputs);
    execution.input("target").set(targets);
    const before = process.cpuUsage();
    execution.run();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };
  return { execution, run };
}

export async function measure(): Promise<Measured> {
  const figures: Record<string, number> = {};
  for (const [name, model] of Object.entries(models)) {
    const loaded = await Promise.all(
      Object.entries(strategies).map(async ([strategy, memory]) => ({
        ...(await load(model, memory)),
        strategy,
        times: [] as number[],
      })),
    );
    const end = performance.now() + 1000 * secondsPerModel;
    for (let round = 0; round < 5 || performance.now() < end; round++) {
      for (const { run, times } of loaded) {
        const seconds = run();
        if (round > 2) times.push(seconds);
      }
      // Optimised code is installed between turns of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const { strategy, execution, times } of loaded) {
      figures[`${name}${strategy}StepSeconds`] = median(times);
      figures[`${name}${strategy}Bytes`] = execution.program.arenaBytes;
      execution.dispose();
    }
  }
  return { figures, peers: {} };
}
