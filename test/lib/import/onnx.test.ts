import { readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { Dataset } from "../../../lib/formats/index.ts";
import { importModel } from "../../../lib/import/index.ts";
import { type Draft, writeMessage } from "../../../lib/import/onnx/protobuf.ts";
import { readOnnx } from "../../../lib/import/onnx/read-onnx.ts";
import { attributeTypes, modelFields } from "../../../lib/import/onnx/schema.ts";
import { Random, tensor } from "../../../lib/tensor/index.ts";
import { compile } from "../../../lib/training/index.ts";
import { projectRoot } from "../../support/environment.ts";
import { suite } from "../../support/suite.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const test = suite("import of ONNX");

const folder = join(projectRoot, "test/fixtures/onnx");
/** What torch says of the network in the files: see make.py beside them. */
const torch: { parameters: number; input: number[]; output: number[] } = JSON.parse(
  readFileSync(join(folder, "residual.json"), "utf8"),
);
/** Torch's newer exporter folds both normalisations of four channels into the convolutions before them. */
const exporters = { dynamo: torch.parameters - 2 * 4, script: torch.parameters };
const pathOf = (exporter: string): string => join(folder, `residual-${exporter}.onnx`);
const data = () => ({
  input: tensor(torch.input, { shape: [2, 1, 8, 8] }),
  target: tensor([0, 2], { dtype: "int32" }),
});

const samples = (): Dataset => ({
  kind: "dataset",
  name: "two",
  scale: 1,
  classes: [],
  inputs: data().input,
  targets: data().target,
});

/** The difference to torch's outputs, relative to the largest of them. */
function difference(outputs: ArrayLike<number>): number {
  const largest = Math.max(...torch.output.map(Math.abs));
  return Math.max(...torch.output.map((expected, index) => Math.abs(outputs[index] - expected))) / largest;
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing was refused";
}

interface NodeDraft {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly name?: string;
}

/** A file of the given nodes over an input x of real numbers. */
function file(nodes: readonly NodeDraft[], changes: Draft<typeof modelFields> = {}, batch = 1): Uint8Array {
  const dimensions = [{ value: batch }, { value: 4 }];
  return writeMessage(modelFields, {
    irVersion: 9,
    operatorSets: [{ domain: "", version: 18 }],
    graph: {
      nodes,
      name: "drafted",
      inputs: [{ name: "x", type: { tensor: { elementType: 1, shape: { dimensions } } } }],
      outputs: [{ name: "y" }],
    },
    ...changes,
  });
}

const relu: NodeDraft = { operator: "Relu", inputs: ["x"], outputs: ["y"], name: "first" };

for (const [exporter, parameters] of Object.entries(exporters)) {
  test(`a network of torch's ${exporter} exporter answers as torch does, and has the parameters of the file`, async () => {
    const model = await importModel(pathOf(exporter));
    assert.is(model.parameterCount, parameters);
    for (const engine of ["reference", "wasm"] as const) {
      const { data: outputs } = await compile(model, { batch: 2, engine, threads: 1 }).predict(data().input);
      assert.ok(difference(outputs as Float32Array) < 1e-5, `${engine}: ${difference(outputs as Float32Array)}`);
    }
  });
}

for (const kind of ["lstm", "gru", "rnn"]) {
  test(`sequences through torch's ${kind} come out as from torch, every weight a parameter`, async () => {
    const facts = JSON.parse(readFileSync(join(folder, `${kind}.json`), "utf8"));
    for (const exporter of Object.keys(exporters)) {
      const model = await importModel(join(folder, `${kind}-${exporter}.onnx`));
      assert.is(model.parameterCount, facts.parameters);
      const input = tensor(facts.input, { shape: facts.shape });
      const { data: outputs } = await compile(model, { batch: 2, threads: 1 }).predict(input);
      for (const [index, expected] of facts.output.entries()) {
        assert.ok(Math.abs(outputs[index] - expected) < 1e-6, `${exporter}: ${outputs[index]} and ${expected}`);
      }
    }
  });
}

test("torch's modules are the layers, running statistics states", async () => {
  const model = await importModel(pathOf("script"));
  const names = model.parameters.map(({ name }) => name);
  assert.equal(names, [
    "conv1.weight",
    "bn1.weight",
    "bn1.bias",
    "conv2.weight",
    "bn2.weight",
    "bn2.bias",
    "fc.weight",
    "fc.bias",
  ]);
  assert.equal(
    model.states.map(({ name }) => name),
    ["bn1.running_mean", "bn1.running_var", "bn2.running_mean", "bn2.running_var"],
  );
  assert.equal(model.layers.find(({ layer }) => layer === "pool")?.output, [4, 2, 2]);
  const folded = await importModel(pathOf("dynamo"));
  assert.equal(folded.layers.find(({ layer }) => layer === "pool")?.output, [4, 2, 2]);
});

test("what was imported trains, and every memory strategy trains it alike", async () => {
  const model = await importModel(pathOf("script"));
  const losses = async (memory: "reuse" | "keep-everything" | "checkpoint"): Promise<readonly number[]> => {
    const program = compile(model, { batch: 2, threads: 1, memory });
    const history = await program.fit(samples(), { epochs: 5 });
    return history.epochs.map(({ loss }) => loss);
  };
  const usual = await losses("reuse");
  assert.ok(usual[4] < usual[0], usual.join());
  assert.equal(await losses("keep-everything"), usual);
  assert.equal(await losses("checkpoint"), usual);
});

test("a file made for one batch takes another", async () => {
  const nodes = [
    {
      operator: "Constant",
      inputs: [],
      outputs: ["shape"],
      attributes: [{ name: "value_ints", wholes: [3, 2, 2], type: attributeTypes.wholes }],
    },
    { operator: "Reshape", inputs: ["x", "shape"], outputs: ["y"] },
  ];
  const model = await readOnnx(file(nodes, {}, 3), "batch.onnx", {});
  assert.equal(model.output, [2, 2]);
});

test("every node without a rule is named in one error", async () => {
  const nodes = [
    relu,
    { operator: "Det", inputs: ["y"], outputs: ["z"], name: "second" },
    { operator: "Unique", inputs: ["z"], outputs: ["w"], name: "third" },
  ];
  const bytes = file(nodes, {
    graph: { nodes, outputs: [{ name: "w" }], inputs: [{ name: "x", type: { tensor: { elementType: 1 } } }] },
  });
  const message = await refusal(readOnnx(bytes, "odd.onnx", {}));
  assert.match(message, /^odd\.onnx: .*"second" \(Det\), "third" \(Unique\); /);
});

test("a file of an older version is read if its operators meant the same, and otherwise refused by node and operator", async () => {
  const softmax = { ...relu, operator: "Softmax", name: "probabilities" };
  const old = { operatorSets: [{ version: 9 }] };
  await readOnnx(file([relu], old), "old.onnx", {});
  assert.match(
    await refusal(readOnnx(file([softmax], old), "old.onnx", {})),
    /^old\.onnx: .*got version 9 for node "probabilities" \(Softmax: from 13 on\); .*opset_version/,
  );
});

test("what were attributes before version 13 and are inputs since is read either way", async () => {
  const wholes = (name: string, ...values: number[]) => ({ name, wholes: values, type: attributeTypes.wholes });
  const nodes = [
    { operator: "Unsqueeze", inputs: ["x"], outputs: ["deep"], attributes: [wholes("axes", 1)] },
    { operator: "Squeeze", inputs: ["deep"], outputs: ["flat"], attributes: [wholes("axes", 1)] },
    {
      operator: "Split",
      inputs: ["flat"],
      outputs: ["three", "one"],
      attributes: [wholes("split", 3, 1), { name: "axis", whole: 1, type: attributeTypes.whole }],
    },
    { operator: "ReduceSum", inputs: ["three"], outputs: ["y"], attributes: [wholes("axes", 1)] },
  ];
  const model = await readOnnx(file(nodes, { operatorSets: [{ version: 11 }] }), "old.onnx", {});
  const input = tensor([1, 2, 3, 100, 10, 20, 30, 100], { shape: [2, 4] });
  const { data: sums } = await compile(model, { batch: 2, threads: 1 }).predict(input);
  assert.equal([...sums], [6, 60]);
});

test("versions of operators that are not known, and shapes left open, are refused with a remedy", async () => {
  assert.match(
    await refusal(readOnnx(file([relu], { operatorSets: [{ version: 99 }] }), "new.onnx", {})),
    /at most 28, got 99 .*opset_version/,
  );
  const inputs = [
    {
      name: "x",
      type: { tensor: { elementType: 1, shape: { dimensions: [{ parameter: "n" }, { parameter: "width" }] } } },
    },
  ];
  const open = file([relu], { graph: { nodes: [relu], inputs, outputs: [{ name: "y" }] } });
  assert.match(
    await refusal(readOnnx(open, "open.onnx", {})),
    /got \[n,width\] \(input "x"\); give them with \{ input/,
  );
  assert.equal((await readOnnx(open, "open.onnx", { input: [7] })).output, [7]);
});

test("an error of a rule names file, node and operator", async () => {
  const nodes = [{ operator: "Conv", inputs: ["x", "x"], outputs: ["y"], name: "conv" }];
  assert.match(await refusal(readOnnx(file(nodes), "rank.onnx", {})), /^rank\.onnx: node "conv" \(Conv\): .*\[1,4\]/);
});

test("weights beside the file are read, and none from elsewhere", async () => {
  const where = temporaryFolder();
  const graph = (location: string) => ({
    nodes: [{ operator: "Gemm", inputs: ["x", "w"], outputs: ["y"] }],
    inputs: [{ name: "x", type: { tensor: { elementType: 1, shape: { dimensions: [{ value: 1 }, { value: 4 }] } } } }],
    outputs: [{ name: "y" }],
    initializers: [
      {
        name: "w",
        dims: [4, 2],
        dataType: 1,
        dataLocation: 1,
        externalData: [
          { key: "location", value: location },
          { key: "offset", value: "8" },
        ],
      },
    ],
  });
  await mkdir(join(where, "data"));
  await writeFile(join(where, "data/w.bin"), new Uint8Array(Float32Array.of(9, 9, 1, 2, 3, 4, 5, 6, 7, 8).buffer));
  const path = join(where, "external.onnx");
  await writeFile(path, file([], { graph: graph("data/w.bin") }));
  const [weight] = (await importModel(path)).initialise();
  assert.equal([...weight.data], [1, 2, 3, 4, 5, 6, 7, 8]);
  await writeFile(path, file([], { graph: graph("../w.bin") }));
  assert.match(await refusal(importModel(path)), /must lie in the model's folder, got "\.\.\/w\.bin"/);
  await writeFile(path, file([], { graph: graph("gone.bin") }));
  const begin = { weights: "drawn", seed: 3 } as const;
  const [drawn] = (await importModel(path, begin)).initialise();
  assert.equal(drawn.shape, [4, 2]);
  assert.equal([...drawn.data], [...(await importModel(path, begin)).initialise()[0].data]);
  assert.ok(drawn.data.every((element) => element !== 0 && Math.abs(element) < 5));
  assert.match(await refusal(importModel(path)), /tensor "w".*gone\.bin/);
});

test("what claims to be larger than the file is refused by tensor or node, before anything is set aside for it", async () => {
  const inputs = [
    { name: "x", type: { tensor: { elementType: 1, shape: { dimensions: [{ value: 1 }, { value: 4 }] } } } },
  ];
  const claims = { name: "w", dims: [2 ** 40], dataType: 1 };
  const gemm = { operator: "Gemm", inputs: ["x", "w"], outputs: ["y"] };
  for (const contents of [{ rawData: new Uint8Array(8) }, { floatData: [1, 2] }]) {
    const initializers = [{ ...claims, ...contents }];
    const bytes = file([], { graph: { nodes: [gemm], inputs, outputs: [{ name: "y" }], initializers } });
    assert.match(
      await refusal(readOnnx(bytes, "bomb.onnx", {})),
      /^bomb\.onnx: .*must take \d+ .*\(tensor "w"\); export/,
    );
  }
  const wholes = (name: string, values: readonly number[]) => ({
    operator: "Constant",
    inputs: [],
    outputs: [name],
    attributes: [{ name: "value_ints", wholes: values, type: attributeTypes.wholes }],
  });
  const filled = { operator: "ConstantOfShape", inputs: ["shape"], outputs: ["large"], name: "filled" };
  const sum = { operator: "Add", inputs: ["x", "large"], outputs: ["y"] };
  const large = file([wholes("shape", [2 ** 20, 2 ** 20]), filled, sum]);
  assert.match(
    await refusal(readOnnx(large, "bomb.onnx", {})),
    /node "filled" \(ConstantOfShape\): .*at most 16777216/,
  );
  const pieces = file([
    wholes("times", [1, 2 ** 30]),
    { operator: "Tile", inputs: ["x", "times"], outputs: ["y"], name: "tile" },
  ]);
  assert.match(
    await refusal(readOnnx(pieces, "bomb.onnx", {})),
    /node "tile" \(Tile\): repeats must be from 1 to 65536/,
  );
});

test("control flow, text and shapes that depend on data are refused by node, with what to do", async () => {
  const loop = { operator: "Loop", inputs: ["x"], outputs: ["y"], name: "loop" };
  assert.match(
    await refusal(readOnnx(file([loop]), "loop.onnx", {})),
    /^loop\.onnx: .*"loop" \(Loop\); export the model/,
  );
  const inputs = [{ name: "x", type: { tensor: { elementType: 8, shape: { dimensions: [{ value: 1 }] } } } }];
  const text = file([], { graph: { nodes: [relu], inputs, outputs: [{ name: "y" }] } });
  assert.match(await refusal(readOnnx(text, "text.onnx", {})), /^text\.onnx: .*got type 8 \(input "x"\); export/);
  const reshape = { operator: "Reshape", inputs: ["x", "x"], outputs: ["y"], name: "own" };
  const depends = await refusal(readOnnx(file([reshape]), "shape.onnx", {}));
  assert.match(depends, /^shape\.onnx: node "own" \(Reshape\): input 1 \("x"\) must be known before data is/);
});

test("a file that was cut short anywhere is refused, or says as much as it holds", async () => {
  const bytes = new Uint8Array(await readFile(pathOf("script")));
  for (let length = 0; length < bytes.length; length += 7) {
    const message = await refusal(readOnnx(bytes.subarray(0, length), "cut.onnx", {}));
    assert.match(message, /^cut\.onnx: /);
  }
});

test("a file with bytes changed is imported or refused by an error that names it", async () => {
  const bytes = new Uint8Array(await readFile(pathOf("script")));
  const seed = 7;
  const random = new Random(seed, 1);
  for (let round = 0; round < 500; round++) {
    const changed = bytes.slice();
    for (let change = 0; change <= round % 4; change++) {
      changed[Math.floor(random.nextUniform() * changed.length)] = Math.floor(random.nextUniform() * 256);
    }
    const message = await refusal(readOnnx(changed, "changed.onnx", {}));
    assert.ok(
      message === "nothing was refused" || message.startsWith("changed.onnx"),
      `seed ${seed}, round ${round}: ${message}`,
    );
  }
});

test.run();
