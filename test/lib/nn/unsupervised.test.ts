import * as assert from "uvu/assert";
import { syntheticDigits } from "../../../datasets/index.ts";
import { checkGradients } from "../../../lib/checks/index.ts";
import type { Dataset } from "../../../lib/formats/index.ts";
import { GraphBuilder, gradients } from "../../../lib/ir/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import { full, type HostTensor, random, tensor } from "../../../lib/tensor/index.ts";
import { compile } from "../../../lib/training/index.ts";
import { evaluate } from "../../support/evaluate.ts";
import { suite } from "../../support/suite.ts";

const test = suite("Boltzmann machines and autoencoders");

const { train } = syntheticDigits({ train: 128, test: 1, size: 10 });

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

test("a Boltzmann machine's gradient is that of contrastive divergence, and its loss the error that people watch", async () => {
  const [batch, visible, hidden] = [3, 4, 2];
  const model = nn.sequential([nn.boltzmann(hidden, { initialiser: (shape, draw) => draw.normal(shape) })], {
    input: [visible],
  });
  const builder = new GraphBuilder(operatorTable, "machine");
  const data = random(3).uniform([batch, visible]);
  const input = builder.input("x", data, "data");
  const built = model.build(builder, input);
  const target = builder.input("target", { shape: [batch], dtype: "int32" }, "data");
  const losses = nn.sampleLosses(builder, nn.ownObjective(), built, target);
  const total = builder.apply("sum", [losses], { axes: [0] });
  // What the sampling made of the data is the constant whose free energy is taken away.
  const {
    inputs: [dream],
  } = builder.operations.filter(({ operator }) => operator === "stopGradient")[1];
  builder.output("losses", losses);
  builder.output("dream", dream);
  for (const [index, gradient] of gradients(builder, total, built.parameters).entries()) {
    builder.output(model.parameters[index].name, gradient);
  }
  const weights = [random(4).normal([visible, hidden]), tensor([0.3, -0.2]), tensor([0.1, 0, -0.4, 0.2])];
  const given = new Map<string, HostTensor>([["x", data]]);
  for (const [index, { name }] of model.parameters.entries()) given.set(name, weights[index]);
  const results = await evaluate(builder.build(), given);
  const at = (name: string): number[] => Array.from(results.get(name) as Float32Array);
  const dreamed = at("dream");
  const chance = (v: ArrayLike<number>, sample: number, unit: number): number => {
    let sum = weights[1].data[unit];
    for (let i = 0; i < visible; i++) sum += v[sample * visible + i] * weights[0].data[i * hidden + unit];
    return sigmoid(sum);
  };
  // Minus ⟨v·h⟩ of the data plus ⟨v·h⟩ of the dream (Hinton 2002, eq. 5), as gradients go downhill.
  const slope = (i: number, unit: number): number => {
    let sum = 0;
    for (let sample = 0; sample < batch; sample++) {
      const place = sample * visible + i;
      sum += dreamed[place] * chance(dreamed, sample, unit) - data.data[place] * chance(data.data, sample, unit);
    }
    return sum;
  };
  for (const [index, value] of at("boltzmann1.weight").entries()) {
    assert.ok(Math.abs(value - slope(Math.floor(index / hidden), index % hidden)) < 1e-5, `weight ${index}`);
  }
  for (const [unit, value] of at("boltzmann1.bias").entries()) {
    let sum = 0;
    for (let sample = 0; sample < batch; sample++)
      sum += chance(dreamed, sample, unit) - chance(data.data, sample, unit);
    assert.ok(Math.abs(value - sum) < 1e-5, `hidden ${unit}`);
  }
  for (const [i, value] of at("boltzmann1.visibleBias").entries()) {
    let sum = 0;
    for (let sample = 0; sample < batch; sample++)
      sum += dreamed[sample * visible + i] - data.data[sample * visible + i];
    assert.ok(Math.abs(value - sum) < 1e-5, `visible ${i}`);
  }
  for (const [sample, loss] of at("losses").entries()) {
    let error = 0;
    for (let i = 0; i < visible; i++) error += (dreamed[sample * visible + i] - data.data[sample * visible + i]) ** 2;
    assert.ok(Math.abs(loss - error / visible) < 1e-5, `loss ${sample}`);
  }
});

test("machines are trained one on top of the other, and become the layers of a deep network", async () => {
  const settings = { loss: nn.ownObjective(), optimizer: nn.sgd({ rate: 0.5, momentum: 0.5 }), batch: 16, threads: 1 };
  const first = compile(nn.models.rbm({ input: [10, 10], hidden: 24 }), settings);
  const { epochs } = await first.fit(train, { epochs: 30, validation: train });
  const errors = epochs.map(({ validationLoss }) => validationLoss as number);
  assert.ok((errors.at(-1) as number) < 0.5 * errors[0], String(errors));
  const inputs = await first.predict(train);
  assert.equal(inputs.shape, [128, 24]);
  const features = { ...train, name: "features", inputs, scale: 1 } as unknown as Dataset;
  const second = compile(nn.models.rbm({ input: [24], hidden: 12 }), settings);
  await second.fit(features, { epochs: 2 });
  const deep = nn.sequential([nn.flatten(), nn.dense(24), nn.sigmoid(), nn.dense(12), nn.sigmoid(), nn.dense(10)], {
    input: [10, 10],
  });
  const tuned = compile(deep, { batch: 16, threads: 1 });
  const start = new Map(tuned.parameters);
  for (const [layer, program] of [
    ["dense1", first],
    ["dense2", second],
  ] as const) {
    for (const own of ["weight", "bias"]) {
      start.set(`${layer}.${own}`, program.parameters.get(`boltzmann1.${own}`) as HostTensor);
    }
  }
  tuned.reset(start);
  assert.equal(tuned.parameters.get("dense1.weight"), first.parameters.get("boltzmann1.weight"));
  const history = await tuned.fit(train, { epochs: 3 });
  assert.ok(history.epochs[2].loss < history.epochs[0].loss);
  for (const program of [first, second, tuned]) program.dispose();
});

