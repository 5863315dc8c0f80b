import * as assert from "uvu/assert";
import { makeSchedule } from "../../../lib/compiler/index.ts";
import { type Engine, wasmEngine } from "../../../lib/engine/index.ts";
import type { OperatorGraph } from "../../../lib/ir/index.ts";
import { suite } from "../../support/suite.ts";
import { randomConvolutional, randomGraph, randomTraining, selfProduct } from "./random-graphs.ts";
import { compareWithReference, difference, outputsOf } from "./wasm-cases.ts";

const test = suite("wasm engine on whole programs");

const seeds = Array.from({ length: 60 }, (_, index) => index + 1);

/** Largest difference between two engines over all outputs after a few runs. */
async function differenceOf(a: Engine, b: Engine, graph: OperatorGraph, seed: number): Promise<number> {
  const schedule = makeSchedule(graph);
  const options = { seed, runs: 3 };
  const [first, second] = [await outputsOf(a, schedule, options), await outputsOf(b, schedule, options)];
  return Math.max(...[...first].map(([name, values]) => difference(values, second.get(name) as ArrayLike<number>)));
}

test("random graphs give what the reference gives", async () => {
  for (const seed of seeds)
    assert.is(await compareWithReference(wasmEngine(), randomGraph(seed), { seed, runs: 2 }), "");
});

test("training steps of random models give what the reference gives", async () => {
  for (const seed of seeds) assert.is(await compareWithReference(wasmEngine(), randomTraining(seed), { seed }), "");
});

test("training steps of random convolutional models give what the reference gives", async () => {
  for (const seed of seeds.slice(0, 20)) {
    assert.is(await compareWithReference(wasmEngine(), randomConvolutional(seed), { seed, bound: 1e-5 }), "");
  }
});

test("three steps of training in a row stray from the reference by three times as much at most", async () => {
  for (const seed of seeds) {
    assert.is(await compareWithReference(wasmEngine(), randomTraining(seed), { seed, runs: 3, bound: 3e-5 }), "");
  }
});

test("a product of a matrix with itself is updated as the reference does it", async () => {
  for (const extent of [1, 5, 33, 100]) {
    assert.is(await compareWithReference(wasmEngine(), selfProduct(extent), { seed: extent, runs: 3 }), "");
  }
});

test("fused steps give the very bits that separate ones give", async () => {
  for (const seed of seeds) {
    const [fused, separate] = [wasmEngine(), wasmEngine({ fused: false })];
    assert.is(await differenceOf(fused, separate, randomGraph(seed), seed), 0, `random graph ${seed}`);
    assert.is(await differenceOf(fused, separate, randomTraining(seed), seed), 0, `random training ${seed}`);
  }
  for (const seed of seeds.slice(0, 20)) {
    const [fused, separate] = [wasmEngine(), wasmEngine({ fused: false })];
    assert.is(await differenceOf(fused, separate, randomConvolutional(seed), seed), 0, `random convolutional ${seed}`);
  }
});

test("two and four threads give the very bits that one gives", async () => {
  for (const seed of seeds.slice(0, 20)) {
    for (const threads of [2, 4]) {
      const [one, many] = [wasmEngine(), wasmEngine({ threads })];
      const where = `seed ${seed}, ${threads} threads`;
      assert.is(await differenceOf(one, many, randomTraining(seed), seed), 0, where);
      assert.is(await differenceOf(one, many, randomConvolutional(seed), seed), 0, where);
      assert.is(await differenceOf(one, many, selfProduct(100 + seed), seed), 0, where);
    }
  }
});

test.run();
