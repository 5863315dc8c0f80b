import * as assert from "uvu/assert";
import * as nn from "../../../lib/nn/index.ts";
import { random } from "../../../lib/tensor/index.ts";
import { compile } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("activations of layers");

const layers = [nn.flatten(), nn.dense(5), nn.relu(), nn.dense(3)];
const inputs = random(1).normal([2, 2, 3]);

test("a layer gives what a network that ends there would answer with the same weights", async () => {
  const program = compile(nn.sequential(layers, { input: [2, 3] }), { loss: nn.meanSquaredError(), threads: 1 });
  const shorter = compile(nn.sequential(layers.slice(0, 3), { input: [2, 3] }), {
    loss: nn.meanSquaredError(),
    engine: "reference",
  });
  shorter.reset(new Map([...program.parameters].filter(([name]) => name.startsWith("dense1"))));
  const activity = await program.activations(inputs, "relu1");
  assert.equal(activity.shape, [2, 5]);
  const expected = await shorter.predict(inputs);
  for (const [i, value] of activity.data.entries()) assert.ok(Math.abs(value - expected.data[i]) < 1e-6);
  assert.equal(await program.activations(inputs, "dense2"), await program.predict(inputs), "the last layer answers");
  const before = activity.data.slice();
  program.reset(9);
  assert.not.equal((await program.activations(inputs, "relu1")).data, before, "weights are those of now");
  assert.equal(activity.data, before, "what was given stays as it is");
  program.dispose();
});

test("what cannot be asked for is refused with what can", async () => {
  const program = compile(nn.sequential(layers, { input: [2, 3] }), {
    loss: nn.meanSquaredError(),
    engine: "reference",
  });
  for (const [given, layer, message] of [
    [
      inputs,
      "relu7",
      'activations: the layer must be one that computes floats, got "relu7"; there are flatten1, dense1',
    ],
    [random(1).normal([2, 3]), "relu1", "activations: inputs must be floats [samples, ...[2,3]], got float32[2,3]"],
  ] as const) {
    const error = await program.activations(given, layer).catch((reason: Error) => reason);
    assert.ok(error instanceof Error && error.message.includes(message), String(error));
  }
});

test.run();
