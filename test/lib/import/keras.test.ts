import { readFileSync } from "node:fs";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { strFromU8, strToU8, unzipSync, type Zippable, zipSync } from "fflate";
import * as assert from "uvu/assert";
import { importModel } from "../../../lib/import/index.ts";
import { readKeras } from "../../../lib/import/keras/read-keras.ts";
import { readTfjs } from "../../../lib/import/keras/read-tfjs.ts";
import * as nn from "../../../lib/nn/index.ts";
import { Random, tensor } from "../../../lib/tensor/index.ts";
import { compile } from "../../../lib/training/index.ts";
import { projectRoot } from "../../support/environment.ts";
import { suite } from "../../support/suite.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const test = suite("import of Keras and TensorFlow.js");

interface Facts {
  readonly parameters: number;
  readonly layers?: readonly string[];
  readonly shape: number[];
  readonly input: number[];
  readonly output: number[];
}

const fixtures = join(projectRoot, "test/fixtures");
const kerasPath = (name: string): string => join(fixtures, "keras", `${name}.keras`);
const factsOf = (path: string): Facts => JSON.parse(readFileSync(path, "utf8"));

async function refusal(promise: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof promise === "function" ? promise() : promise);
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing was refused";
}

/** The largest difference to the other framework's outputs, relative to the largest of them. */
async function difference(model: nn.Model, { input, shape, output }: Facts): Promise<number> {
  const program = compile(model, { batch: shape[0], threads: 1, loss: nn.meanSquaredError() });
  const { data } = await program.predict(tensor(input, { shape }));
  const largest = Math.max(...output.map(Math.abs));
  return Math.max(...output.map((expected, index) => Math.abs(data[index] - expected))) / largest;
}

for (const name of ["pictures", "branches", "sequences", "words"]) {
  test(`a model of Keras 3 (${name}) answers as Keras does, with its parameters and its layers' names`, async () => {
    const facts = factsOf(join(fixtures, "keras", `${name}.json`));
    const model = await importModel(kerasPath(name));
    assert.is(model.parameterCount, facts.parameters);
    assert.ok((await difference(model, facts)) < 1e-4);
    assert.equal(model.layers.map(({ layer }) => layer).sort(), [...(facts.layers ?? [])].sort());
  });
}

for (const name of ["pictures", "branches"]) {
  test(`a model of TensorFlow.js (${name}) answers as TensorFlow.js does, from weights in two shards`, async () => {
    const facts = factsOf(join(fixtures, "tfjs", name, "facts.json"));
    const model = await importModel(join(fixtures, "tfjs", name, "model.json"));
    assert.is(model.parameterCount, facts.parameters);
    assert.ok((await difference(model, facts)) < 1e-4);
  });
}

test("what came from Keras trains, normalisation by the batch and dropout included", async () => {
  const facts = factsOf(join(fixtures, "keras/pictures.json"));
  const model = await importModel(kerasPath("pictures"));
  const program = compile(model, { batch: 2, threads: 1 });
  const inputs = tensor(facts.input, { shape: facts.shape });
  const targets = tensor([0, 2], { dtype: "int32" });
  const data = { kind: "dataset", name: "two", inputs, targets, classes: [], scale: 1 } as const;
  const { epochs } = await program.fit(data, { epochs: 12 });
  assert.ok(epochs[11].loss < epochs[0].loss, epochs.map(({ loss }) => loss).join());
});

/** The archive of a fixture with one of its files changed. */
async function changed(
  name: string,
  entry: string,
  change: (bytes: Uint8Array) => Uint8Array | null,
): Promise<Uint8Array> {
  const entries: Zippable = { ...unzipSync(new Uint8Array(await readFile(kerasPath(name)))) };
  const bytes = change(entries[entry] as Uint8Array);
  if (bytes === null) delete entries[entry];
  else entries[entry] = bytes;
  return zipSync(entries);
}

