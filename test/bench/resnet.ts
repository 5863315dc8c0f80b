import { makeSchedule } from "../../lib/compiler/index.ts";
import { wasmEngine } from "../../lib/engine/index.ts";
import * as nn from "../../lib/nn/index.ts";
import { random } from "../../lib/tensor/index.ts";
import { trainingGraph } from "../../lib/training/index.ts";
import { type Measured, median, medianSeconds } from "./benchmark.ts";
import { pythonPeer } from "./python.ts";

// ResNet-50 (v1.5) on 224 × 224, batch 1: from the model to a program that runs, then forward, backward and update. And
// whether a step's time is linear in the batch and in the number of layers, on perceptrons.

interface Case {
  readonly model: nn.Model;
  readonly batch: number;
  readonly threads: number;
}

const optimizer = nn.sgd({ rate: 0.01 });
const loss = nn.crossEntropy();

function compiled({ model, batch, threads }: Case) {
  const engine = wasmEngine({ threads });
  return { engine, program: engine.compile(makeSchedule(trainingGraph(model, optimizer, { batch, loss }))) };
}

async function stepSeconds(given: Case, warmUpSeconds: number, seconds: number): Promise<number> {
  const { model, batch } = given;
  const { engine, program } = compiled(given);
  const execution = await engine.load(program);
  for (const [index, { data }] of model.initialise(1).entries()) {
    execution.input(model.parameters[index].name).set(data as Float32Array);
  }
  for (const [index, { data }] of model.initialStates().entries()) {
    execution.input(model.states[index].name).set(data as never);
  }
  execution.input("rate")[0] = 0.01;
  const inputs = random(7).uniform([batch, ...model.input]).data;
  const result = await medianSeconds(
    () => {
      execution.input("input").set(inputs);
      execution.input("target").fill(1);
      execution.run();
      if (!Number.isFinite(execution.output("loss")[0])) {
        throw new Error(`${model.name}: the loss must stay finite, got ${execution.output("loss")[0]}; lower the rate`);
      }
    },
    { warmUpSeconds, seconds },
  );
  execution.dispose();
  return result;
}

/** From a model to a module that the runtime has taken in; the middle one of some goes. */
async function compileSeconds(model: nn.Model): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < 3; turn++) {
    const before = performance.now();
    const { engine, program } = compiled({ model, batch: 1, threads: 1 });
    const execution = await engine.load(program);
    times.push((performance.now() - before) / 1000);
    execution.dispose();
  }
  return median(times);
}

/** The straight line nearest to some points, and what share of their variance it explains. */
function line(points: readonly (readonly [x: number, y: number])[]): { slope: number; explained: number } {
  const mean = (numbers: readonly number[]): number => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  const [x, y] = [mean(points.map((point) => point[0])), mean(points.map((point) => point[1]))];
  const covariance = mean(points.map((point) => (point[0] - x) * (point[1] - y)));
  const [varianceX, varianceY] = [mean(points.map((p) => (p[0] - x) ** 2)), mean(points.map((p) => (p[1] - y) ** 2))];
  return { slope: covariance / varianceX, explained: covariance ** 2 / (varianceX * varianceY) };
}

/** A perceptron of equal layers. */
const equalLayers = (count: number): nn.Model =>
  nn.sequential([...nn.repeat(count, [nn.dense(128), nn.relu()]), nn.dense(10)], { input: [128], seed: 1 });

export async function measure(): Promise<Measured> {
  const model = nn.models.resnet50();
  const figures: Record<string, number> = { compileSeconds: await compileSeconds(model) };
  for (const [threads, word] of [
    [1, "OneThread"],
    [2, "TwoThreads"],
  ] as const) {
    // The first runs are of code that is not optimised yet.
    figures[`${word}StepSeconds`] = await stepSeconds({ model, batch: 1, threads }, 12, 10);
  }
  const batches: [number, number][] = [];
  for (const batch of [32, 64, 128, 256]) {
    batches.push([batch, await stepSeconds({ model: equalLayers(4), batch, threads: 1 }, 0.5, 0.5)]);
  }
  const depths: [number, number][] = [];
  for (const layers of [4, 8, 16, 32]) {
    depths.push([layers, await stepSeconds({ model: equalLayers(layers), batch: 64, threads: 1 }, 0.5, 0.5)]);
  }
  figures.perSampleSeconds = line(batches).slope;
  figures.linearInBatchExplained = line(batches).explained;
  figures.perLayerSeconds = line(depths).slope;
  figures.linearInLayersExplained = line(depths).explained;
  return { figures, peers: { torch: pythonPeer("torch-resnet.py", "torch") } };
}
