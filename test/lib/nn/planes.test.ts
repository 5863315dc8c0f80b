import * as assert from "uvu/assert";
import { syntheticDigits } from "../../../datasets/index.ts";
import { checkGradients } from "../../../lib/checks/index.ts";
import type { Dataset } from "../../../lib/formats/index.ts";
import { GraphBuilder } from "../../../lib/ir/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import { full, type HostTensor, random, tensor } from "../../../lib/tensor/index.ts";
import { type CompileOptions, compile, trainingGraph } from "../../../lib/training/index.ts";
import { evaluate } from "../../support/evaluate.ts";
import { suite } from "../../support/suite.ts";

const test = suite("convolutional layers, normalisation and dropout");

test("LeNet-5 has the parameters and shapes that its layers are known for", () => {
  const model = nn.models.lenet5();
  assert.is(model.parameterCount, 156 + 2416 + 48120 + 10164 + 850);
  assert.is(model.parameterCount, 61706);
  assert.equal(
    model.layers
      .filter(({ parameters, layer }) => parameters > 0 || layer.startsWith("averagePool"))
      .map((l) => l.output),
    [[6, 28, 28], [6, 14, 14], [16, 10, 10], [16, 5, 5], [120], [84], [10]],
  );
  assert.throws(() => nn.models.lenet5({ activation: "step" as "tanh" }), "choose among these");
});

test("a convolution in groups has a share of the weights, and padding same keeps the extents", () => {
  const layer = nn.convolution(8, { kernel: [3, 5], padding: "same", groups: 4, bias: false });
  const model = nn.sequential([layer], { input: [4, 9, 9] });
  assert.equal(model.parameters[0].shape, [8, 1, 3, 5]);
  assert.equal(model.output, [8, 9, 9]);
});

test("layers that cannot be say what they need", () => {
  assert.throws(() => nn.sequential([nn.convolution(3, { kernel: 3 })], { input: [28, 28] }), "put reshape([1, height");
  assert.throws(() => nn.convolution(3, { kernel: 0 }), "convolution: kernel must be whole numbers ≥ 1, got [0,0]");
  assert.throws(() => nn.convolution(3, { kernel: 2, padding: "same" }), 'padding "same" needs an odd kernel');
  assert.throws(
    () => nn.sequential([nn.convolution(3, { kernel: 1, groups: 2 })], { input: [2, 4, 4] }),
    "groups must divide channels and filters",
  );
  assert.throws(
    () => nn.sequential([nn.maxPool(5)], { input: [2, 4, 4] }),
    "maxPool2d: the window must fit into the padded pictures",
  );
  assert.throws(() => nn.dropout(1), "dropout: the rate must be from 0 to below 1, got 1");
  assert.throws(() => nn.batchNorm({ momentum: 0 }), "momentum must be above 0 to 1");
  assert.throws(() => nn.layerNorm({ epsilon: 0 }), "epsilon must be a number > 0");
});

const mixed = nn.sequential(
  [
    nn.convolution(4, { kernel: 3, padding: 1, stride: 2 }),
    nn.batchNorm(),
    nn.gelu(),
    nn.convolution(4, { kernel: 3, groups: 2, dilation: 2, padding: 2 }),
    nn.softplus(),
    nn.averagePool(2),
    nn.flatten(),
    nn.dropout(0.3),
    nn.dense(6),
    nn.layerNorm(),
    nn.dense(3),
  ],
  { input: [2, 8, 8] },
);

const turned = nn.sequential(
  [
    nn.convolution(4, { kernel: 3, padding: 1, stride: 2 }),
    nn.groupNorm(2),
    nn.tanh(),
    nn.transposedConvolution(6, { kernel: [4, 3], stride: 2, padding: 1, extra: [0, 1], groups: 2 }),
    nn.localResponseNorm({ size: 3, alpha: 0.5 }),
    nn.globalAveragePool(),
  ],
  { input: [2, 7, 6] },
);

test("gradients through group and local response normalisation and transposed convolution are those of differences", () => {
  const { worst } = checkGradients(turned, { loss: nn.hinge({ margin: 0.1 }) });
  assert.ok(worst <= 1e-6, String(worst));
});

