import * as assert from "uvu/assert";
import { makeSchedule } from "../../../lib/compiler/index.ts";
import { type Execution, referenceEngine } from "../../../lib/engine/index.ts";
import { GraphBuilder, gradients, type Value } from "../../../lib/ir/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import { type HostTensor, random, tensor } from "../../../lib/tensor/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("gradients of gradients");

const wide = ({ shape, data }: HostTensor): HostTensor => tensor(data, { shape, dtype: "float64" });

/** Σ (gradient of the loss with respect to the first weight)², and its gradient with respect to all parameters. */
function squaredSlope(model: nn.Model, batch: number): { execution: Execution; names: readonly string[] } {
  const builder = new GraphBuilder(operatorTable, "squared slope");
  const input = builder.input("input", { shape: [batch, ...model.input], dtype: "float64" }, "data");
  const built = model.build(builder, input);
  const target = builder.input("target", { shape: [batch], dtype: "int32" }, "data");
  const losses = nn.sampleLosses(builder, nn.crossEntropy(), built, target);
  const loss = builder.apply("sum", [losses], { axes: [0] });
  const [slope] = gradients(builder, loss, built.parameters.slice(0, 1));
  const axes = slope.type.shape.map((_, axis) => axis);
  const size: Value = builder.apply("sum", [builder.apply("square", [slope])], { axes });
  builder.output("size", size);
  const names = model.parameters.map(({ name }) => name);
  for (const [index, gradient] of gradients(builder, size, built.parameters.slice(0, -1)).entries()) {
    builder.output(`slope of ${names[index]}`, gradient);
  }
  const engine = referenceEngine();
  // The last bias shifts all classes together with its weight; the slopes of the others are enough.
  return {
    execution: engine.load(engine.compile(makeSchedule(builder.build()))) as Execution,
    names: names.slice(0, -1),
  };
}

const models = {
  "cross-entropy of dense layers": nn.sequential([nn.dense(5), nn.tanh(), nn.dense(3)], { input: [4] }),
  "convolution and max pooling": nn.sequential(
    [nn.convolution(2, { kernel: 3 }), nn.sigmoid(), nn.maxPool(2), nn.flatten(), nn.dense(3)],
    { input: [1, 6, 6] },
  ),
  "softmax inside": nn.sequential([nn.dense(4), nn.softmax(), nn.dense(3)], { input: [3] }),
  "batch normalisation": nn.sequential([nn.dense(4), nn.batchNorm(), nn.tanh(), nn.dense(3)], { input: [3] }),
  "local response normalisation": nn.sequential(
    [nn.convolution(4, { kernel: 2 }), nn.localResponseNorm({ size: 3, alpha: 0.4 }), nn.flatten(), nn.dense(3)],
    { input: [1, 3, 3] },
  ),
  lstm: nn.sequential([nn.lstm(3), nn.dense(3)], { input: [3, 2] }),
};

for (const [name, model] of Object.entries(models)) {
  test(`${name}: how a gradient changes is what differences of it say`, () => {
    const batch = 3;
    const { execution, names } = squaredSlope(model, batch);
    const values = new Map<string, HostTensor>([
      ["input", wide(random(1).uniform([batch, ...model.input], -1, 1))],
      ["target", tensor([0, 2, 1], { dtype: "int32" })],
    ]);
    for (const [index, own] of model.parameters.entries()) {
      values.set(own.name, wide(random(2, index).uniform(own.shape, -0.7, 0.7)));
    }
    for (const [index, { name: own }] of model.states.entries()) values.set(own, wide(model.initialStates()[index]));
    const at = (): number => {
      for (const [own, { data }] of values) execution.input(own).set(data as never);
      execution.run();
      return execution.output("size")[0];
    };
    at();
    const slopes = names.map((own) => Float64Array.from(execution.output(`slope of ${own}`)));
    assert.ok(slopes.some((slope) => slope.some((value) => Math.abs(value) > 1e-3)));
    for (const [index, own] of names.entries()) {
      const { data } = values.get(own) as HostTensor;
      const scale = Math.max(1e-2, ...slopes[index].map(Math.abs));
      for (let element = 0; element < data.length; element += 1 + Math.floor(data.length / 7)) {
        const before = data[element];
        data[element] = before + 1e-5;
        const above = at();
        data[element] = before - 1e-5;
        const numeric = (above - at()) / 2e-5;
        data[element] = before;
        const error = Math.abs(slopes[index][element] - numeric) / scale;
        assert.ok(error <= 1e-6, `${own}[${element}]: ${error}`);
      }
    }
  });
}

test.run();
