import * as assert from "uvu/assert";
import { checkGradients } from "../../../lib/checks/index.ts";
import { GraphBuilder, type Operation, type OperatorGraph } from "../../../lib/ir/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import { elementCount, zeros } from "../../../lib/tensor/index.ts";
import { compile } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("networks known by name, and blocks of layers");

/** Counts of parameters as the papers and torchvision's documentation give them. */
const known = [
  [nn.models.alexnet, 61_100_840],
  [nn.models.alexnet2012, 60_965_224],
  [nn.models.mobilenet, 4_231_976],
  [nn.models.vgg16, 138_357_544],
  [nn.models.vgg19, 143_667_240],
  [nn.models.resnet18, 11_689_512],
  [nn.models.resnet50, 25_557_032],
] as const;

for (const [make, parameters] of known) {
  test(`${make.name} has ${parameters.toLocaleString("en")} parameters and a thousand answers`, () => {
    const model = make();
    assert.is(model.parameterCount, parameters);
    assert.is(
      model.parameters.reduce((sum, { shape }) => sum + elementCount(shape), 0),
      parameters,
    );
    assert.equal(model.output, [1000]);
  });
}

function forward(model: nn.Model, batch = 1): OperatorGraph {
  const builder = new GraphBuilder(operatorTable, model.name);
  const input = builder.input("input", { shape: [batch, ...model.input], dtype: "float32" }, "data");
  builder.output("output", model.build(builder, input).output);
  return builder.build();
}

const elements = (operations: readonly Operation[]): number =>
  operations.reduce((sum, { outputs: [{ type }] }) => sum + elementCount(type.shape), 0);

test("ResNet-50 v1 computes what the paper's arithmetic says: outputs, sums and multiplications", () => {
  const { operations } = forward(nn.models.resnet50({ version: "v1" }));
  const products = operations.filter(({ operator }) => operator === "convolution2d" || operator === "matmul");
  assert.is(products.length, 53 + 1);
  assert.is(elements(products), 10_588_136);
  const sums = operations.filter(({ operator, layer }) => operator === "add" && /\/bottleneck\d+$/.test(layer));
  assert.is(sums.length, 16);
  assert.is(elements(sums), 5_519_360);
  const multiplications = products.reduce((total, { operator, inputs, outputs, attributes }) => {
    const types = [inputs, outputs].map((values) => values.map(({ type }) => type));
    return total + operatorTable[operator as "matmul"].cost(types[0], types[1], attributes).flops / 2;
  }, 0);
  assert.is(multiplications, 3_857_973_248);
});

test("AlexNet of 2012 has the maps that its paper tells of", () => {
  const maps = nn.models
    .alexnet2012()
    .layers.filter(({ layer }) => layer.startsWith("convolution"))
    .map(({ output }) => output);
  assert.equal(maps, [
    [96, 55, 55],
    [256, 27, 27],
    [384, 13, 13],
    [384, 13, 13],
    [256, 13, 13],
  ]);
});

test("v1 and v1.5 differ in where a bottleneck halves the picture, and in no parameter", () => {
  const strided = (version: "v1" | "v1.5"): readonly string[] =>
    forward(nn.models.resnet50({ version }))
      .operations.filter(({ attributes, layer }) => String(attributes.stride) === "2,2" && layer.startsWith("conv4"))
      .map(({ layer }) => layer);
  assert.equal(strided("v1"), ["conv4/bottleneck1/convolution1", "conv4/bottleneck1/shortcut/convolution1"]);
  assert.equal(strided("v1.5"), ["conv4/bottleneck1/convolution2", "conv4/bottleneck1/shortcut/convolution1"]);
  const named = (version: "v1" | "v1.5") => nn.models.resnet50({ version }).parameters;
  assert.equal(named("v1"), named("v1.5"));
  assert.throws(
    () => nn.models.resnet50({ version: "v2" as "v1" }),
    "resnet50: the version must be v1 or v1.5, got v2",
  );
});