test("a transposed convolution undoes the extents of a convolution, and is its transpose", async () => {
  const settings = { kernel: 4, stride: 3, padding: 1, bias: false } as const;
  const there = nn.sequential([nn.convolution(2, settings)], { input: [3, 12, 12] });
  const back = nn.sequential([nn.transposedConvolution(3, { ...settings, extra: 1 })], { input: there.output });
  assert.equal(there.output, [2, 4, 4]);
  assert.equal(back.output, [3, 12, 12]);
  // With the same filters, maps · (what the convolution makes of pictures) = pictures · (what its transpose makes of maps).
  const filters = random(1).normal([2, 3, 4, 4]);
  const apply = async (model: nn.Model, input: HostTensor): Promise<ArrayLike<number>> => {
    const builder = new GraphBuilder(operatorTable, "one way");
    builder.output("output", model.build(builder, builder.input("input", input, "data")).output);
    const given = new Map([["input", input]]);
    return (await evaluate(builder.build(), given.set(model.parameters[0].name, filters))).get(
      "output",
    ) as Float32Array;
  };
  const pictures = random(2).normal([1, 3, 12, 12]);
  const maps = random(3).normal([1, 2, 4, 4]);
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
    Array.from(a).reduce((sum, value, index) => sum + value * b[index], 0);
  const forward = dot(await apply(there, pictures), maps.data);
  const backward = dot(await apply(back, maps), pictures.data);
  assert.ok(Math.abs(forward - backward) < 1e-3 * Math.abs(forward), `${forward}, ${backward}`);
  assert.throws(
    () => nn.transposedConvolution(1, { kernel: 2, stride: 2, extra: 2 }),
    "extra must be below the stride",
  );
  assert.throws(
    () => nn.sequential([nn.groupNorm(2)], { input: [3, 4, 4] }),
    "groupNorm: groups must divide the channels",
  );
});

test("one group for all channels is layer normalisation of the whole sample", async () => {
  const x = random(1).normal([2, 3, 4, 4], 3, 2);
  const answer = async (layers: readonly nn.Layer[]): Promise<ArrayLike<number>> =>
    (
      await compile(nn.sequential(layers, { input: [3, 4, 4] }), {
        loss: nn.meanSquaredError(),
        batch: 2,
        engine: "reference",
      }).predict(x)
    ).data;
  const expected = await answer([nn.flatten(), nn.layerNorm()]);
  const actual = await answer([nn.groupNorm(1), nn.flatten()]);
  for (let i = 0; i < expected.length; i++) assert.ok(Math.abs(actual[i] - expected[i]) < 1e-5, String(i));
});

test("hinge loss counts by how much each class comes within the margin of the label", async () => {
  const model = nn.sequential([nn.flatten()], { input: [3] });
  const inputs = tensor([
    [2, 1.5, -3],
    [0, 0, 0],
  ]);
  const targets = tensor([0, 2], { dtype: "int32" });
  const data = { kind: "dataset", name: "two", inputs, targets, scale: 1 } as unknown as Dataset;
  const { loss, error } = await compile(model, { loss: nn.hinge(), batch: 2, engine: "reference" }).evaluate(data);
  // max(0, 1 + 1.5 − 2) + max(0, 1 − 3 − 2) = 0.5, and 1 + 1 for three equal numbers.
  assert.is(loss, (0.5 + 2) / 2);
  assert.is(error, 0.5);
  assert.throws(() => nn.hinge({ margin: 0 }), "hinge: the margin must be a number > 0");
});

test("a model without parameters can be asked to train, and stays as it is", () => {
  const model = nn.sequential([nn.flatten()], { input: [2, 5] });
  const graph = trainingGraph(model, nn.clipNorm(nn.adam(), 1), { batch: 3, loss: nn.crossEntropy() });
  assert.equal(
    graph.outputs.map(({ name }) => name),
    ["loss", "optimizer.correction1", "optimizer.correction2"],
  );
});

test("gradients through all of them are those of differences", () => {
  const { worst } = checkGradients(mixed, { batch: 4 });
  assert.ok(worst <= 1e-6, String(worst));
});

const convolutional = nn.sequential(
  [
    nn.reshape([1, 10, 10]),
    nn.convolution(5, { kernel: 3 }),
    nn.relu(),
    nn.maxPool(2),
    nn.convolution(7, { kernel: 3, padding: 1 }),
    nn.batchNorm(),
    nn.leakyRelu(),
    nn.dropout(0.25),
    nn.globalAveragePool(),
    nn.dense(10),
  ],
  { input: [10, 10], seed: 5 },
);

const { train } = syntheticDigits({ train: 60, test: 1, size: 10 });

async function lossesWith(options: CompileOptions, model = convolutional): Promise<readonly number[]> {
  const program = compile(model, { batch: 16, ...options });
  const { stepLosses } = await program.fit(train, { epochs: 2 });
  program.dispose();
  return stepLosses;
}

