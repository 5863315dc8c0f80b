import * as assert from "uvu/assert";
import { makeSchedule, planSchedule, strategies, strategiesOf } from "../../../lib/compiler/index.ts";
import { type Engine, referenceEngine, wasmEngine } from "../../../lib/engine/index.ts";
import type { OperatorGraph } from "../../../lib/ir/index.ts";
import { validatePlan } from "../../../lib/memory/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { random } from "../../../lib/tensor/index.ts";
import { inferenceGraph } from "../../../lib/training/graphs.ts";
import { compile, trainingGraph } from "../../../lib/training/index.ts";
import { targetOf } from "../../../lib/training/target.ts";
import { suite } from "../../support/suite.ts";
import { randomConvolutional, randomGraph } from "../engine/random-graphs.ts";
import { difference, outputsOf } from "../engine/wasm-cases.ts";

const test = suite("sample blocks as a memory strategy");

const batch = 8;

const model = nn.sequential(
  [
    ...nn.repeat(2, [nn.convolution(6, { kernel: 3, padding: "same" }), nn.batchNorm(), nn.relu(), nn.dropout(0.3)]),
    nn.convolution(4, { kernel: 3, padding: "same", groups: 2 }),
    nn.tanh(),
    nn.maxPool(2),
    nn.flatten(),
    nn.dense(10),
  ],
  { input: [1, 12, 12], seed: 5 },
);

const graph = trainingGraph(model, nn.sgd({ rate: 0.1, momentum: 0.9 }), { batch, loss: nn.crossEntropy() });

/** NaN is NaN here: training on drawn numbers may end there. */
function bitsOf(values: ArrayLike<number> | undefined): readonly number[] {
  return [...new Int32Array(Float32Array.from(values ?? []).buffer)];
}

/** The largest difference of two tensors, relative to the largest magnitude of the first. */
function differenceOf(expected: ReadonlyMap<string, ArrayLike<number>>, got: ReadonlyMap<string, ArrayLike<number>>) {
  return Math.max(...[...expected].map(([name, values]) => difference(values, got.get(name) as ArrayLike<number>)));
}

/** How many steps an engine takes block by block, and what comes out of some runs as other schedules have it. */
async function isSame(engine: Engine, of: OperatorGraph, samples: number, batch: number): Promise<number> {
  const whole = makeSchedule(of);
  const blocks = { ...whole, sampleBlocks: { batch, samples } };
  const options = { seed: 3, runs: 3 };
  const expected = await outputsOf(wasmEngine(), whole, options);
  for (const [name, values] of await outputsOf(engine, blocks, options)) {
    assert.equal(bitsOf(values), bitsOf(expected.get(name)), `${of.name}, ${name}, ${samples} of ${batch} samples`);
  }
  return engine.compile(blocks).steps.filter(({ run }) => run !== undefined).length;
}

test("any number of samples at a time and any number of threads train to the same bits", async () => {
  for (const threads of [1, 2, 4]) {
    for (const samples of [1, 2, 4]) assert.ok((await isSame(wasmEngine({ threads }), graph, samples, batch)) > 0);
  }
});

test("random graphs and random convolutional models give the same bits in blocks", async () => {
  let runs = 0;
  for (let seed = 1; seed <= 12; seed++) {
    const graph = randomGraph(seed);
    const [rows] = (graph.inputs.find(({ role }) => role === "data") as (typeof graph.inputs)[0]).value.type.shape;
    for (const samples of [1, 2, 3, 4, 8]) {
      if (rows % samples === 0 && rows > samples) runs += await isSame(wasmEngine(), graph, samples, rows);
    }
  }
  for (let seed = 1; seed <= 5; seed++) {
    const threads = 1 + (seed % 2);
    for (const samples of [1, 2, 4]) {
      runs += await isSame(wasmEngine({ threads }), randomConvolutional(seed, [batch]), samples, batch);
    }
  }
  assert.ok(runs > 15, `${runs} runs of blocks`);
});

test("depth first, gradients are off by rounding alone, and the same on any number of threads", async () => {
  const options = { seed: 3, runs: 3 };
  for (const samples of [1, 2, 4]) {
    const whole = makeSchedule(graph);
    const blocks = { ...whole, sampleBlocks: { batch, samples, sums: true } };
    const one = await outputsOf(wasmEngine(), blocks, options);
    const error = differenceOf(await outputsOf(wasmEngine(), whole, options), one);
    assert.ok(error < 3e-5, `${samples} samples: ${error}`);
    for (const threads of [2, 4]) {
      for (const [name, values] of await outputsOf(wasmEngine({ threads }), blocks, options)) {
        assert.equal(values, one.get(name), `${name}, ${samples} samples, ${threads} threads`);
      }
    }
  }
});

