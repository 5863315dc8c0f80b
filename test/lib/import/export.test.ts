import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { exportModel, importModel } from "../../../lib/import/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { type HostTensor, Random, tensor } from "../../../lib/tensor/index.ts";
import { compile } from "../../../lib/training/index.ts";
import { findPython, projectRoot } from "../../support/environment.ts";
import { suite } from "../../support/suite.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const test = suite("export to ONNX");
const seed = 11;

const sequential = (layers: readonly nn.Layer[], input: readonly number[]): nn.Model =>
  nn.sequential(layers, { input });

/** Models that together use every layer that answers. */
const models: Readonly<Record<string, () => nn.Model>> = {
  mlp: () => sequential([nn.flatten(), nn.dense(16), nn.relu(), nn.dense(5), nn.softmax()], [4, 4]),
  lenet: () => nn.models.lenet5(),
  residual: () => nn.models.smallResnet(),
  lstm: () => sequential([nn.lstm(5), nn.dense(3)], [4, 3]),
  gru: () => sequential([nn.gru(5), nn.dense(3)], [4, 3]),
  rnn: () => sequential([nn.rnn(5), nn.dense(3)], [4, 3]),
  embedding: () => sequential([nn.embedding(11, 6), nn.flatten(), nn.dense(4), nn.roundTo("bfloat16")], [5]),
  gated: () => {
    const gated: nn.Layer = {
      type: "gated",
      label: "gated",
      build: ({ builder }, x) => builder.apply("reluGradient", [x, builder.apply("negate", [x])]),
    };
    return sequential([nn.dense(7), gated, nn.dense(3)], [5]);
  },
  planes: () =>
    sequential(
      [
        nn.convolution(6, { kernel: 3, padding: 1, groups: 3 }),
        nn.batchNorm(),
        nn.gelu(),
        nn.maxPool(2, { stride: 2 }),
        nn.averagePool(3, { stride: 1, padding: 1 }),
        nn.localResponseNorm(),
        nn.groupNorm(2),
        nn.transposedConvolution(4, { kernel: 3, stride: 2 }),
        nn.leakyRelu(),
        nn.layerNorm(),
        nn.tanh(),
        nn.dropout(0.5),
        nn.globalAveragePool(),
        nn.dense(4),
        nn.sigmoid(),
        nn.softplus(),
      ],
      [3, 9, 9],
    ),
};

function samples({ input, name }: nn.Model, whole: boolean): HostTensor<"float32"> {
  const random = new Random(seed, name.length);
  const count = 3 * input.reduce((product, extent) => product * extent, 1);
  const numbers = Array.from({ length: count }, () => {
    const drawn = random.nextUniform();
    return whole ? Math.floor(11 * drawn) : 2 * drawn - 1;
  });
  return tensor(numbers, { shape: [3, ...input] });
}

function difference(made: ArrayLike<number>, expected: ArrayLike<number>): number {
  const largest = Math.max(...Array.from(expected, Math.abs));
  return Math.max(...Array.from(expected, (number, index) => Math.abs(made[index] - number))) / largest;
}

const answer = (model: nn.Model, input: HostTensor): Promise<HostTensor<"float32">> =>
  compile(model, { batch: 3, threads: 1, loss: nn.meanSquaredError() }).predict(input);

for (const [name, make] of Object.entries(models)) {
  test(`a model (${name}) that is exported and imported answers as before, layers under their names`, async () => {
    const model = make();
    const path = join(temporaryFolder(), `${name}.onnx`);
    await exportModel(model, path);
    const back = await importModel(path);
    const input = samples(model, name === "embedding");
    const [before, after] = [await answer(model, input), await answer(back, input)];
    assert.equal(after.shape, before.shape);
    assert.ok(difference(after.data, before.data) < 1e-6, `seed ${seed}: ${difference(after.data, before.data)}`);
    const layers = new Set(back.layers.map(({ layer }) => layer));
    for (const { layer } of model.parameters) assert.ok(layers.has(layer), `${layer} in ${[...layers].join()}`);
  });
}

test("a program is exported with the weights that it has by now", async () => {
  const model = models.mlp();
  const program = compile(model, { batch: 3, threads: 1 });
  const input = samples(model, false);
  const targets = tensor([0, 1, 2], { dtype: "int32" });
  await program.fit({ kind: "dataset", name: "three", inputs: input, targets, classes: [], scale: 1 }, { epochs: 3 });
  const path = join(temporaryFolder(), "trained.onnx");
  await exportModel(program, path);
  const expected = await program.predict(input);
  const made = await answer(await importModel(path), input);
  assert.ok(difference(made.data, expected.data) < 1e-6);
  const untrained = await answer(model, input);
  assert.ok(difference(untrained.data, expected.data) > 1e-4, "training has changed the answer");
});

test("what ONNX has no counterpart for is refused by layer and operator, and another ending too", async () => {
  const odd: nn.Layer = {
    type: "odd",
    label: "odd",
    build: ({ builder }, x) => builder.apply("channelWindowSum", [x], { size: 3 }),
  };
  const model = sequential([odd], [4, 2, 2]);
  const refusal = async (path: string): Promise<string> =>
    exportModel(model, path).then(
      () => "nothing was refused",
      (error: Error) => error.message,
    );
  assert.match(await refusal("odd.onnx"), /^odd\.onnx: .*channelWindowSum \(odd1\); export a model without it$/);
  assert.match(await refusal("odd.h5"), /must end in \.onnx, got odd\.h5/);
});

const found = findPython("onnx", "onnxruntime");
const accepted =
  "onnx.checker accepts every exported model, and onnxruntime answers as we do, for another batch as well";
if ("missing" in found) test.skip(accepted, found.missing);
else {
  test(accepted, async () => {
    const folder = temporaryFolder();
    const facts: Record<string, unknown> = {};
    for (const [name, make] of Object.entries(models)) {
      const model = make();
      const input = samples(model, name === "embedding");
      await exportModel(model, join(folder, `${name}.onnx`));
      const { data } = await answer(model, input);
      facts[name] = { shape: input.shape, input: [...input.data], output: [...data] };
    }
    await writeFile(join(folder, "facts.json"), JSON.stringify(facts));
    const script = join(projectRoot, "test/fixtures/onnx/run_exported.py");
    const { status, stdout, stderr } = spawnSync(found.python, [script, folder], { encoding: "utf8" });
    assert.is(status, 0, stderr);
    const differences: Record<string, number> = JSON.parse(stdout);
    assert.equal(Object.keys(differences).sort(), Object.keys(models).sort());
    for (const [name, value] of Object.entries(differences)) assert.ok(value < 1e-5, `${name}: ${value}`);
  });
}

test.run();
