import * as assert from "uvu/assert";
import * as nn from "../../../lib/nn/index.ts";
import { figures } from "../../../lib/plot/index.ts";
import { accountMemory, memoryArgument } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("memory accounted by tensor sets");

/** Published figures for one picture of 224 × 224 in float32; each names what it counts. */
const published = {
  // He et al. 2015 ("26 M" and "16 M" of Graphcore's article): strides in the first 1 × 1.
  v1: { parameters: 25_557_032, "products and additions": 16_107_496, "without activations": 27_046_912 },
  // torchvision 0.2 and later; torchinfo: 177.83 MB, torchsummary: 286.56 MiB.
  "v1.5": { parameters: 25_557_032, "saved for backward": 21_075_968 },
} as const;

test("ResNet-50's sets are those of the paper, of torchinfo and of torchsummary", () => {
  for (const [version, sets] of Object.entries(published)) {
    const account = accountMemory(nn.models.resnet50({ version: version as "v1" | "v1.5" }));
    for (const [name, elements] of Object.entries(sets)) {
      assert.is(account.sets.find((set) => set.name === name)?.elements, elements, `${version}, ${name}`);
    }
  }
  const bytes = (version: "v1" | "v1.5", name: string): number =>
    accountMemory(nn.models.resnet50({ version })).sets.find((set) => set.name === name)?.bytes ?? Number.NaN;
  assert.is((bytes("v1.5", "products and normalisations, twice") / 1e6).toFixed(2), "177.83");
  assert.is((bytes("v1", "products and normalisations, twice") / 1e6).toFixed(2), "169.40");
  assert.is((bytes("v1.5", "every output, twice") / 2 ** 20).toFixed(2), "286.56");
  assert.is((bytes("v1", "without activations") / 2 ** 20).toFixed(2), "103.18");
});

test("parameters are counted once, everything else for each sample, in elements of any size", () => {
  const model = nn.models.lenet5();
  const one = accountMemory(model);
  const many = accountMemory(model, { batch: 8, bytesPerElement: 2 });
  for (const [index, { name, bytes }] of many.sets.entries()) {
    assert.is(bytes, (one.sets[index].bytes * (name === "parameters" ? 1 : 8)) / 2, name);
  }
  const layers = one.layers.reduce((sum, { parameterBytes }) => sum + parameterBytes, 0);
  assert.is(layers, 4 * 61_706);
});

test("a dense layer on a picture of 1024 × 768 is accounted without drawing its weights", () => {
  const model = nn.sequential([nn.flatten(), nn.dense(1000)], { input: [3, 768, 1024] });
  assert.is(accountMemory(model).sets[0].elements, 3 * 768 * 1024 * 1000 + 1000);
});

test("the article's argument: 168 MB, above 2 GB at batch 32, and half precision gains nothing with twice the batch", () => {
  const argument = memoryArgument(nn.models.resnet50({ version: "v1" }), { batch: 32 });
  const [weights, activations, both, batch32, , , half, doubled] = argument.rows.map(({ bytes }) => bytes);
  assert.is(weights, 4 * 25_557_032);
  assert.is(activations, 4 * 16_107_496);
  // The article rounds to 26 M and 16 M before it multiplies: 168 MB.
  assert.ok(Math.abs(both - 168e6) < 2e6 && batch32 > 2e9, `${both}, ${batch32}`);
  assert.is(half, batch32 / 2);
  assert.ok(doubled > 0.97 * batch32);
  assert.is(figures["memory-argument"](argument).kind, "table");
});

test("a batch that is none is refused", () => {
  assert.throws(
    () => accountMemory(nn.models.lenet5(), { batch: 0 }),
    /^memory account: batch must be a whole number ≥ 1/,
  );
});

test.run();
