import * as assert from "uvu/assert";
import { codeletTable as codelets } from "../../../lib/codelets/index.ts";
import { devices } from "../../../lib/graph/index.ts";
import { type Random, random } from "../../../lib/tensor/index.ts";
import { integer } from "../../support/operator-samples.ts";
import { suite } from "../../support/suite.ts";
import { runVertex, zeros } from "./run-vertex.ts";

const test = suite("library codelets of networks");

const numbers = (draw: Random, count: number): number[] =>
  Array.from({ length: count }, () => Math.fround(draw.nextNormal()));
const close = (got: readonly number[], wanted: readonly number[], what: string, tolerance = 2e-6): void => {
  assert.is(got.length, wanted.length, what);
  for (const [i, value] of wanted.entries()) {
    assert.ok(
      Math.abs(got[i] - value) <= tolerance * Math.max(1, Math.abs(value)),
      `${what}[${i}]: ${got[i]} for ${value}`,
    );
  }
};
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** A step of an LSTM by its equations, in double precision. */
function lstm(gates: readonly number[], cell: readonly number[]): { next: number[]; hidden: number[] } {
  const n = cell.length;
  const next = cell.map((c, u) => sigmoid(gates[n + u]) * c + sigmoid(gates[u]) * Math.tanh(gates[2 * n + u]));
  return { next, hidden: next.map((c, u) => sigmoid(gates[3 * n + u]) * Math.tanh(c)) };
}

test("a step of an LSTM's cells is that of its equations, and its gradient that of central differences", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const draw = random(seed);
    const units = integer(draw, 1, 9);
    const [gates, cell] = [numbers(draw, 4 * units), numbers(draw, units)];
    const { next, hidden } = lstm(gates, cell);
    const forward = runVertex(codelets.lstmCell, { gates, cell, nextCell: zeros(units), hidden: zeros(units) });
    close(forward.values.nextCell, next, "next");
    close(forward.values.hidden, hidden, "hidden");
    const [deltaHidden, deltaNextCell] = [numbers(draw, units), numbers(draw, units)];
    const backward = runVertex(codelets.lstmCellGradient, {
      gates,
      cell,
      nextCell: next,
      deltaHidden,
      deltaNextCell,
      deltaGates: zeros(4 * units),
      deltaCell: zeros(units),
    });
    const objective = (g: readonly number[], c: readonly number[]): number => {
      const made = lstm(g, c);
      return made.hidden.reduce((sum, h, u) => sum + deltaHidden[u] * h + deltaNextCell[u] * made.next[u], 0);
    };
    const step = 1e-5;
    const slope = (values: readonly number[], of: (changed: readonly number[]) => number): number[] =>
      values.map((x, i) => (of(values.with(i, x + step)) - of(values.with(i, x - step))) / (2 * step));
    close(
      backward.values.deltaGates,
      slope(gates, (g) => objective(g, cell)),
      `gates, seed ${seed}`,
      1e-5,
    );
    close(
      backward.values.deltaCell,
      slope(cell, (c) => objective(gates, c)),
      `cell, seed ${seed}`,
      1e-5,
    );
  }
  const given = { gates: zeros(7), cell: zeros(2), nextCell: zeros(2), hidden: zeros(2) };
  assert.throws(
    () => runVertex(codelets.lstmCell, given),
    /gates must be four times as many as units, got 7 for 2, 2, 2/,
  );
});

test("batch normalisation's parts together give mean 0 and deviation 1, and the gradient of that", () => {
  const draw = random(2);
  const count = 37;
  const values = numbers(draw, count).map((x) => Math.fround(3 * x + 5));
  const { sum, squares } = runVertex(codelets.batchNormSums, { in: values, sum: [0], squares: [0] }).values;
  close(sum, [values.reduce((a, b) => a + b, 0)], "sum", 1e-5);
  close(squares, [values.reduce((a, b) => a + b * b, 0)], "squares", 1e-5);
  const mean = sum[0] / count;
  const inverseDeviation = 1 / Math.sqrt(squares[0] / count - mean * mean);
  const apply = (scale: number, shift: number): readonly number[] =>
    runVertex(codelets.batchNormApply, {
      in: values,
      mean: [mean],
      inverseDeviation: [inverseDeviation],
      scale: [scale],
      shift: [shift],
      out: zeros(count),
    }).values.out;
  const normalised = apply(1, 0);
  const average = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
  assert.ok(Math.abs(average(normalised)) < 1e-5);
  assert.ok(Math.abs(average(normalised.map((x) => x * x)) - 1) < 1e-4);
  close(
    apply(2, -1),
    normalised.map((x) => 2 * x - 1),
    "scaled",
    1e-5,
  );
  // The oracle normalises in double precision, and is differentiated by central differences.
  const delta = numbers(draw, count);
  const objective = (xs: readonly number[]): number => {
    const m = average(xs);
    const d = Math.sqrt(average(xs.map((x) => (x - m) ** 2)));
    return xs.reduce((total, x, i) => total + (delta[i] * (x - m)) / d, 0);
  };
  const { out } = runVertex(codelets.batchNormGradient, {
    delta,
    normalised,
    deltaMean: [average(delta)],
    deltaNormalisedMean: [average(delta.map((d, i) => d * normalised[i]))],
    factor: [inverseDeviation],
    out: zeros(count),
  }).values;
  const step = 1e-4;
  const wanted = values.map(
    (x, i) => (objective(values.with(i, x + step)) - objective(values.with(i, x - step))) / (2 * step),
  );
  close(out, wanted, "gradient", 1e-4);
});

