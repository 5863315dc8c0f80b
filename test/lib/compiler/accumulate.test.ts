import * as assert from "uvu/assert";
import { makeSchedule, microBatchesFor, planSchedule, strategiesOf } from "../../../lib/compiler/index.ts";
import { type Engine, referenceEngine, wasmEngine } from "../../../lib/engine/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { random } from "../../../lib/tensor/index.ts";
import { compile, trainingGraph } from "../../../lib/training/index.ts";
import { targetOf } from "../../../lib/training/target.ts";
import { relativeDifference, scheduleOf, trainBy } from "../../support/strategy-training.ts";
import { suite } from "../../support/suite.ts";

const test = suite("gradient accumulation");

const engines: readonly Engine[] = [referenceEngine(), wasmEngine()];

const convolutional = nn.sequential(
  [nn.reshape([1, 8, 8]), nn.convolution(4, { kernel: 3 }), nn.relu(), nn.maxPool(2), nn.flatten(), nn.dense(10)],
  { input: [8, 8], seed: 5 },
);

/** A step of `count` micro-batches of 4 samples. */
function accumulated(engine: Engine, model: nn.Model, count: number, memory: Parameters<typeof strategiesOf>[0] = []) {
  const graph = trainingGraph(model, nn.sgd({ rate: 0.1, momentum: 0.9 }), { batch: 4, loss: nn.crossEntropy() });
  return planSchedule(graph, [...strategiesOf({ accumulate: count }), ...strategiesOf(memory)], targetOf(engine));
}

for (const engine of engines) {
  test(`four micro-batches train as one batch does, but for the order of sums (${engine.name})`, async () => {
    const setting = { engine, model: convolutional, batch: 16 };
    const whole = await trainBy(setting, scheduleOf(setting));
    const { program, results } = await trainBy(setting, accumulated(engine, convolutional, 4));
    for (const [name, expected] of whole.results) {
      const difference = relativeDifference(expected, results.get(name) as number[]);
      assert.ok(difference < 1e-5, `${name}: ${difference}`);
    }
    assert.ok(program.arenaBytes < whole.program.arenaBytes, `${program.arenaBytes} of ${whole.program.arenaBytes}`);
  });

  test(`sums that are exact in any order give the same bits (${engine.name})`, async () => {
    // Linear, and multiples of powers of two throughout but for the loss, which one sample decides at a time.
    const model = nn.sequential([nn.flatten(), nn.dense(8, { bias: false }), nn.dense(10, { bias: false })], {
      input: [4],
    });
    const one = { engine, model, batch: 4, weight: () => 0, sample: (element: number) => (element % 4) / 4 };
    const whole = await trainBy({ ...one, batch: 8 }, scheduleOf({ ...one, batch: 8 }));
    const { results } = await trainBy({ ...one, batch: 8 }, accumulated(engine, model, 2));
    for (const { name } of model.parameters) {
      assert.equal(results.get(`${name} 1`), whole.results.get(`${name} 1`), name);
    }
  });

  test(`running statistics and the number of the step go from one micro-batch to the next (${engine.name})`, async () => {
    const model = nn.sequential([nn.flatten(), nn.dense(6), nn.batchNorm(), nn.dropout(0.5), nn.dense(10)], {
      input: [5],
      seed: 2,
    });
    const setting = { engine, model, batch: 8 };
    const { results } = await trainBy(setting, accumulated(engine, model, 2));
    assert.equal(results.get("dropout1.step 3"), [6], "two masks a step");
    // One micro-batch alone, with the first half of the first batch and with the second, gives the statistics by turns.
    const half = { ...setting, batch: 4 };
    const drawn = random(1).uniform([8, 5]).data;
    const first = await trainBy({ ...half, sample: (element) => drawn[element] }, scheduleOf(half));
    assert.not.equal(results.get("batchNorm1.mean 1"), first.results.get("batchNorm1.mean 1"));
    const statistics = compile(model, { batch: 8, memory: { accumulate: 2 }, engine });
    assert.is(statistics.states.get("batchNorm1.mean")?.shape[0], 6);
  });

  test(`checkpoints within micro-batches give the bits of micro-batches (${engine.name})`, async () => {
    const deep = nn.sequential([nn.flatten(), ...nn.repeat(12, [nn.dense(16), nn.tanh()]), nn.dense(10)], {
      input: [6, 6],
    });
    const setting = { engine, model: deep, batch: 16 };
    const plain = await trainBy(setting, accumulated(engine, deep, 4));
    const both = await trainBy(setting, accumulated(engine, deep, 4, "checkpoint"));
    assert.equal([...both.results], [...plain.results]);
    assert.ok((both.program.report.strategy?.recomputedOperations ?? 0) > 0);
    const least = engine.compile(accumulated(engine, deep, 4, "rematerialise")).arenaBytes;
    const budget = Math.ceil((plain.program.arenaBytes + least) / 2);
    const within = await trainBy(setting, accumulated(engine, deep, 4, { budget }));
    assert.ok(within.program.arenaBytes <= budget);
    assert.equal([...within.results], [...plain.results]);
  });
}

test("activations shrink with the micro-batch, whatever the batch", () => {
  const model = nn.sequential([nn.flatten(), ...nn.repeat(6, [nn.dense(128), nn.relu()]), nn.dense(10)], {
    input: [2, 2],
  });
  const activations = (count: number): number => {
    const { live } = compile(model, { batch: 512, threads: 1, memory: { accumulate: count } }).memory;
    return Math.max(...live.activations);
  };
  const [one, four, sixteen] = [1, 4, 16].map(activations);
  // What is cut out of the data counts, too: 4 numbers a sample.
  assert.is(four, one / 4 + 128 * 4 * 4);
  assert.is(sixteen, one / 16 + 32 * 4 * 4);
});

test("a last batch that is smaller is cut so that no micro-batch is larger than the others", () => {
  assert.equal(
    [64, 32, 48, 20, 31, 16].map((batch) => microBatchesFor(batch, 16)),
    [4, 2, 3, 2, 31, 1],
  );
});

test("a program with micro-batches learns, also from a last batch that is smaller", async () => {
  const program = compile(convolutional, { batch: 16, threads: 1, memory: { accumulate: 4 } });
  const inputs = random(3).uniform([44, 8, 8]);
  const targets = { shape: [44], dtype: "int32", data: Int32Array.from({ length: 44 }, (_, row) => row % 10) } as const;
  const data = { kind: "dataset", name: "drawn", inputs, targets, scale: 1, classes: [] } as const;
  const { epochs } = await program.fit(data, { epochs: 20, progress: false });
  assert.ok(epochs[19].loss < epochs[0].loss, `${epochs[0].loss} to ${epochs[19].loss}`);
});

test("a batch that micro-batches do not divide is refused, and so is half a micro-batch", () => {
  assert.throws(
    () => compile(convolutional, { batch: 10, memory: { accumulate: 4 } }),
    /^compile: the batch must be a multiple of the micro-batches, got 10 and 4; choose/,
  );
  assert.throws(() => strategiesOf({ accumulate: 0.5 }), /^accumulate: there must be a whole number ≥ 1/);
});

test("one micro-batch is no micro-batch", () => {
  const graph = trainingGraph(convolutional, nn.sgd({ rate: 0.1 }), { batch: 4, loss: nn.crossEntropy() });
  const [one] = strategiesOf({ accumulate: 1 });
  assert.equal(planSchedule(graph, [one], targetOf(referenceEngine())).graph, makeSchedule(graph).graph);
});

test.run();
