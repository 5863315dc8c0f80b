import * as assert from "uvu/assert";
import { strategies } from "../../../lib/compiler/index.ts";
import { Eviction } from "../../../lib/compiler/rematerialisation/eviction.ts";
import { tapeOf } from "../../../lib/compiler/rematerialisation/tape.ts";
import { type Engine, referenceEngine, wasmEngine } from "../../../lib/engine/index.ts";
import { GraphBuilder, type OperatorGraph, type Value } from "../../../lib/ir/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import { denseTower, residualTower, scheduleOf, trainBy } from "../../support/strategy-training.ts";
import { suite } from "../../support/suite.ts";

const test = suite("online eviction");

const engines: readonly Engine[] = [referenceEngine(), wasmEngine()];

const deep = denseTower(16);
const residual = residualTower(6, 8);

/**
 * n forward and n + 1 backward operations, all of cost and size 1; backward i reads the gradient above it and layer i's
 * input.
 */
function unitChain(n: number): OperatorGraph {
  const builder = new GraphBuilder(operatorTable, `chain of ${n}`);
  const inputs: Value[] = [builder.input("x", { shape: [], dtype: "float32" }, "data")];
  for (let layer = 0; layer < n; layer++) inputs.push(builder.apply("negate", [inputs[layer]]));
  builder.inPhase("backward", "", () => {
    let gradient = builder.apply("negate", [inputs[n]]);
    for (let layer = n - 1; layer >= 0; layer--) gradient = builder.apply("add", [gradient, inputs[layer]]);
    builder.output("gradient", gradient);
  });
  return builder.build();
}

/** Operations that a chain takes in so many units of memory. */
function operationsOf(n: number, units: number): number {
  const eviction = new Eviction(tapeOf(unitChain(n)), 4 * units);
  assert.ok(eviction.peakBytes <= 4 * units, `${eviction.peakBytes / 4} of ${units} units`);
  return eviction.replay.length;
}

test("a chain is never cheaper than its optimum, and not much dearer", () => {
  // Optimal costs of unit chains in so many live tensors: mixed-integer programmes, proven.
  const optima: readonly (readonly [number, number, number])[] = [
    [10, 4, 32],
    [10, 7, 25],
    [20, 5, 67],
    [20, 8, 54],
    [20, 13, 49],
  ];
  for (const [n, units, optimum] of optima) {
    const cost = operationsOf(n, units);
    assert.ok(cost >= optimum && cost <= 1.5 * optimum, `${n} in ${units}: ${cost}, optimum ${optimum}`);
  }
  assert.is(operationsOf(20, 100), 41, "with all the memory nothing is run twice");
});

test("a chain of n in 2√n memory takes O(n) operations (Kirisame et al. 2021, theorem 3.1)", () => {
  for (const n of [25, 100, 400, 900]) {
    const ratio = operationsOf(n, 2 * Math.sqrt(n)) / (2 * n + 1);
    assert.ok(ratio < 2.5, `${n}: ${ratio}`);
  }
});

for (const engine of engines) {
  test(`what was dropped and made again trains to the same bits (${engine.name})`, async () => {
    for (const model of [deep, residual]) {
      const setting = { engine, model, batch: 16 };
      const plain = await trainBy(setting, scheduleOf(setting));
      const { program, results } = await trainBy(setting, scheduleOf(setting, "evict"));
      assert.equal([...results], [...plain.results]);
      const { strategy } = program.report;
      assert.ok(
        strategy !== undefined && strategy.recomputedOperations > 0 && strategy.extraFlops < strategy.flops / 2,
      );
      assert.ok(program.arenaBytes < plain.program.arenaBytes);
    }
  });

  test(`a budget is kept by what the engine plans (${engine.name})`, async () => {
    const setting = { engine, model: deep, batch: 32 };
    const plain = await trainBy(setting, scheduleOf(setting));
    const least = engine.compile(scheduleOf(setting, "evict")).arenaBytes;
    const bytes = Math.ceil((least + plain.program.arenaBytes) / 2);
    const { program, results } = await trainBy(setting, scheduleOf(setting, strategies.evict({ bytes })));
    assert.ok(program.arenaBytes <= bytes, `${program.arenaBytes} of ${bytes}`);
    assert.equal([...results], [...plain.results]);
    assert.throws(
      () => scheduleOf(setting, strategies.evict({ bytes: 1000 })),
      /^memory: the budget must hold the smallest plan, got 1,000 B for at least .* by eviction/,
    );
  });
}

test.run();
