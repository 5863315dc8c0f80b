import * as nn from "../../lib/nn/index.ts";
import type { Measured } from "./benchmark.ts";
import { stepSeconds } from "./training-step.ts";

// Whether a training step's time is linear in the batch and in the number of layers: perceptrons of equal layers, the
// straight line nearest to their times by least squares, and the share of the variance that it explains.

const batches = [32, 64, 128, 256] as const;
const depths = [4, 8, 16, 32] as const;
const effort = { warmUpSeconds: 0.5, seconds: 1 };

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
  const figures: Record<string, number> = {};
  const byBatch: [number, number][] = [];
  for (const samples of batches) {
    const seconds = await stepSeconds(equalLayers(4), { threads: 1, samples }, effort);
    byBatch.push([samples, seconds]);
    figures[`batch${samples}StepSeconds`] = seconds;
  }
  const byDepth: [number, number][] = [];
  for (const layers of depths) {
    const seconds = await stepSeconds(equalLayers(layers), { threads: 1 }, effort);
    byDepth.push([layers, seconds]);
    figures[`layers${layers}StepSeconds`] = seconds;
  }
  figures.perSampleSeconds = line(byBatch).slope;
  figures.linearInBatchExplained = line(byBatch).explained;
  figures.perLayerSeconds = line(byDepth).slope;
  figures.linearInLayersExplained = line(byDepth).explained;
  return { figures, peers: {} };
}
