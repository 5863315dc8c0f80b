import * as assert from "uvu/assert";
import { makeSchedule, type Schedule } from "../../../lib/compiler/index.ts";
import { type Engine, wasmEngine } from "../../../lib/engine/index.ts";
import { productVariants, standardProducts } from "../../../lib/loops/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { type HostTensor, random } from "../../../lib/tensor/index.ts";
import { compile, trainingGraph } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";
import { randomConvolutional, randomTraining, selfProduct } from "./random-graphs.ts";
import { difference, outputsOf } from "./wasm-cases.ts";

const test = suite("wasm engine's ways of tiling products");

const others = productVariants.filter((variant) => variant !== standardProducts).map(({ name }) => name);

function trainingOf(layers: readonly nn.Layer[], input: readonly number[], batch: number): Schedule {
  const model = nn.sequential(layers, { input, seed: 1 });
  return makeSchedule(trainingGraph(model, nn.sgd({ rate: 0.1 }), { batch, loss: nn.crossEntropy() }));
}

/** Large enough for panels, of extents that leave something over. */
const perceptron = trainingOf([nn.dense(100), nn.relu(), nn.dense(37)], [150], 50);
const convolutional = trainingOf(
  [
    nn.convolution(9, { kernel: 3, padding: 1 }),
    nn.relu(),
    nn.convolution(18, { kernel: 3, stride: 2 }),
    nn.flatten(),
    nn.dense(10),
  ],
  [7, 15, 13],
  3,
);

async function assertSameBits(one: Engine, other: Engine, schedule: Schedule, seed: number, where: string) {
  const options = { seed, runs: 2 };
  const [first, second] = [await outputsOf(one, schedule, options), await outputsOf(other, schedule, options)];
  for (const [name, values] of first) {
    assert.is(difference(values, second.get(name) as ArrayLike<number>), 0, `${where}, ${name}`);
  }
}

test("each gives the very bits of the standard one, on one thread and on two", async () => {
  const used = new Set<string | undefined>();
  const schedules = [perceptron, convolutional, makeSchedule(selfProduct(121))];
  for (let seed = 1; seed <= 5; seed++) {
    schedules.push(makeSchedule(randomTraining(seed)), makeSchedule(randomConvolutional(seed)));
  }
  for (const tiles of others) {
    for (const [index, schedule] of schedules.entries()) {
      const engine = wasmEngine({ tiles });
      for (const step of engine.compile(schedule).steps) used.add(step.tiles);
      await assertSameBits(wasmEngine(), engine, schedule, index, `${tiles}, schedule ${index}`);
    }
    await assertSameBits(wasmEngine(), wasmEngine({ tiles, threads: 2 }), convolutional, 1, `${tiles}, two threads`);
  }
  used.delete(undefined);
  assert.equal([...used].sort(), [...others].sort(), "each must differ from the standard one somewhere");
});

test("timing chooses among them, gives the same bits, and chooses the same for equal loops later on", async () => {
  const large = trainingOf([nn.dense(128), nn.relu(), nn.dense(128)], [256], 128);
  const chosen = (): readonly (string | undefined)[] =>
    wasmEngine({ tiles: "timed" })
      .compile(large)
      .steps.map(({ tiles }) => tiles);
  let before = chosen();
  // What the first time's budget did not reach is timed the next time.
  for (let turn = 0; turn < 5; turn++) before = chosen();
  assert.equal(chosen(), before);
  for (const tiles of before) assert.ok(tiles === undefined || others.includes(tiles), tiles);
  await assertSameBits(wasmEngine(), wasmEngine({ tiles: "timed" }), large, 3, "timed");
});

test("timing works on runs of steps in blocks of samples as well", async () => {
  const layers = [
    nn.convolution(16, { kernel: 3, padding: 1 }),
    nn.relu(),
    nn.maxPool(2),
    nn.convolution(16, { kernel: 3 }),
  ];
  const model = nn.sequential([...layers, nn.relu(), nn.flatten(), nn.dense(10)], { input: [1, 28, 28], seed: 1 });
  const inputs = random(3).uniform([16, 1, 28, 28]);
  const answers: HostTensor[] = [];
  for (const tiles of ["standard", "timed"] as const) {
    const program = compile(model, { batch: 16, memory: "sample-blocks", tiles, threads: 1 });
    assert.ok(
      program.inference.steps.some(({ run }) => run !== undefined),
      "some steps should go in blocks",
    );
    answers.push(await program.predict(inputs));
    program.dispose();
  }
  assert.equal(answers[1], answers[0]);
});

test("a way of tiling that is not known is refused, with the names of those that are", () => {
  assert.throws(
    () => wasmEngine({ tiles: "5 × 5" }),
    /tiles must be known, got "5 × 5"; there are "timed" and "standard", "4 × 8"/,
  );
});

test.run();
