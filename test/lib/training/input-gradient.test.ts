import * as assert from "uvu/assert";
import { syntheticDigits } from "../../../datasets/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { type HostTensor, random, tensor } from "../../../lib/tensor/index.ts";
import { compile, type InputGradientOptions, type Program } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("gradients with respect to inputs");

const model = nn.sequential(
  [
    nn.reshape([1, 6, 6]),
    nn.convolution(3, { kernel: 3 }),
    nn.batchNorm(),
    nn.tanh(),
    nn.dropout(0.5),
    nn.flatten(),
    nn.dense(4),
  ],
  { input: [6, 6] },
);
const inputs = random(1).normal([2, 6, 6]);
const targets = tensor([1, 3], { dtype: "int32" });

/** The largest difference from central differences, relative to the largest slope. */
async function worst(program: Program, options: InputGradientOptions): Promise<number> {
  const { gradient } = await program.inputGradient(inputs, options);
  const slopes = Array.from(gradient.data);
  const scale = Math.max(...slopes.map(Math.abs));
  let largest = 0;
  for (let i = 0; i < slopes.length; i++) {
    const at = async (delta: number): Promise<number> => {
      const moved = tensor(inputs.data.slice(), { shape: inputs.shape });
      moved.data[i] += delta;
      const { values } = await program.inputGradient(moved, options);
      return values.data[Math.floor(i / 36)];
    };
    const numeric = ((await at(1e-2)) - (await at(-1e-2))) / 2e-2;
    largest = Math.max(largest, Math.abs(slopes[i] - numeric) / scale);
  }
  return largest;
}

const sources: readonly InputGradientOptions[] = [
  { targets },
  { of: { output: 2 } },
  { of: { layer: "convolution1" } },
  { of: { layer: "tanh1" } },
  { of: { layer: "tanh1", channel: 2 } },
];

for (const engine of ["reference", "wasm"] as const) {
  test(`${engine}: the loss, an output and a layer's activity change with each input as differences say`, async () => {
    const program = compile(model, { engine, threads: 1, batch: 2 });
    for (const options of sources) {
      // Numbers are float32 here, and steps of 0.01 leave an error of their square.
      const error = await worst(program, options);
      assert.ok(error < 5e-3, `${JSON.stringify(options.of ?? "loss")}: ${error}`);
    }
    program.dispose();
  });
}

test("values are those that the model gives, by the weights of now, and samples do not see each other", async () => {
  const program = compile(model, { engine: "reference", batch: 2 });
  const { values, gradient } = await program.inputGradient(inputs, { of: { output: 3 } });
  const answers = await program.predict(inputs);
  for (const sample of [0, 1]) assert.ok(Math.abs(values.data[sample] - answers.data[sample * 4 + 3]) < 1e-6);
  const one = tensor(inputs.data.slice(36), { shape: [1, 6, 6] });
  const alone = await program.inputGradient(one, { of: { output: 3 } });
  assert.equal(alone.gradient.data, gradient.data.slice(36));
  program.reset(5);
  assert.not.equal((await program.inputGradient(inputs, { of: { output: 3 } })).values, values);
});

test("a step up the gradient of the loss makes a trained network err", async () => {
  const { train } = syntheticDigits({ train: 256, test: 1, size: 10 });
  const trained = compile(nn.sequential([nn.flatten(), nn.dense(32), nn.relu(), nn.dense(10)], { input: [10, 10] }), {
    optimizer: nn.sgd({ rate: 0.1, momentum: 0.9 }),
    batch: 32,
    threads: 1,
  });
  await trained.fit(train, { epochs: 20 });
  const { error: before = 1 } = await trained.evaluate(train);
  const pictures = tensor(
    Float32Array.from(train.inputs.data, (value) => value * train.scale),
    {
      shape: train.inputs.shape,
    },
  );
  const { gradient } = await trained.inputGradient(pictures, { targets: train.targets });
  // The fast gradient sign method: as far as an eighth of the range of grey.
  for (let i = 0; i < pictures.data.length; i++) pictures.data[i] += 0.125 * Math.sign(gradient.data[i]);
  const { error: after = 0 } = await trained.evaluate({ ...train, inputs: pictures, scale: 1 });
  assert.ok(before < 0.05 && after > 5 * before + 0.2, `${before} to ${after}`);
  trained.dispose();
});

test("what cannot be asked for is refused with what can", async () => {
  const program = compile(model, { engine: "reference", batch: 2 });
  const refused = async (given: HostTensor, options: InputGradientOptions, message: string): Promise<void> => {
    try {
      await program.inputGradient(given, options);
    } catch (error) {
      assert.ok(String(error).includes(message), String(error));
      return;
    }
    assert.unreachable(message);
  };
  await refused(tensor([1]), {}, "inputs must be floats [samples, ...[6,6]], got float32[1]");
  await refused(inputs, {}, "targets must be int32[2] for cross-entropy, got none");
  await refused(inputs, { of: { output: 4 } }, "output must be from 0 to 3, got 4");
  await refused(
    inputs,
    { of: { layer: "tanh1", channel: 3 } },
    "channel must be from 0 to 2, got 3 (of tanh1, [3,4,4])",
  );
  await refused(inputs, { of: { layer: "dense" } }, 'got "dense"; there are reshape1, convolution1, batchNorm1');
});

test.run();