test("identity blocks of one stage have the same layers under another number", () => {
  const { operations } = forward(nn.models.resnet50());
  const layersOf = (block: string): readonly string[] =>
    operations.filter(({ layer }) => layer.startsWith(`${block}/`)).map(({ layer }) => layer.slice(block.length));
  const second = layersOf("conv4/bottleneck2");
  assert.ok(second.includes("/convolution3"));
  for (const number of [3, 4, 5, 6]) assert.equal(layersOf(`conv4/bottleneck${number}`), second);
  assert.equal(layersOf("conv4/bottleneck7"), []);
});

test("a network is described and compiled before any of its weights is drawn", () => {
  let drawn = 0;
  const counting: nn.Initialiser = (shape) => {
    drawn++;
    return zeros(shape);
  };
  const model = nn.sequential([nn.dense(2, { initialiser: counting })], { input: [3] });
  const program = compile(model, { engine: "reference", batch: 2 });
  assert.ok(program.memory.peak.bytes > 0);
  assert.is(drawn, 0);
  assert.equal(program.parameters.get("dense1.weight")?.shape, [3, 2]);
  program.dispose();
  assert.is(drawn, 1);
});

test("other classes and pictures change the ends of a network", () => {
  const model = nn.models.vgg16({ classes: 10, input: [3, 32, 32] });
  assert.equal(model.output, [10]);
  assert.equal(model.parameters.find(({ name }) => name === "dense1.weight")?.shape, [512, 4096]);
  assert.equal(nn.models.smallResnet().output, [10]);
  assert.is(nn.models.smallResnet().name, "ResNet-20");
  assert.throws(() => nn.models.smallResnet({ blocks: [0] }), "smallResnet: blocks must be a whole number ≥ 1, got 0");
});

test("gradients through a residual network are those of differences", () => {
  const model = nn.models.smallResnet({ input: [2, 6, 6], blocks: [1, 1], filters: 3, classes: 3 });
  // Normalised activations lie around 0, so that differences now and then reach across the kink of relu.
  assert.ok(checkGradients(model).worst <= 1e-4);
});

test("a model can be put together by a function", () => {
  const model = nn.functional(
    (x, { apply, builder }) => {
      const wide = apply(nn.dense(4), x);
      const sum = builder.apply("add", [wide, apply(nn.tanh(), apply(nn.dense(4), x))]);
      return apply(nn.dense(2), sum);
    },
    { input: [3], name: "two ways" },
  );
  assert.is(model.parameterCount, 2 * (3 * 4 + 4) + 4 * 2 + 2);
  assert.equal(
    model.layers.map(({ layer }) => layer),
    ["dense1", "dense2", "tanh1", "dense3"],
  );
  assert.ok(checkGradients(model).worst <= 1e-7);
  assert.throws(
    () => nn.functional((x) => x, {} as nn.ModelOptions),
    "functional: the shape of a sample must be given",
  );
});

test("branches stand side by side, and blocks have names of their own", () => {
  const side = (filters: number): nn.Layer[] => [nn.convolution(filters, { kernel: 1 })];
  const model = nn.sequential([nn.branches([side(2), side(3)], { name: "mixed" }), nn.chain([nn.relu()])], {
    input: [1, 2, 2],
  });
  assert.equal(model.output, [5, 2, 2]);
  assert.equal(
    model.parameters.map(({ name }) => name),
    [
      "mixed/branch1/convolution1.weight",
      "mixed/branch1/convolution1.bias",
      "mixed/branch2/convolution1.weight",
      "mixed/branch2/convolution1.bias",
    ],
  );
  assert.equal(model.layers.at(-1)?.layer, "chain1");
  const twice = [nn.chain([], { name: "a" }), nn.chain([], { name: "a" })];
  assert.throws(() => nn.sequential(twice, { input: [1] }), "a layer's name must be its own among its siblings");
  assert.throws(() => nn.sequential([nn.chain([], { name: "a/b" })], { input: [1] }), 'got "a/b"; rename it');
  assert.throws(() => nn.branches([]), "branches: there must be at least one branch");
});

test.run();
