import * as assert from "uvu/assert";
import { checkGradients } from "../../../lib/checks/index.ts";
import type { Dataset } from "../../../lib/formats/index.ts";
import { GraphBuilder, gradients } from "../../../lib/ir/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import { type HostTensor, random, tensor, zeros } from "../../../lib/tensor/index.ts";
import { compile, trainingGraph } from "../../../lib/training/index.ts";
import { evaluate } from "../../support/evaluate.ts";
import { suite } from "../../support/suite.ts";

const test = suite("layers over sequences");

const cells = { rnn: nn.rnn, lstm: nn.lstm, gru: nn.gru };
const gates = { rnn: 1, lstm: 4, gru: 3 };

type Matrix = (row: number, column: number) => number;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** The hidden states of one sequence, one number after the other, as the papers write them down. */
function byHand(cell: keyof typeof cells, hidden: number, sequence: number[][], weights: HostTensor[]): number[][] {
  const wide = gates[cell] * hidden;
  const [inputWeight, inputBias, hiddenWeight, hiddenBias] = weights.map(({ data }) => data);
  const at =
    (data: ArrayLike<number>): Matrix =>
    (row, column) =>
      data[row * wide + column];
  const product = (vector: number[], weight: Matrix, bias: ArrayLike<number>): number[] =>
    Array.from({ length: wide }, (_, unit) =>
      vector.reduce((sum, value, index) => sum + value * weight(index, unit), bias[unit]),
    );
  let h = new Array<number>(hidden).fill(0);
  let c = new Array<number>(hidden).fill(0);
  return sequence.map((x) => {
    const fromX = product(x, at(inputWeight), inputBias);
    const fromH = product(h, at(hiddenWeight), hiddenBias);
    const gate = (index: number, unit: number): number => fromX[index * hidden + unit] + fromH[index * hidden + unit];
    const units = h.map((_, unit) => unit);
    if (cell === "rnn") h = units.map((unit) => Math.tanh(gate(0, unit)));
    if (cell === "lstm") {
      c = units.map((unit) => sigmoid(gate(1, unit)) * c[unit] + sigmoid(gate(0, unit)) * Math.tanh(gate(2, unit)));
      h = units.map((unit) => sigmoid(gate(3, unit)) * Math.tanh(c[unit]));
    }
    if (cell === "gru") {
      h = units.map((unit) => {
        const reset = sigmoid(gate(0, unit));
        const update = sigmoid(gate(1, unit));
        const candidate = Math.tanh(fromX[2 * hidden + unit] + reset * fromH[2 * hidden + unit]);
        return (1 - update) * candidate + update * h[unit];
      });
    }
    return h;
  });
}

for (const [name, make] of Object.entries(cells) as [keyof typeof cells, typeof nn.rnn][]) {
  test(`${name} computes what its equations say, step by step`, async () => {
    const [time, features, hidden] = [4, 3, 5];
    const model = nn.sequential([make(hidden, { sequence: true })], { input: [time, features], seed: 3 });
    assert.equal(model.output, [time, hidden]);
    assert.is(model.parameterCount, gates[name] * hidden * (features + hidden + 2));
    const program = compile(model, { loss: nn.meanSquaredError(), batch: 2, engine: "reference" });
    // Biases of 0 would hide a bias that is left out.
    const weights = model.parameters.map(({ shape }, index) => random(5, index).uniform(shape, -1, 1));
    program.reset(new Map(model.parameters.map(({ name: own }, index) => [own, weights[index]])));
    const x = random(7).uniform([2, time, features], -1, 1);
    const answers = await program.predict(x);
    for (const sample of [0, 1]) {
      const sequence = Array.from({ length: time }, (_, step) =>
        Array.from(x.data.slice((sample * time + step) * features, (sample * time + step + 1) * features)),
      );
      const expected = byHand(name, hidden, sequence, weights).flat();
      for (const [index, value] of expected.entries()) {
        assert.ok(Math.abs(answers.data[sample * time * hidden + index] - value) < 1e-5, `${sample}, ${index}`);
      }
    }
  });

  test(`${name}: gradients through time are those of differences, also of layers on top of each other`, () => {
    const stacked = nn.sequential([make(3, { sequence: true }), make(2), nn.dense(3)], { input: [4, 2] });
    const { worst } = checkGradients(stacked, { batch: 3 });
    assert.ok(worst <= 1e-7, String(worst));
  });

  test(`${name}: operations carry the step of time in which they are`, () => {
    const model = nn.sequential([make(2), nn.dense(2)], { input: [3, 2] });
    const { operations } = trainingGraph(model, nn.sgd({ rate: 0.1 }), { batch: 2, loss: nn.crossEntropy() });
    const layers = new Set(operations.map(({ layer }) => layer));
    for (const step of [1, 2, 3]) assert.ok(layers.has(`${name}1/step${step}`));
    const backward = operations.filter(({ phase, layer }) => phase === "backward" && layer === `${name}1/step2`);
    assert.ok(backward.length > 0, "and so do their gradients");
  });
}