test("layers that are not known, and archives without weights, are refused by file and layer", async () => {
  const odd = await changed("words", "config.json", (bytes) =>
    strToU8(strFromU8(bytes).replaceAll('"class_name": "Permute"', '"class_name": "Attention"')),
  );
  assert.match(await refusal(() => readKeras(odd, "odd.keras", {})), /^odd\.keras: .*"permute" \(Attention\); build/);
  const bare = await changed("words", "model.weights.h5", () => null);
  assert.match(
    await refusal(() => readKeras(bare, "bare.keras", {})),
    /^bare\.keras: .*got no model\.weights\.h5; save/,
  );
  const wide = await changed("words", "config.json", (bytes) =>
    strToU8(strFromU8(bytes).replace('"units": 2', '"units": 3')),
  );
  assert.match(
    await refusal(() => readKeras(wide, "wide.keras", {})),
    /^wide\.keras: kernel must fit .*\(layer "dense/,
  );
  const text = strToU8("no archive at all");
  assert.match(await refusal(() => readKeras(text, "text.keras", {})), /^text\.keras: the file must be a whole zip/);
});

test("an archive that claims more than deflate can hold is refused before it is unpacked", async () => {
  const bytes = new Uint8Array(await readFile(kerasPath("words")));
  const view = new DataView(bytes.buffer);
  // The central directory's entries begin with PK\1\2 and hold the size of the unpacked file at 24.
  for (let at = 0; at + 46 < bytes.length; at++) {
    if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 24, 0xfffffff0, true);
  }
  assert.match(await refusal(() => readKeras(bytes, "bomb.keras", {})), /claims 4294967280"; fetch/);
});

test("shards that are missing, too short, elsewhere or of another dtype are refused by file and weight", async () => {
  const where = temporaryFolder();
  await cp(join(fixtures, "tfjs/branches"), where, { recursive: true });
  const path = join(where, "model.json");
  const json = await readFile(path, "utf8");
  const rewritten = async (from: RegExp | string, to: string): Promise<string> => {
    await writeFile(path, json.replaceAll(from, to));
    return refusal(importModel(path));
  };
  assert.match(await rewritten("group1-shard2of2", "../shard"), /model\.json: shards must lie in the model's folder/);
  assert.match(
    await rewritten(/"dtype":\s*"float32"/g, '"dtype":"uint8"'),
    /model\.json: weights must be float32, got uint8/,
  );
  assert.match(await rewritten('"layers-model"', '"graph-model"'), /model\.json: the format must be layers-model/);
  await writeFile(path, json);
  const shard = join(where, "group1-shard2of2.bin");
  await writeFile(shard, (await readFile(shard)).subarray(0, 5));
  assert.match(await refusal(importModel(path)), /model\.json: .*must lie within the \d+ bytes of its shards/);
  await rm(shard);
  assert.match(await refusal(importModel(path)), /model\.json: shard "group1-shard2of2\.bin".*must exist/);
});

test("files with bytes changed are imported or refused by an error that names them", async () => {
  const seed = 5;
  const random = new Random(seed, 1);
  const change = (bytes: Uint8Array, times: number): Uint8Array => {
    const other = bytes.slice();
    for (let index = 0; index < times; index++) {
      other[Math.floor(random.nextUniform() * other.length)] = Math.floor(random.nextUniform() * 256);
    }
    return other;
  };
  const archive = unzipSync(new Uint8Array(await readFile(kerasPath("words"))));
  const json = new Uint8Array(await readFile(join(fixtures, "tfjs/branches/model.json")));
  const path = join(fixtures, "tfjs/branches/model.json");
  for (let round = 0; round < 300; round++) {
    const entry = round % 2 === 0 ? "config.json" : "model.weights.h5";
    const bytes = zipSync({ ...archive, [entry]: change(archive[entry], 1 + (round % 4)) }, { level: 0 });
    const broken = round % 3 === 0 ? change(bytes, 2) : bytes;
    const first = await refusal(() => readKeras(broken, "changed.keras", {}));
    assert.ok(/^(nothing|changed\.keras)/.test(first), `seed ${seed}, round ${round}: ${first}`);
    const second = await refusal(readTfjs(change(json, 1 + (round % 4)), path, {}));
    assert.ok(second.startsWith("nothing") || second.startsWith(path), `seed ${seed}, round ${round}: ${second}`);
  }
});

test.run();
