import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { syntheticDigits } from "../../../datasets/index.ts";
import { encodeSafetensors, parseSafetensors, writeFileAtomically } from "../../../lib/formats/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { type HostTensor, tensor, zeros } from "../../../lib/tensor/index.ts";
import { compile, loadWeights, saveWeights } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const test = suite("saving and loading weights");

const folder = temporaryFolder();
const { train } = syntheticDigits({ train: 64, test: 1, size: 10 });
const layers = [nn.flatten(), nn.dense(12), nn.batchNorm(), nn.dropout(0.2), nn.relu(), nn.dense(10)];
const model = (seed = 1): nn.Model => nn.sequential(layers, { input: [10, 10], seed, name: "small" });

async function message(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  return "no error";
}

test("a program takes over what another one has learned: weights, running statistics, answers", async () => {
  const file = join(folder, "trained.safetensors");
  const teacher = compile(model(), { batch: 16, engine: "reference" });
  await teacher.fit(train, { epochs: 2 });
  await saveWeights(teacher, file);
  const pupil = compile(model(9), { batch: 16, engine: "reference" });
  const given = await loadWeights(pupil, file);
  assert.equal([...pupil.parameters], [...teacher.parameters]);
  assert.equal([...pupil.states], [...teacher.states]);
  assert.equal((await pupil.predict(train)).data, (await teacher.predict(train)).data);
  assert.equal([...given.keys()].sort(), [...teacher.parameters.keys(), ...teacher.states.keys()].sort());
});

test("a model's file holds the weights with which it begins, under the names of its parameters", async () => {
  const file = join(folder, "first.safetensors");
  await saveWeights(model(), file);
  const { tensors, metadata } = parseSafetensors(readFileSync(file), file);
  assert.is(metadata.get("model"), "small");
  assert.equal(tensors.get("dense1.weight"), model().initialise()[0]);
  assert.equal((await loadWeights(model(5), file)).get("dense2.bias"), zeros([10]));
});

test("weights stored as halves and doubles become floats", async () => {
  const tiny = nn.sequential([nn.dense(2)], { input: [1] });
  const file = join(folder, "halves.safetensors");
  const stored = new Map<string, HostTensor>([
    ["dense1.weight", tensor([[1.5, -2]], { dtype: "bfloat16" })],
    ["dense1.bias", tensor([0.1, 3], { dtype: "float64" })],
  ]);
  writeFileSync(file, encodeSafetensors(stored));
  const program = compile(tiny, { engine: "reference" });
  await loadWeights(program, file);
  assert.equal([...(await program.predict(tensor([[2]]))).data], [Math.fround(Math.fround(0.1) + 3), -1]);
});

test("weights are saved in the program's dtype, whatever they were given in, before any step", async () => {
  const file = join(folder, "dtypes.safetensors");
  const wide = compile(model(), { engine: "reference", dtype: "float64" });
  await saveWeights(wide, file);
  const stored = (): HostTensor | undefined => parseSafetensors(readFileSync(file), file).tensors.get("dense1.weight");
  assert.is(stored()?.dtype, "float64");
  assert.equal([...(stored()?.data ?? [])], [...model().initialise()[0].data]);
  const narrow = compile(model(9), { engine: "reference" });
  await loadWeights(narrow, file);
  await saveWeights(narrow, file);
  assert.equal(stored(), model().initialise()[0]);
});

test("a file that does not fit is refused by its name and the parameter's, and the program stays as it was", async () => {
  const file = join(folder, "other.safetensors");
  const program = compile(model(), { engine: "reference" });
  const before = [...program.parameters];
  const tensors = new Map(program.parameters);
  const load = async (change: readonly (readonly [string, HostTensor])[], drop?: string): Promise<string> => {
    const changed = new Map([...tensors, ...change]);
    if (drop !== undefined) changed.delete(drop);
    writeFileSync(file, encodeSafetensors(changed));
    return message(loadWeights(program, file));
  };
  const prefix = `${file}: `;
  assert.ok(
    (await load([["dense1.weight", zeros([100, 13])]])).startsWith(
      `${prefix}dense1.weight must be [100,12], got [100,13] (in small)`,
    ),
  );
  assert.ok((await load([], "dense2.bias")).startsWith(`${prefix}dense2.bias must be [10], got none`));
  assert.ok(
    (await load([["dense9.bias", zeros([1])]])).startsWith(
      `${prefix}parameters must be the model's, got "dense9.bias"`,
    ),
  );
  assert.ok(
    (await load([["dense2.bias", zeros([10], "int32")]])).startsWith(
      `${prefix}dense2.bias must be of a float dtype, got int32`,
    ),
  );
  assert.ok(
    (await load([["dropout1.step", zeros([])]])).startsWith(`${prefix}dropout1.step must be of int32, got float32`),
  );
  assert.match(
    await message(loadWeights(program, join(folder, "none"))),
    /^loadWeights: the file must exist, got none \(.*none\)/,
  );
  assert.equal([...program.parameters], before);
});

test("a file is replaced as a whole, and a failed write leaves the old one and no draft", async () => {
  const inner = temporaryFolder();
  const file = join(inner, "state");
  await writeFileAtomically(file, Uint8Array.of(1, 2, 3));
  await writeFileAtomically(file, Uint8Array.of(4));
  assert.equal([...readFileSync(file)], [4]);
  const wrong = [7, "not bytes"] as unknown as Uint8Array;
  assert.ok((await message(writeFileAtomically(file, wrong))) !== "no error");
  assert.equal([...readFileSync(file)], [4]);
  assert.equal(readdirSync(inner), ["state"]);
});

test.run();