/** The gradient of the last hidden state, summed, with respect to each input. */
async function reach(truncation?: number): Promise<number[]> {
  const options = truncation === undefined ? {} : { truncation };
  const model = nn.sequential([nn.gru(2, options)], { input: [6, 1] });
  const builder = new GraphBuilder(operatorTable, "reach");
  const x = random(2).uniform([1, 6, 1]);
  const input = builder.input("x", x, "data");
  const { output } = model.build(builder, input);
  builder.output("gradient", gradients(builder, builder.apply("sum", [output], { axes: [0, 1] }), [input])[0]);
  const given = new Map<string, HostTensor>([["x", x]]);
  for (const [index, { name }] of model.parameters.entries()) given.set(name, model.initialise()[index]);
  return Array.from((await evaluate(builder.build(), given)).get("gradient") as Float32Array);
}

for (const [name, make] of Object.entries(cells) as [keyof typeof cells, typeof nn.rnn][]) {
  test(`${name} gives the same to the bit where each step multiplies its own input, and the same gradients`, async () => {
    const run = async (stepwise: boolean): Promise<{ output: Float32Array; gradient: Float32Array }> => {
      const model = nn.sequential([make(6, { stepwise }), nn.dense(3)], { input: [5, 4], seed: 3 });
      const program = compile(model, { batch: 2, engine: "reference" });
      const inputs = random(9).uniform([2, 5, 4], -1, 1);
      const { gradient } = await program.inputGradient(inputs, { targets: tensor([0, 2], { dtype: "int32" }) });
      return { output: (await program.predict(inputs)).data, gradient: gradient.data };
    };
    const [joint, stepwise] = [await run(false), await run(true)];
    assert.equal(stepwise.output, joint.output);
    for (const [index, value] of stepwise.gradient.entries()) {
      assert.ok(
        Math.abs(value - joint.gradient[index]) <= 1e-6,
        `gradient ${index}: ${value}, ${joint.gradient[index]}`,
      );
    }
    const model = nn.sequential([make(4, { stepwise: true }), nn.dense(3)], { input: [3, 2], seed: 3 });
    const { worst } = checkGradients(model, { batch: 3 });
    assert.ok(worst <= 1e-7, String(worst));
  });
}

test("rematerialisation finds something to drop where each step multiplies its own input", () => {
  const peak = (stepwise: boolean): number => {
    const model = nn.sequential([nn.lstm(32, { stepwise }), nn.dense(10)], { input: [28, 28], seed: 3 });
    return compile(model, { batch: 64, engine: "reference", memory: "rematerialise" }).memory.peak.bytes;
  };
  const [joint, stepwise] = [peak(false), peak(true)];
  assert.ok(stepwise < 0.75 * joint, `${stepwise} and ${joint} bytes`);
});

