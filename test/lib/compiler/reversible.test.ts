import * as assert from "uvu/assert";
import { type Engine, referenceEngine, wasmEngine } from "../../../lib/engine/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { compile } from "../../../lib/training/index.ts";
import { relativeDifference, scheduleOf, trainBy } from "../../support/strategy-training.ts";
import { suite } from "../../support/suite.ts";

const test = suite("reversible blocks");

const engines: readonly Engine[] = [referenceEngine(), wasmEngine()];

/** A row of reversible blocks of dense layers. */
function deep(blocks: number, width = 32, bias = true): nn.Model {
  const half = (): nn.Layer[] => [nn.dense(width / 2, { bias }), nn.relu()];
  const row = Array.from({ length: blocks }, () => nn.reversible(half(), half()));
  return nn.sequential([nn.flatten(), nn.dense(width, { bias }), ...row, nn.dense(10)], { input: [4, 4], seed: 3 });
}

const convolutional = nn.sequential(
  [
    nn.reshape([1, 8, 8]),
    nn.convolution(8, { kernel: 3, padding: "same" }),
    ...nn.repeat(3, [
      nn.reversible(
        [nn.convolution(4, { kernel: 3, padding: "same", bias: false }), nn.batchNorm(), nn.relu(), nn.dropout(0.2)],
        [nn.convolution(4, { kernel: 3, padding: "same", bias: false }), nn.batchNorm(), nn.relu()],
      ),
    ]),
    nn.flatten(),
    nn.dense(10),
  ],
  { input: [8, 8], seed: 5 },
);

for (const engine of engines) {
  test(`inputs made from outputs train as kept ones do, but for rounding (${engine.name})`, async () => {
    for (const model of [deep(6), convolutional]) {
      const setting = { engine, model, batch: 16 };
      const kept = await trainBy(setting, scheduleOf(setting));
      const { program, results } = await trainBy(setting, scheduleOf(setting, "reversible"));
      assert.equal(results.get("loss 1"), kept.results.get("loss 1"), "the forward pass is the same");
      for (const { name } of model.parameters) {
        const difference = relativeDifference(
          kept.results.get(`${name} 1`) as number[],
          results.get(`${name} 1`) as number[],
        );
        assert.ok(difference < 1e-5, `${name}: ${difference}`);
      }
      assert.ok(program.arenaBytes < kept.program.arenaBytes);
      for (const { name } of model.states) {
        assert.equal(results.get(`${name} 1`), kept.results.get(`${name} 1`), "no statistic is counted twice");
      }
    }
  });

  test(`sums that are exact give the same bits (${engine.name})`, async () => {
    const model = deep(3, 32, false);
    const weight = (element: number): number => (((element * 7) % 5) - 2) / 8;
    const sample = (element: number): number => (element % 4) / 4;
    const setting = { engine, model, batch: 4, weight, sample };
    const kept = await trainBy(setting, scheduleOf(setting));
    const { results } = await trainBy(setting, scheduleOf(setting, "reversible"));
    for (const { name } of model.parameters) {
      assert.equal(results.get(`${name} 1`), kept.results.get(`${name} 1`), name);
    }
  });
}

test("the bytes of activations do not depend on how many blocks there are", () => {
  const working = (blocks: number, memory: "reuse" | "reversible"): number => {
    const report = compile(deep(blocks, 64), { batch: 256, threads: 1, memory }).memory;
    const resident = report.buffers.filter(({ category }) => category === "weights" || category === "optimizer");
    return report.peak.bytes - resident.reduce((sum, { bytes }) => sum + bytes, 0);
  };
  assert.is(working(24, "reversible"), working(6, "reversible"));
  assert.ok(working(24, "reuse") > 3 * working(6, "reuse"));
});

test("a model without reversible blocks stays as it is, and says so", () => {
  const model = nn.sequential([nn.flatten(), nn.dense(4), nn.residual([nn.dense(4)]), nn.dense(10)], { input: [2, 2] });
  const setting = { engine: referenceEngine(), model, batch: 4 };
  const schedule = scheduleOf(setting, "reversible");
  assert.equal(schedule.graph.operations.length, scheduleOf(setting).graph.operations.length);
  assert.match(schedule.strategy?.reason ?? "", "no reversible blocks");
});

test("halves are halves: an odd axis is refused", () => {
  assert.throws(
    () => nn.sequential([nn.dense(5), nn.reversible([], [])], { input: [3] }),
    /^split: parts must be .*2 for axis 1/,
  );
});

test.run();
