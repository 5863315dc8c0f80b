import * as assert from "uvu/assert";
import { GraphBuilder, gradients } from "../../../lib/ir/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import { tensor } from "../../../lib/tensor/index.ts";
import { evaluate } from "../../support/evaluate.ts";
import { suite } from "../../support/suite.ts";

const test = suite("models");

test("a model knows its layers, shapes and parameters", () => {
  const model = nn.sequential([nn.flatten(), nn.dense(128), nn.relu(), nn.dense(10)], { input: [28, 28] });
  assert.is(model.parameterCount, 784 * 128 + 128 + 128 * 10 + 10);
  assert.equal(model.output, [10]);
  assert.equal(
    model.layers.map(({ layer, label, output, parameters }) => `${layer} ${label} [${output}] ${parameters}`),
    ["flatten1 flatten [784] 0", "dense1 dense(128) [128] 100480", "relu1 relu [128] 0", "dense2 dense(10) [10] 1290"],
  );
});

test("one seed gives one set of weights, of the deviation its initialiser promises", () => {
  const layers = [nn.dense(200), nn.relu(), nn.dense(100, { initialiser: "glorot" })];
  const values = nn.sequential(layers, { input: [300], seed: 3 }).initialise();
  assert.equal(values, nn.sequential(layers, { input: [300], seed: 3 }).initialise());
  assert.not.equal(values, nn.sequential(layers, { input: [300], seed: 4 }).initialise());
  const variance = (data: ArrayLike<number>): number =>
    Array.from(data).reduce((sum, value) => sum + value * value, 0) / data.length;
  assert.ok(Math.abs(variance(values[0].data) / (2 / 300) - 1) < 0.05);
  assert.ok(Math.abs(variance(values[2].data) / (2 / 300) - 1) < 0.05);
  assert.ok(values[1].data.every((bias) => bias === 0));
});

test("repeated layers have parameters of their own", () => {
  const model = nn.sequential([...nn.repeat(3, [nn.dense(4), nn.relu()])], { input: [4] });
  assert.equal(
    model.parameters.map((parameter) => parameter.name),
    ["dense1.weight", "dense1.bias", "dense2.weight", "dense2.bias", "dense3.weight", "dense3.bias"],
  );
});

test("layers that do not fit are refused where they stand", () => {
  assert.throws(() => nn.sequential([nn.dense(3)], { input: [2, 2] }), "put flatten() before it");
  assert.throws(() => nn.dense(0), "dense: units must be a whole number ≥ 1, got 0");
  assert.throws(() => nn.dense(3, { initialiser: "ones" as "he" }), "use he, glorot, zeros or a function");
  assert.throws(() => nn.repeat(-1, []), "repeat: times");
  assert.throws(() => nn.sgd({ rate: 0 }), "sgd: rate must be a number > 0");
  assert.throws(() => nn.sgd({ rate: 1, momentum: 1 }), "momentum must be from 0 to below 1");
  assert.throws(() => nn.sequential([], {} as nn.ModelOptions), "write { input: [28, 28] }");
});

test("a layer of one's own has its place, its parameters and its inner layers in the names", () => {
  const residual = (inner: nn.Layer): nn.Layer => ({
    type: "residual",
    label: "residual",
    build: ({ builder, apply }, input) => builder.apply("add", [input, apply(inner, input)]),
  });
  const model = nn.sequential([residual(nn.dense(3)), residual(nn.dense(3))], { input: [3] });
  assert.equal(
    model.parameters.map((parameter) => parameter.name),
    ["residual1/dense1.weight", "residual1/dense1.bias", "residual2/dense1.weight", "residual2/dense1.bias"],
  );
});

test("rounding to a short float keeps what it has, and loses small gradients that a factor saves", async () => {
  const model = nn.sequential([nn.dense(1, { bias: false }), nn.roundTo("float16")], { input: [1] });
  for (const [factor, expected] of [
    [1, 0],
    [2 ** 12, 2 ** -26],
  ]) {
    const builder = new GraphBuilder(operatorTable, "rounding");
    const input = builder.input("x", { shape: [1, 1], dtype: "float32" }, "data");
    const { output, parameters } = model.build(builder, input);
    // The loss is 2⁻²⁶ times the output: a slope below the smallest float16, 2⁻²⁴.
    const loss = builder.apply("sum", [builder.apply("scale", [output], { factor: factor * 2 ** -26 })], {
      axes: [0, 1],
    });
    const [gradient] = gradients(builder, loss, parameters);
    builder.output("output", output);
    builder.output("gradient", builder.apply("scale", [gradient], { factor: 1 / factor }));
    const given = new Map([
      ["x", tensor([[1]])],
      ["dense1.weight", tensor([[1 / 3]])],
    ]);
    const results = await evaluate(builder.build(), given);
    assert.equal(Array.from(results.get("output") as Float32Array), [0.333251953125]);
    assert.equal(Array.from(results.get("gradient") as Float32Array), [expected]);
  }
});

test.run();