for (const optimizer of [nn.sgd({ rate: 0.05, momentum: 0.9, nesterov: true }), nn.clipNorm(nn.adamW(), 0.5)]) {
  test(`losses with ${optimizer.name} are those of the reference, on one thread and on two`, async () => {
    const expected = await lossesWith({ optimizer, engine: "reference" });
    assert.is(expected.length, 8, "with a smaller batch at the end of each epoch");
    const one = await lossesWith({ optimizer, engine: "wasm", threads: 1 });
    assert.equal(await lossesWith({ optimizer, engine: "wasm", threads: 2 }), one);
    for (const [step, loss] of one.entries()) {
      assert.ok(Math.abs(loss - expected[step]) < 1e-3 * expected[step], `step ${step}: ${loss}, ${expected[step]}`);
    }
  });
}

test("dropout drops its share, anew at each step and in each layer, and not in answers", async () => {
  const model = nn.sequential([nn.dropout(0.25), nn.dropout(0.25)], { input: [4000] });
  assert.equal(
    model.states.map(({ name, dtype }) => `${name} ${dtype}`),
    ["dropout1.step int32", "dropout2.step int32"],
  );
  const ones = full([1, 4000], 1);
  const dropped = async (mode: nn.Mode, step: number): Promise<number[]> => {
    const builder = new GraphBuilder(operatorTable, "dropout");
    const { output, states } = model.build(builder, builder.input("input", ones, "data"), mode);
    builder.output("output", output.id === 0 ? builder.apply("copy", [output]) : output);
    for (const { name, value, next } of states) if (next !== null) builder.output(name, next, value);
    const steps = tensor([step], { shape: [], dtype: "int32" });
    const given = new Map(states.map(({ name }) => [name, steps as HostTensor]));
    return Array.from((await evaluate(builder.build(), given.set("input", ones))).get("output") as Float32Array);
  };
  const first = await dropped("training", 0);
  const kept = first.filter((value) => value > 0);
  assert.ok(kept.every((value) => Math.abs(value - 16 / 9) < 1e-6));
  // Two independent layers keep 9 of 16; four standard deviations of 4,000 draws are 126.
  assert.ok(Math.abs(kept.length - 2250) < 126, `${kept.length} kept`);
  assert.equal(await dropped("training", 0), first);
  assert.not.equal(await dropped("training", 1), first);
  assert.equal(await dropped("inference", 0), Array.from(ones.data));
});

test("running statistics come near those of the data, and answers go by them", async () => {
  const draw = random(4);
  const inputs = draw.normal([512, 3], 5, 2);
  const targets = full([512, 1], 0);
  const data = { kind: "dataset", name: "normal", inputs, targets, scale: 1 } as unknown as Dataset;
  const model = nn.sequential([nn.batchNorm({ momentum: 0.2 }), nn.dense(1)], { input: [3] });
  const program = compile(model, {
    loss: nn.meanSquaredError(),
    optimizer: nn.sgd({ rate: 1e-9 }),
    batch: 128,
    engine: "reference",
  });
  await program.fit(data, { epochs: 10 });
  const [mean, variance] = [...program.states.values()].map(({ data }) => Array.from(data));
  for (const value of mean) assert.ok(Math.abs(value - 5) < 0.3, String(mean));
  for (const value of variance) assert.ok(Math.abs(value - 4) < 0.8, String(variance));
  // One sample alone is answered by what was learned from all: (x − mean) / deviation through the dense layer.
  const sample = tensor([[7, 5, 3]]);
  const [weight] = [program.parameters.get("dense1.weight") as HostTensor];
  const expected = [7, 5, 3].reduce(
    (sum, x, index) => sum + ((x - mean[index]) / Math.sqrt(variance[index] + 1e-5)) * weight.data[index],
    0,
  );
  const [answer] = (await program.predict(sample)).data;
  assert.ok(Math.abs(answer - expected) < 1e-4, `${answer}, ${expected}`);
  // States can be carried to another program, and begin anew without being given.
  const other = compile(model, { loss: nn.meanSquaredError(), engine: "reference" });
  other.reset(new Map([...program.parameters, ...program.states]));
  assert.equal(Array.from((await other.predict(sample)).data), [answer]);
  other.reset();
  assert.equal(Array.from((other.states.get("batchNorm1.variance") as HostTensor).data), [1, 1, 1]);
});

test.run();