test("random graphs and random convolutional models are off by rounding alone depth first", async () => {
  const graphs = [
    ...Array.from({ length: 8 }, (_, index) => randomGraph(index + 1)),
    ...Array.from({ length: 5 }, (_, index) => randomConvolutional(index + 1, [batch])),
  ];
  let sums = 0;
  for (const [index, of] of graphs.entries()) {
    const data = of.inputs.find(({ role }) => role === "data") as (typeof of.inputs)[0];
    const [rows] = data.value.type.shape;
    for (const samples of [1, 2, 3, 4]) {
      if (rows % samples !== 0 || rows === samples) continue;
      const whole = makeSchedule(of);
      const blocks = { ...whole, sampleBlocks: { batch: rows, samples, sums: true } };
      const engine = wasmEngine({ threads: 1 + (index % 2) });
      const options = { seed: index, runs: 1 };
      const error = differenceOf(await outputsOf(engine, whole, options), await outputsOf(engine, blocks, options));
      assert.ok(error < 1e-5, `${of.name}, graph ${index}, ${samples} samples: ${error}`);
      sums += engine.compile(blocks).steps.filter(({ run, phase }) => run !== undefined && phase === "backward").length;
    }
  }
  assert.ok(sums > 5, `${sums} runs of blocks in backward passes`);
});

test("depth first the backward pass of a convolutional network is one run, and keeps no gradient of the batch", async () => {
  const lenet = trainingGraph(nn.models.lenet5(), nn.sgd({ rate: 0.1 }), { batch: 64, loss: nn.crossEntropy() });
  const engine = wasmEngine();
  const bytesOf = (memory: "reuse" | "sample-blocks" | "depth-first"): number =>
    engine.compile(planSchedule(lenet, strategiesOf(memory), targetOf(engine))).arenaBytes;
  const program = engine.compile(planSchedule(lenet, strategiesOf("depth-first"), targetOf(engine)));
  const run = program.steps.find(({ phase, layer }) => phase === "backward" && layer.includes("…"));
  assert.is(run?.layer, "averagePool2 … convolution1");
  assert.ok(run?.writes.every(({ type }) => type.shape[0] !== 64));
  assert.ok(bytesOf("depth-first") < 0.9 * bytesOf("sample-blocks"));
  assert.match(program.report.strategy?.results ?? "", /another order/);
});

test("blocks take less memory where layers have margins, say how many samples go together, and never more", async () => {
  const engine = wasmEngine();
  const plan = (memory: "reuse" | "sample-blocks", of: OperatorGraph) => {
    const program = engine.compile(planSchedule(of, strategiesOf(memory), targetOf(engine)));
    assert.equal(validatePlan(program.problem, program.plan), []);
    return program;
  };
  const lenet = trainingGraph(nn.models.lenet5(), nn.sgd({ rate: 0.1 }), { batch: 64, loss: nn.crossEntropy() });
  const [whole, blocks] = [plan("reuse", lenet), plan("sample-blocks", lenet)];
  assert.ok(blocks.arenaBytes < 0.9 * whole.arenaBytes, `${blocks.arenaBytes} of ${whole.arenaBytes} bytes`);
  assert.is(blocks.report.strategy?.reason, "4 of 64 samples at a time.");
  for (let seed = 1; seed <= 10; seed++) {
    const of = randomConvolutional(seed, [batch]);
    assert.ok(plan("sample-blocks", of).arenaBytes <= plan("reuse", of).arenaBytes, `seed ${seed}`);
  }
});

test("answers go in blocks, too: the same ones, in a fraction of the memory", async () => {
  const inputs = random(4).uniform([40, 1, 12, 12]);
  const answers = await Promise.all(
    (["reuse", "sample-blocks"] as const).map(async (memory) => {
      const program = compile(model, { batch: 20, memory });
      const answer = await program.predict(inputs);
      program.dispose();
      return answer.data;
    }),
  );
  assert.equal(answers[1], answers[0]);
  const lenet = inferenceGraph(nn.models.lenet5(), { batch: 64, loss: nn.crossEntropy(), dtype: "float32" });
  const engine = wasmEngine();
  const bytesOf = (...chosen: Parameters<typeof planSchedule>[1]): number =>
    engine.compile(planSchedule(lenet, chosen, targetOf(engine))).arenaBytes;
  const weights = 4 * 61_706;
  assert.ok(bytesOf(strategies.sampleBlocks()) - weights < 0.4 * (bytesOf() - weights));
});

test("blocks are of a micro-batch's samples, and the reference engine takes the batch as it always does", async () => {
  const half = trainingGraph(model, nn.sgd({ rate: 0.1, momentum: 0.9 }), {
    batch: batch / 2,
    loss: nn.crossEntropy(),
  });
  const engine = wasmEngine();
  const micro = strategies.accumulate(2);
  const options = { seed: 3, runs: 3 };
  const plan = (...chosen: Parameters<typeof planSchedule>[1]) => planSchedule(half, chosen, targetOf(engine));
  const blocks = plan(micro, strategies.sampleBlocks({ samples: 2 }));
  assert.equal(blocks.sampleBlocks, { batch: batch / 2, samples: 2 });
  assert.ok(engine.compile(blocks).steps.some(({ run }) => run !== undefined));
  const expected = await outputsOf(engine, plan(micro), options);
  for (const [name, values] of await outputsOf(engine, blocks, options)) assert.equal(values, expected.get(name), name);

  const reference = referenceEngine();
  const told = planSchedule(graph, [strategies.sampleBlocks({ samples: 2 })], targetOf(reference));
  const plain = await outputsOf(reference, makeSchedule(graph), options);
  for (const [name, values] of await outputsOf(reference, told, options)) assert.equal(values, plain.get(name), name);
});

test("a number of samples that is none is refused", () => {
  assert.throws(
    () => strategies.sampleBlocks({ samples: 0 }),
    /sample-blocks: there must be a whole number ≥ 1 of samples, got 0/,
  );
});

test.run();