test("steps of optimisers follow their papers' formulas over several steps", () => {
  const draw = random(4);
  const count = 11;
  let weights = numbers(draw, count);
  let velocity = zeros(count);
  let expected = { weights: [...weights], velocity: zeros(count) };
  for (let step = 0; step < 4; step++) {
    const gradient = numbers(draw, count);
    const made = runVertex(codelets.momentumStep, { weights, velocity, gradient, rate: [0.1], momentum: 0.9 }).values;
    [weights, velocity] = [[...made.weights], [...made.velocity]];
    const v = expected.velocity.map((own, i) => 0.9 * own + gradient[i]);
    expected = { velocity: v, weights: expected.weights.map((w, i) => w - 0.1 * v[i]) };
  }
  close(weights, expected.weights, "momentum", 1e-5);
  let adam = { weights: numbers(draw, count), first: zeros(count), second: zeros(count) };
  const moments = { weights: [...adam.weights], first: zeros(count), second: zeros(count) };
  for (let t = 1; t <= 5; t++) {
    const gradient = numbers(draw, count);
    const rate = (0.01 * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t);
    const settings = { firstDecay: 0.9, secondDecay: 0.999, epsilon: 1e-8 };
    const made = runVertex(codelets.adamStep, { ...adam, gradient, rate: [rate], ...settings }).values;
    adam = { weights: [...made.weights], first: [...made.first], second: [...made.second] };
    for (let i = 0; i < count; i++) {
      moments.first[i] = 0.9 * moments.first[i] + 0.1 * gradient[i];
      moments.second[i] = 0.999 * moments.second[i] + 0.001 * gradient[i] ** 2;
      const [m, v] = [moments.first[i] / (1 - 0.9 ** t), moments.second[i] / (1 - 0.999 ** t)];
      moments.weights[i] -= (0.01 * m) / (Math.sqrt(v) + 1e-8);
    }
  }
  close(adam.weights, moments.weights, "Adam", 1e-5);
});

test("gradients of functions follow from their outputs, and the squared error's from its definition", () => {
  const draw = random(6);
  const [values, delta] = [numbers(draw, 40), numbers(draw, 40)];
  const slopes = { sigmoid, tanh: Math.tanh, relu: (x: number) => Math.max(0, x) };
  for (const [name, of] of Object.entries(slopes)) {
    const activation = values.map(of);
    const { out } = runVertex(codelets[`${name as keyof typeof slopes}Gradient`], {
      activation,
      delta,
      out: zeros(40),
    }).values;
    const step = 1e-6;
    close(
      out,
      values.map((x, i) => (delta[i] * (of(x + step) - of(x - step))) / (2 * step)),
      name,
      1e-5,
    );
  }
  const error = { prediction: values, target: delta, loss: [0], gradient: zeros(40) };
  const { loss, gradient } = runVertex(codelets.squaredError, error).values;
  close(loss, [values.reduce((sum, x, i) => sum + (x - delta[i]) ** 2 / 2, 0)], "loss", 1e-5);
  close(
    gradient,
    values.map((x, i) => x - delta[i]),
    "gradient",
  );
});

test("cycles of these are put together from the published loops, as their codelets say", () => {
  // 100 vectors a worker.
  const long = zeros(1200);
  const lstmGiven = { gates: zeros(4800), cell: long, nextCell: long, hidden: long };
  assert.is(runVertex(codelets.lstmCell, lstmGiven).cycles, 6 * (17 + 100 * (5 * 12 + 4 * 3)) + 20);
  const momentum = { weights: long, velocity: long, gradient: long, rate: [0.1], momentum: 0.9 };
  assert.is(runVertex(codelets.momentumStep, momentum).cycles, 6 * (29 + 100 * 6) + 11);
  const adam = {
    weights: long,
    first: long,
    second: long,
    gradient: long,
    rate: [1],
    firstDecay: 0,
    secondDecay: 0,
    epsilon: 1,
  };
  assert.is(runVertex(codelets.adamStep, adam).cycles, 6 * (29 + 100 * 38) + 11);
  const two = { activation: long, delta: long, out: long };
  assert.is(runVertex(codelets.reluGradient, two).cycles, 1985);
  assert.is(runVertex(codelets.tanhGradient, two).cycles, 6 * (29 + 100 * 5) + 11);
  assert.is(runVertex(codelets.batchNormSums, { in: zeros(6 * 1024), sum: [0], squares: [0] }).cycles, 2 * 6 * 529);
  assert.is(devices.gc200.workersPerTile, 6);
});

test.run();