test("sampling is the same for the same seed, and on both engines", async () => {
  const model = nn.models.rbm({ input: [10, 10], hidden: 8, steps: 2 });
  const losses: (readonly number[])[] = [];
  for (const engine of ["reference", "wasm", "wasm"] as const) {
    const program = compile(model, { loss: nn.ownObjective(), batch: 32, engine, threads: 2 });
    losses.push((await program.fit(train, { epochs: 1 })).stepLosses);
    program.dispose();
  }
  assert.equal(losses[1], losses[2]);
  for (const [step, loss] of losses[0].entries()) assert.ok(Math.abs(losses[1][step] - loss) < 1e-4 * loss);
});

for (const noise of [0, 0.3]) {
  test(`an autoencoder with noise ${noise} learns to give back what it was given, without targets`, async () => {
    const model = nn.models.autoencoder({ input: [10, 10], widths: [30, 8], noise });
    assert.equal(model.output, [10, 10]);
    assert.ok(model.parameters.some(({ name }) => name === "encoder/dense2.weight"));
    const program = compile(model, { loss: nn.reconstruction(), optimizer: nn.adam({ rate: 0.01 }), batch: 16 });
    const { epochs } = await program.fit(train, { epochs: 20, validation: train });
    const [before, after] = [epochs[0], epochs[19]].map(({ validationLoss }) => validationLoss as number);
    assert.ok(after < 0.5 * before, `${before} to ${after}`);
    program.dispose();
  });
}

test("noise masks its share while training, and leaves the rest and all answers alone", async () => {
  const model = nn.sequential([nn.maskingNoise(0.25)], { input: [4000] });
  const twos = full([1, 4000], 2);
  for (const mode of ["training", "inference"] as const) {
    const builder = new GraphBuilder(operatorTable, mode);
    const { output, states } = model.build(builder, builder.input("input", twos, "data"), mode);
    builder.output("output", builder.apply("copy", [output]));
    const step = tensor([0], { shape: [], dtype: "int32" });
    const given = new Map<string, HostTensor>(states.map(({ name }) => [name, step]));
    const values = (await evaluate(builder.build(), given.set("input", twos))).get("output") as Float32Array;
    const kept = values.filter((value) => value === 2).length;
    assert.is(kept + values.filter((value) => value === 0).length, 4000);
    // Four standard deviations of 4,000 draws are 110.
    if (mode === "inference") assert.is(kept, 4000);
    else assert.ok(Math.abs(kept - 3000) < 110, `${kept} kept`);
  }
});

test("what layers ask for is added to the loss, with its gradient", async () => {
  const penalty: nn.Layer = {
    type: "penalty",
    label: "penalty",
    build({ builder, objective }, input) {
      objective(builder.apply("sum", [builder.apply("square", [input])], { axes: [1] }));
      return input;
    },
  };
  const model = nn.sequential([nn.dense(3), penalty, nn.dense(2)], { input: [4] });
  assert.ok(checkGradients(model).worst <= 1e-7);
  const without = nn.sequential([nn.dense(3), nn.dense(2)], { input: [4] });
  const inputs = random(1).uniform([5, 4]);
  const data = { kind: "dataset", name: "d", inputs, targets: tensor([0, 1, 0, 1, 1], { dtype: "int32" }), scale: 1 };
  const lossOf = async (given: nn.Model): Promise<number> =>
    (await compile(given, { batch: 5, engine: "reference" }).evaluate(data as unknown as Dataset)).loss;
  assert.ok((await lossOf(model)) > (await lossOf(without)) + 0.01);
  const whole: nn.Layer = {
    ...penalty,
    build({ objective }, input) {
      objective(input);
      return input;
    },
  };
  assert.throws(() => nn.sequential([whole], { input: [4] }), "penalty1: an objective must be one number per sample");
});

test("machines and autoencoders say what they need", () => {
  assert.throws(() => nn.sequential([nn.boltzmann(3)], { input: [2, 2] }), "boltzmann: a sample must be a vector");
  assert.throws(() => nn.boltzmann(3, { steps: 0 }), "boltzmann: steps must be a whole number ≥ 1, got 0");
  assert.throws(() => nn.models.autoencoder({ widths: [] }), "autoencoder: widths must name at least the code");
  assert.throws(() => nn.maskingNoise(1), "maskingNoise: the share must be from 0 to below 1, got 1");
  const narrow = compile(nn.sequential([nn.dense(3)], { input: [4] }), { loss: nn.reconstruction(), batch: 2 });
  assert.throws(() => narrow.training, "reconstruction: the model's output must have as many numbers as its input");
});

test.run();