test("truncation changes no value and cuts gradients where it says", async () => {
  const whole = await reach();
  assert.equal(await reach(6), whole);
  const cut = await reach(4);
  // Only the input's own part of steps 5 and 6 is left whole; what went back to the first four steps is gone.
  assert.ok(whole.every((value) => value !== 0));
  assert.equal(
    cut.map((value) => value !== 0),
    [false, false, false, false, true, true],
  );
  assert.equal(cut.slice(4), whole.slice(4));
});

/** Sequences of ±1, labelled by the sign of the first element: something has to be remembered. */
function signs(count: number, time: number): Dataset {
  const draw = random(11);
  const inputs = zeros([count, time, 1]);
  const targets = zeros([count], "int32");
  for (let i = 0; i < inputs.data.length; i++) inputs.data[i] = draw.nextUniform() < 0.5 ? -1 : 1;
  for (let i = 0; i < count; i++) targets.data[i] = inputs.data[i * time] > 0 ? 1 : 0;
  return { kind: "dataset", name: "signs", inputs, targets, scale: 1 } as unknown as Dataset;
}

for (const cell of ["lstm", "gru"] as const) {
  test(`a classifier of ${cell} learns to remember, with the same losses on both engines`, async () => {
    const model = nn.models.sequenceClassifier({ cell, input: [8, 1], hidden: 12, classes: 2 });
    const data = signs(64, 8);
    const losses: (readonly number[])[] = [];
    for (const engine of ["reference", "wasm"] as const) {
      const program = compile(model, { batch: 32, optimizer: nn.adam({ rate: 0.03 }), engine, threads: 2 });
      losses.push((await program.fit(data, { epochs: 25 })).stepLosses);
      program.dispose();
    }
    const [expected, actual] = losses;
    for (let step = 0; step < 10; step++) assert.ok(Math.abs(actual[step] / expected[step] - 1) < 1e-4, `step ${step}`);
    assert.ok((actual.at(-1) as number) < 0.1 * actual[0], `${actual[0]} to ${actual.at(-1)}`);
  });
}

test("an embedding is a row of its table for each number, and gradients go to the rows that were used", async () => {
  const model = nn.sequential([nn.embedding(5, 2), nn.flatten()], { input: [3] });
  assert.equal(model.output, [6]);
  const builder = new GraphBuilder(operatorTable, "embedding");
  const input = builder.input("x", { shape: [1, 3], dtype: "float32" }, "data");
  const { output, parameters } = model.build(builder, input);
  builder.output("output", output);
  builder.output("gradient", gradients(builder, builder.apply("sum", [output], { axes: [0, 1] }), parameters)[0]);
  const table = tensor(
    Array.from({ length: 10 }, (_, index) => index),
    { shape: [5, 2] },
  );
  const given = new Map<string, HostTensor>([
    ["x", tensor([[4, 0, 4]])],
    ["embedding1.table", table],
  ]);
  const results = await evaluate(builder.build(), given);
  assert.equal(Array.from(results.get("output") as Float32Array), [8, 9, 0, 1, 8, 9]);
  assert.equal(Array.from(results.get("gradient") as Float32Array), [1, 1, 0, 0, 0, 0, 0, 0, 2, 2]);
});

test("what is no sequence is refused where it stands", () => {
  assert.throws(
    () => nn.sequential([nn.lstm(3)], { input: [28] }),
    "lstm: a sample must be a sequence [time, features]",
  );
  assert.throws(() => nn.gru(0), "gru: hidden must be a whole number ≥ 1, got 0");
  assert.throws(() => nn.rnn(2, { truncation: 0.5 }), "rnn: truncation must be a whole number ≥ 1, got 0.5");
  assert.throws(() => nn.lstm(2, { forgetBias: Number.NaN }), "lstm: forgetBias must be a finite number");
  assert.throws(() => nn.models.sequenceClassifier({ cell: "elman" as "rnn" }), "the cell must be rnn, lstm or gru");
  assert.throws(() => nn.models.sequenceClassifier({ layers: 0 }), "layers must be a whole number ≥ 1, got 0");
});

test.run();
